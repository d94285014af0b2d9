"""Communities shared out to folds."""

from typing import Any

import numpy as np

from ostinato.checks import check_same
from ostinato.data import permutation
from ostinato.errors import SettingsError


def folds_drawn(count: int, folds: int, seed: int) -> list[np.ndarray]:
    """Rows shared out to folds of nearly equal size, the same for a seed. Raises `SettingsError`."""
    if not 2 <= folds <= count:
        raise SettingsError(f"folds: expected 2 to {count}, as there are {count} communities, got {folds}")
    return [np.sort(part) for part in np.array_split(permutation(count, seed, name="folds"), folds)]


def folds_listed(count: int, order: Any) -> list[np.ndarray]:
    """The rows of each fold, from the fold of each row. Raises `ShapeError`, `SettingsError`."""
    order = np.asarray(order)
    check_same(order.shape, (count,), "order", "(communities,)")
    parts = [np.flatnonzero(order == k) for k in np.unique(order)]
    if len(parts) < 2:
        raise SettingsError("order: expected two folds or more, got one")
    return parts
