"""Remaining useful life of turbofan engines (C-MAPSS FD001)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.files import read_text
from ostinato.data.sequences import LabelledSequences

from .entry import Entry, File, SequenceSet, github

_SOURCE = ("hakansirin/senior-project", "1eb93115db7456f2941c6d6a0f9db6fefdf0120d")


def _engines(path: Path, life: np.ndarray | None) -> LabelledSequences:
    header, *lines = (line.split() for line in read_text(path).splitlines() if line.strip())
    rows = np.array(lines, float)
    starts = np.flatnonzero(np.diff(rows[:, 0], prepend=np.nan))
    values = np.split(rows[:, 2:], starts[1:])
    return LabelledSequences(values, np.zeros(len(values)) if life is None else life, tuple(header[2:26]))


def _read(paths: Mapping[str, Path]) -> SequenceSet:
    life = np.array(read_text(paths["RUL_FD001.txt"]).split()[1:], float)
    return SequenceSet(_engines(paths["train_FD001.txt"], None), None, _engines(paths["test_FD001.txt"], life))


CMAPSS_FD001 = Entry(
    name="cmapss_fd001",
    task="regression on sequences: cycles until a turbofan engine fails, from 3 settings and 21 sensors",
    licence="US government work (NASA), public; the repository has none",
    citation="Saxena, Goebel, Simon, Eklund, PHM 2008",
    split="official: 100 engines run until they fail, 100 that stop before",
    gives="SequenceSet: values (cycles, 24); labels: cycles left after the last, which is 0 in train",
    files=tuple(
        File(name, size, digest, github(*_SOURCE, f"CMAPSSData/{name}"))
        for name, size, digest in (
            ("train_FD001.txt", 3474233, "290e220a90c2bb52a799abaf85289fff7b6820829a197a24daaa1eff7a6c3ca8"),
            ("test_FD001.txt", 2228994, "dde0ce7bdf532bee0c59b3544dc420f378def576326c4fe16a84bef90dda954c"),
            ("RUL_FD001.txt", 534, "160806da0084d1107676a16043b5a5c243d8c8c73f57a083b5d89dfcfdb9f764"),
        )
    ),
    read=_read,
)
