"""Numbers as they come in from the caller: read into float64, and none too large to be squared."""

from typing import Any

import numpy as np

from ostinato.data import values
from ostinato.errors import DataError


def as_numbers(given: Any, name: str) -> np.ndarray:
    """An array in float64; raises `DataError`, which says `name`, for what is no array of numbers."""
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: expected numbers, got {given!r:.60}") from error


def check_size(array: np.ndarray, name: str) -> None:
    """Raise `DataError`, which names the row, for a number that is too large; missing values (NaN) are none.

    ```python
    >>> check_size(np.array([1.0, 1.7e308]), "y")
    Traceback (most recent call last):
    ostinato.errors.DataError: y, row 1: 1.7e+308, expected a magnitude of 1e+140 at most; ...

    ```
    """
    if array.dtype == np.float64:  # shorter types hold nothing so large
        values.check_size(array, lambda row: f"{name}, row {row}")
