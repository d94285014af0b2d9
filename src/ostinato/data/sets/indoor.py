"""Indoor movement from radio signals."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.files import zip_members
from ostinato.data.sequences import LabelledSequences

from .entry import Entry, File, SequenceSet, github

_COUNT = 314


def _read(paths: Mapping[str, Path]) -> SequenceSet:
    members = zip_members(paths["IndoorMovement.zip"], ".csv")

    def table(name: str) -> np.ndarray:
        return np.loadtxt(io.BytesIO(members[name]), delimiter=",", comments="#", ndmin=2)

    values = [table(f"MovementAAL_RSS_{i}.csv") for i in range(1, _COUNT + 1)]
    labels, groups = (table(f"MovementAAL_{n}.csv")[:, 1].astype(int) for n in ("target", "DatasetGroup"))
    names = tuple(f"anchor{i}" for i in range(1, 5))
    everything = LabelledSequences(values, labels, names, groups=groups)
    return SequenceSet(everything.take(groups < 3), None, everything.take(groups == 3))


INDOOR_MOVEMENT = Entry(
    name="indoor_movement",
    task="classification of sequences: does a person change rooms, from 4 radio signals at 8 Hz",
    licence="the repository has none; cite the donors",
    citation="Bacciu, Barsocchi, Chessa, Gallicchio, Micheli, Neural Computing and Applications 2014",
    split="heterogeneous: groups 1 and 2 are train, group 3 is test; homogeneous: cross-validation within 1 and 2",
    gives="SequenceSet: values (time, 4), labels 1 (changes) or -1, groups 1 to 3",
    files=(
        File(
            "IndoorMovement.zip",
            215028,
            "c657ee8635275145b11c9e4ed3b4647b876f8acb638e61e7b1a6a18f27e0472a",
            github("jbrownlee/Datasets", "d20fcb6402ae34e653d4513b00f39257bb37ed7f", "IndoorMovement.zip"),
        ),
    ),
    read=_read,
)
