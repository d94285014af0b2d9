"""The hourly and weekly series of the M4 competition."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.files import read_text
from ostinato.data.series import Series
from ostinato.errors import DataError

from .entry import HeldOut


def _series(path: Path) -> Series:
    rows = list(csv.reader(io.StringIO(read_text(path))))[1:]
    values = [np.array([v for v in row[1:] if v], float)[:, None] for row in rows]
    nothing = tuple(np.zeros((len(v), 0)) for v in values)
    ids = tuple(row[0] for row in rows)
    return Series(tuple(values), nothing, nothing, np.zeros((len(ids), 0)), None, None, ids, ("value",))


def read(paths: Mapping[str, Path]) -> dict[str, HeldOut]:
    """The hourly and the weekly series, each with what is held out of it."""
    sets = {}
    for part in ("Hourly", "Weekly"):
        train, test = (_series(paths[f"{part}-{half}.csv"]) for half in ("train", "test"))
        if train.ids != test.ids:
            raise DataError(f"m4_hourly_weekly: the series of {part}-train.csv and {part}-test.csv differ")
        sets[part.lower()] = HeldOut(train, test)
    return sets
