"""Polyphonic music as piano rolls."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.files import read_bytes
from ostinato.data.sequences import LabelledSequences
from ostinato.errors import CorruptFile

from .entry import SequenceSet

_LOWEST, _HIGHEST = 21, 108


def read(paths: Mapping[str, Path]) -> dict[str, SequenceSet]:
    """The pieces of each file, in three parts."""
    return {name.removesuffix(".mat"): _pieces(path) for name, path in paths.items()}


def _pieces(path: Path) -> SequenceSet:
    from scipy.io import loadmat  # slow to load, and no other set needs it

    try:
        cells = loadmat(io.BytesIO(read_bytes(path)))
        parts = [[np.asarray(p, np.uint8) for p in cells[f"{part}data"][0]] for part in ("train", "valid", "test")]
    except Exception as error:  # The parser raises whatever it stumbles over.
        raise CorruptFile(f"{path}: not a readable file of piano rolls ({error})") from error
    notes = tuple(f"midi{note}" for note in range(_LOWEST, _HIGHEST + 1))
    train, valid, test = (LabelledSequences(part, None, notes) for part in parts)
    return SequenceSet(train, valid, test)
