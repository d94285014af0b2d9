"""Sequences as a reservoir takes them: read into float64, the input of each step, and the last inputs of each."""

from typing import Any

import numpy as np

from ostinato.checks import check_finite
from ostinato.errors import ShapeError
from ostinato.models.reading import as_numbers, check_size

LAGS = 10
"""So many values of what drives the network are seen by the linear baseline."""


def is_several(X: Any) -> bool:
    """Whether what is given is a list of sequences."""
    return isinstance(X, (list, tuple)) and any(np.ndim(part) for part in X)


def first_of(X: Any) -> Any:
    """The first sequence."""
    return X[0] if is_several(X) else X


def read_sequences(X: Any, name: str) -> tuple[list[np.ndarray], bool]:
    """Sequences `(time, features)`, and whether they came without an axis of features."""
    parts = list(X) if is_several(X) else [X]
    found = []
    for i, part in enumerate(parts):
        where = f"{name}[{i}]" if len(parts) > 1 else name
        array = as_numbers(part, where)
        if array.ndim not in (1, 2):
            raise ShapeError(
                f"{where}: expected (time,) or (time, features), got {array.shape}; give a list of several"
            )
        check_finite(array, where)
        check_size(array, where)
        found.append(array[:, None] if array.ndim == 1 else array)
        if found[-1].shape[1] != found[0].shape[1] or not found[-1].shape[1]:
            raise ShapeError(f"{where}: expected {found[0].shape[1]} features, one or more, got {found[-1].shape[1]}")
    return found, np.ndim(parts[0]) == 1


def check_pairs(inputs: list[np.ndarray], targets: list[np.ndarray]) -> None:
    """Raise `ShapeError` unless there is a target for each step of each sequence."""
    if [len(x) for x in inputs] != [len(y) for y in targets]:
        raise ShapeError(
            f"y: expected a target for each step, lengths {[len(x) for x in inputs]}, got {[len(y) for y in targets]}"
        )


def driven(values: np.ndarray, own: bool) -> np.ndarray:
    """What comes in at each step: the values themselves, or the one before where they are to be predicted."""
    return np.concatenate([np.zeros_like(values[:1]), values[:-1]]) if own else values


def lagged(drive: np.ndarray) -> np.ndarray:
    """The last inputs at each step, zeros before the first."""
    padded = np.concatenate([np.zeros((LAGS - 1, drive.shape[1])), drive])
    return np.concatenate([padded[LAGS - 1 - k : len(padded) - k] for k in range(LAGS)], axis=1)
