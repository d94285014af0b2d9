"""Handwritten digits as traces of a pen."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.sequences import LabelledSequences, read_npz

from .entry import Entry, File, SequenceSet


def _read(paths: Mapping[str, Path]) -> SequenceSet:
    parts = read_npz(paths["unipen_digits.npz"])
    points = np.concatenate([parts["xy"], parts["pen_up"][:, None]], axis=1).astype(np.float32)
    values = np.split(points, parts["offsets"][1:-1])
    labels, writers = parts["label"].astype(int), parts["writer"]
    everything = LabelledSequences(values, labels, ("x", "y", "pen_up"), groups=writers)
    train, valid, test = (everything.take(parts["split"] == part) for part in ("train", "valid", "test"))
    return SequenceSet(train, valid, test)


UNIPEN_DIGITS = Entry(
    name="unipen_digits",
    task="classification of pen traces: 12,563 digits of 177 writers",
    licence="CC BY 4.0 (Zenodo 1195803); the notice of 1999 grants research use and forbids commercial distribution",
    citation="Guyon et al., ICPR 1994; UNIPEN train_r01_v07, Zenodo 1195803",
    split="by writer: 10,000, 434 and 2,129",
    gives="SequenceSet: values (points, 3): x, y (upwards), pen_up (1 at the end of a stroke); groups are the writers; "
    "contributors differ in resolution and sampling rate: bring all to one height",
    files=(File("unipen_digits.npz", 1536393, "dfa17bfb962bd93e66dee04bb7e2c994aa14c03b77395dbe73feb7308216132b"),),
    read=_read,
)
