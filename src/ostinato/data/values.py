"""What a cell of a table says: a number, a time, a missing entry, or text."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "?"})
"""What counts as a missing entry, whatever its case."""

_TRUTH = {"true": 1.0, "false": 0.0}
_MONTH = re.compile(r"(\d{4})[-/](\d{1,2})")
_QUARTER = re.compile(r"(\d{4})[- ]?[Qq]([1-4])")
_FORMATS = (
    *("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"),
    *("%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%B %d %Y", "%B %d, %Y", "%d %B %Y", "%b %Y", "%B %Y", "%b-%Y"),
)
_DAY_FIRST = ("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S")
_MONTH_FIRST = ("%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S")


def is_missing(cell: str) -> bool:
    """Whether the cell stands for a missing entry."""
    return cell.strip().lower() in MISSING


def as_text(value: Any) -> str:
    """An entry of a frame as a string; empty where it is missing."""
    return value if isinstance(value, str) else "" if is_missing(str(value)) else str(value)


def to_number(cell: str) -> float | None:
    """The number in a cell, NaN where it is missing, `None` where it is neither; `true` and `false` are 1 and 0."""
    cell = cell.strip()
    try:
        # Python also reads underscores, which no file format means as a number.
        return None if "_" in cell else float(cell)
    except ValueError:
        return np.nan if cell.lower() in MISSING else _TRUTH.get(cell.lower())


def to_numbers(cells: Iterable[str]) -> np.ndarray | int:
    """All numbers of a column, or the position of the first cell that holds none."""
    numbers = []
    for i, cell in enumerate(cells):
        # Nearly every cell is a plain number: no call of a function for each.
        try:
            number = float(cell)
        except ValueError:
            number = None
        if number is None or "_" in cell:
            number = to_number(cell)
        if number is None:
            return i
        numbers.append(number)
    return np.array(numbers, np.float64)


def to_times(cells: Sequence[str]) -> np.ndarray | int:
    """All times of a column as `datetime64[s]`, or the position of the first cell that cannot be read as one.

    Read are: ISO 8601 (a time with an offset becomes UTC), `1949-01`, `1949Q1`, `2020/01/31`, `31.01.2020`,
    `Jan 31 2020`, `31 Jan 2020` and the like, each with an optional time of day; and `01/31/2020` or `31/01/2020` where
    the column itself tells the day from the month. A missing entry is NaT.
    """
    forms = [*_slashed(cells), *_FORMATS]
    seconds = np.empty(len(cells), "datetime64[s]")
    for i, cell in enumerate(cells):
        try:
            moment = datetime.fromisoformat(cell)
        except ValueError:
            moment = _to_time(cell.strip(), forms)
        if moment is not None and moment.tzinfo is not None:
            moment = _to_utc(moment)
        if moment is None and not is_missing(cell):
            return i
        seconds[i] = moment
    return seconds


def looks_typed(cell: str) -> bool:
    """Whether the cell holds a number or a time, and so cannot be a column's name."""
    if is_missing(cell):
        return False
    return to_number(cell) is not None or _to_time(cell.strip(), [*_DAY_FIRST, *_MONTH_FIRST, *_FORMATS]) is not None


def _to_utc(moment: datetime) -> datetime | None:
    try:
        return moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:  # Before year 1 or after year 9999 there.
        return None


def _to_time(cell: str, forms: list[str]) -> datetime | None:
    # No written time is shorter, and words without a digit need not be tried in every form.
    if len(cell) < 6 or not any(c.isdigit() for c in cell):
        return None
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        pass
    if match := _MONTH.fullmatch(cell):
        return datetime(int(match[1]), int(match[2]), 1) if 1 <= int(match[2]) <= 12 else None
    if match := _QUARTER.fullmatch(cell):
        return datetime(int(match[1]), 3 * int(match[2]) - 2, 1)
    for i, form in enumerate(forms):
        try:
            moment = datetime.strptime(cell, form)
        except ValueError:
            continue
        # A column is written in one form: the next cell finds it at once.
        forms.insert(0, forms.pop(i))
        return moment
    return None


def _slashed(cells: Sequence[str]) -> tuple[str, ...]:
    """Forms of dates such as 03/04/2020: the order of day and month that all cells allow; none where it stays open."""
    largest = [0, 0]
    for cell in cells:
        parts = cell.strip().split("/")
        if len(parts) == 3 and parts[0].isdigit() and parts[1].isdigit() and len(parts[0]) <= 2:
            largest = [max(largest[0], int(parts[0])), max(largest[1], int(parts[1]))]
    if largest[0] > 12 >= largest[1]:
        return _DAY_FIRST
    return _MONTH_FIRST if largest[1] > 12 >= largest[0] else ()
