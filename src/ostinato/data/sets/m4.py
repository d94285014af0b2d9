"""The hourly and weekly series of the M4 competition."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.files import read_text
from ostinato.data.series import Series
from ostinato.errors import DataError

from .entry import Entry, File, HeldOut, github

_SOURCE = ("Mcompetitions/M4-methods", "6c1067e5a57161249b17289a565178dc7a3fb3ca")


def _series(path: Path) -> Series:
    rows = list(csv.reader(io.StringIO(read_text(path))))[1:]
    values = [np.array([v for v in row[1:] if v], float)[:, None] for row in rows]
    nothing = tuple(np.zeros((len(v), 0)) for v in values)
    ids = tuple(row[0] for row in rows)
    return Series(tuple(values), nothing, nothing, np.zeros((len(ids), 0)), None, None, ids, ("value",))


def _read(paths: Mapping[str, Path]) -> dict[str, HeldOut]:
    sets = {}
    for part in ("Hourly", "Weekly"):
        train, test = (_series(paths[f"{part}-{half}.csv"]) for half in ("train", "test"))
        if train.ids != test.ids:
            raise DataError(f"m4_hourly_weekly: the series of {part}-train.csv and {part}-test.csv differ")
        sets[part.lower()] = HeldOut(train, test)
    return sets


M4_HOURLY_WEEKLY = Entry(
    name="m4_hourly_weekly",
    task="forecasting of many series by one network: 414 hourly and 359 weekly series",
    licence="the repository has none; published openly by the competition",
    citation="Makridakis, Spiliotis, Assimakopoulos, IJF 2020",
    split="official: the last 48 hours, the last 13 weeks",
    gives="a dict: 'hourly' and 'weekly', a HeldOut each",
    files=tuple(
        File(name, size, digest, github(*_SOURCE, f"Dataset/{folder}/{name}"))
        for name, folder, size, digest in (
            ("Hourly-train.csv", "Train", 2347115, "ea59b7783573c49077a835ab6465c7d66f1474783360f310988a9a737fbca62f"),
            ("Hourly-test.csv", "Test", 132820, "71a57fccb15e534d973626ada4fb87febf789e9317715b7cc6dd3b5f90db6f42"),
            ("Weekly-train.csv", "Train", 4015067, "d478d3f6ed673e6ed3c2cb0fbed5425f72eedd51318ebebeb0b5ecfcefc37714"),
            ("Weekly-test.csv", "Test", 44247, "3b2bc4be8e636e802260dcd843ca3c5da40536a1fbe1ecb3229a97dae4f44688"),
        )
    ),
    read=_read,
)
