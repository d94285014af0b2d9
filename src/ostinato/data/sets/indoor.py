"""Indoor movement from radio signals."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.files import zip_members
from ostinato.data.sequences import LabelledSequences

from .entry import SequenceSet

_COUNT = 314


def read(paths: Mapping[str, Path]) -> SequenceSet:
    """Groups 1 and 2, and group 3."""
    members = zip_members(paths["IndoorMovement.zip"], ".csv")

    def table(name: str) -> np.ndarray:
        return np.loadtxt(io.BytesIO(members[name]), delimiter=",", comments="#", ndmin=2)

    values = [table(f"MovementAAL_RSS_{i}.csv") for i in range(1, _COUNT + 1)]
    labels, groups = (table(f"MovementAAL_{n}.csv")[:, 1].astype(int) for n in ("target", "DatasetGroup"))
    names = tuple(f"anchor{i}" for i in range(1, 5))
    everything = LabelledSequences(values, labels, names, groups=groups)
    return SequenceSet(everything.take(groups < 3), None, everything.take(groups == 3))
