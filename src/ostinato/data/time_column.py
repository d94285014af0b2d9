"""Which column of a table holds the times, where nobody said so."""

from collections.abc import Set

import numpy as np

from ostinato.errors import DataError

from .table import Table
from .times import looks_dated
from .values import is_missing

TIMES = ("time", "date", "datetime", "timestamp")
"""Names of the time, whatever numbers it holds."""

WORDS = (*TIMES, "year", "years", "month", "day", "days", "hour", "hours", "step", "t")
"""Names of a column of numbers that is taken for the time."""

COUNTS = ("index", "row", "id", "unnamed: 0", "__index_level_0__")
"""Names of a column that may count the rows."""


def find_time(
    table: Table, taken: Set[str], series: str | None, notes: list[str]
) -> tuple[str | None, tuple[str, ...]]:
    """The column of times, and those that only count rows: neither is a target.

    It is the column of times that has no other part (`taken`, `series`). Without one it is a column of numbers: that
    with a name of `TIMES`; one named like one of `WORDS` in which whole numbers stand once in a series; failing that,
    one of `COUNTS` that goes up by one. A note says which, or that there is none. Raises `DataError` where there are
    several, or where a column looks like times that cannot be read.
    """
    free = [name for name in table.names if name not in taken and name != series]
    dated = [name for name in free if table.kind(name) == "time"]
    counts = tuple(name for name in free if name.strip().lower() in COUNTS and _counts(table, name, series))
    if len(dated) > 1:
        found = " and ".join(f"'{name}'" for name in dated)
        raise DataError(
            f"{table.source}: {found} hold times; say which column is the time (--time, time=), or that there is none "
            "(an empty name)"
        )
    if dated:
        notes.append(f"time: the column '{dated[0]}'")
        return dated[0], counts
    for name in free:
        if table.kind(name) == "text" and (name.strip().lower() in TIMES or _mostly_dated(table.text(name))):
            _refuse(table, name)
    named = [name for name in free if name.strip().lower() in WORDS and _tells_time(table, name, series)]
    chosen = next((name for word in WORDS for name in named if name.strip().lower() == word), None)
    chosen = chosen or next(iter(counts), None)
    words = "none, the rows go in the order of the file" if chosen is None else f"the column '{chosen}', of numbers"
    notes.append(f"time: {words}")
    return chosen, tuple(name for name in (*named, *counts) if name != chosen)


def _refuse(table: Table, name: str) -> None:
    try:
        table.time(name)
    except DataError as error:
        raise DataError(
            f"{error}; where it is no time, say which column is (--time, time=), or none (an empty name)"
        ) from None


def _mostly_dated(cells: np.ndarray) -> bool:
    there = [cell for cell in cells if not is_missing(cell)]
    return 2 * sum(looks_dated(cell) for cell in there) > len(there)


def _groups(table: Table, series: str | None) -> list[np.ndarray]:
    if series is None:
        return [np.arange(len(table))]
    names = table.text(series).astype(str)
    return [np.flatnonzero(names == name) for name in np.unique(names)]


def _tells_time(table: Table, name: str, series: str | None) -> bool:
    if name.strip().lower() in TIMES:
        return table.kind(name) == "number"
    return _unique(table, name, series)


def _unique(table: Table, name: str, series: str | None) -> bool:
    """Whether a column holds whole numbers, none of them missing and none twice in a series."""
    if table.kind(name) != "number":
        return False
    numbers = table[name]
    if not (np.isfinite(numbers).all() and (numbers == np.round(numbers)).all()):
        return False
    return all(len(np.unique(numbers[rows])) == len(rows) for rows in _groups(table, series))


def _counts(table: Table, name: str, series: str | None) -> bool:
    """Whether a column counts the rows, of each series or of the table."""
    if not _unique(table, name, series):
        return False
    numbers = table[name]
    return any(
        all(len(rows) > 1 and (np.diff(np.sort(numbers[rows])) == 1).all() for rows in groups)
        for groups in (_groups(table, series), _groups(table, None))
    )
