"""Handwritten digits as traces of a pen."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.sequences import LabelledSequences, read_npz

from .entry import SequenceSet


def read(paths: Mapping[str, Path]) -> SequenceSet:
    """Traces of three groups of writers."""
    parts = read_npz(paths["unipen_digits.npz"])
    points = np.concatenate([parts["xy"], parts["pen_up"][:, None]], axis=1).astype(np.float32)
    values = np.split(points, parts["offsets"][1:-1])
    labels, writers = parts["label"].astype(int), parts["writer"]
    everything = LabelledSequences(values, labels, ("x", "y", "pen_up"), groups=writers)
    train, valid, test = (everything.take(parts["split"] == part) for part in ("train", "valid", "test"))
    return SequenceSet(train, valid, test)
