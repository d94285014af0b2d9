"""Numbers as they come in: read into float64, and none so large that its square cannot be computed."""

from typing import Any

import numpy as np

from ostinato.errors import DataError, NonFiniteError

LARGEST = 1e140
"""The largest magnitude that is computed with: a sum of squares of so many rows as fit into a machine stays finite."""


def as_numbers(given: Any, name: str) -> np.ndarray:
    """An array in float64; raises `DataError`, which says `name`, for what is no array of numbers."""
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: expected numbers, got {given!r:.60}") from error


def check_size(array: np.ndarray, name: str) -> None:
    """Raise `NonFiniteError`, which names the entry, for a number that is too large; missing values (NaN) are none.

    ```python
    >>> check_size(np.array([1.0, 1.7e308]), "y")
    Traceback (most recent call last):
    ostinato.errors.NonFiniteError: y: 1.7e+308 at index (1,) is too large to compute with; if it marks a missing ...

    ```
    """
    if array.dtype == np.float64 and (bad := np.abs(array) > LARGEST).any():  # shorter types hold nothing so large
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise NonFiniteError(f"{name}: {array[where]:g} at index {where} {TOO_LARGE}")


TOO_LARGE = "is too large to compute with; if it marks a missing value, leave it out"
