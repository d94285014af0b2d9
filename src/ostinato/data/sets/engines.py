"""Remaining useful life of turbofan engines (C-MAPSS FD001)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.files import read_text
from ostinato.data.sequences import LabelledSequences

from .entry import SequenceSet


def _engines(path: Path, life: np.ndarray | None) -> LabelledSequences:
    header, *lines = (line.split() for line in read_text(path).splitlines() if line.strip())
    rows = np.array(lines, float)
    starts = np.flatnonzero(np.diff(rows[:, 0], prepend=np.nan))
    values = np.split(rows[:, 2:], starts[1:])
    return LabelledSequences(values, np.zeros(len(values)) if life is None else life, tuple(header[2:26]))


def read(paths: Mapping[str, Path]) -> SequenceSet:
    """Engines that run until they fail, and engines that stop before."""
    life = np.array(read_text(paths["RUL_FD001.txt"]).split()[1:], float)
    return SequenceSet(_engines(paths["train_FD001.txt"], None), None, _engines(paths["test_FD001.txt"], life))
