"""What a cell of a table says: a number, a missing entry, or text."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ostinato.errors import DataError

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "?"})
"""What counts as a missing entry, whatever its case."""

LARGEST = 1e140
"""The largest magnitude that is read: a sum of squares of so many rows as fit into a machine stays finite."""

_TRUTH = {"true": 1.0, "false": 0.0}


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


def check_size(values: np.ndarray, place: Callable[[int], str]) -> None:
    """Raise `DataError` where a value is too large to be squared; `place` puts the row of it into words."""
    large = np.abs(values) > LARGEST
    if large.any():
        row = int(np.argwhere(large)[0][0])
        value = values[row][large[row]].flat[0] if values.ndim > 1 else values[row]
        raise DataError(
            f"{place(row)}: {value:.5g}, expected a magnitude of {LARGEST:g} at most; leave the cell empty where it "
            "stands for a missing value"
        )
