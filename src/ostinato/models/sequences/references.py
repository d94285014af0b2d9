"""What a network of sequences is measured by: the nearest neighbour, and linear maps of values and of summaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

VALUES, LEAST = 1 << 22, 64
"""Values of all training sequences together that are compared and kept; of each sequence at least so many."""

MOST = 2048
"""Values of one sequence that are compared at most."""

ROWS = 1 << 16
"""Training sequences that a new one is compared with at most."""


def places(values: Sequence[np.ndarray]) -> int:
    """How many places in time the values of a sequence are read at: all, up to what `VALUES` and `MOST` allow.

    ```python
    >>> places([np.zeros((150, 1))] * 50), places([np.zeros((30, 12)), np.zeros((20, 12))])
    (150, 30)

    ```
    """
    most = min(max(VALUES // len(values), LEAST), MOST)
    return max(min(max(len(v) for v in values), most // values[0].shape[1]), 1)


def resampled(values: Sequence[np.ndarray], at: int) -> Float[np.ndarray, "sequences values"]:
    """Each sequence by linear interpolation at so many places from its first to its last step; a gap (NaN) is 0.

    ```python
    >>> resampled([np.array([[0.0], [2.0]]), np.zeros((0, 1))], 3).tolist()
    [[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]]

    ```
    """
    found = np.zeros((len(values), at, values[0].shape[1]))
    for row, given in zip(found, values, strict=True):
        if len(given):
            place = np.linspace(0, len(given) - 1, at)
            low = np.minimum(place.astype(int), max(len(given) - 2, 0))
            high, part = np.minimum(low + 1, len(given) - 1), (place - low)[:, None]
            filled = np.nan_to_num(given)
            row[:] = (1 - part) * filled[low] + part * filled[high]
    return found.reshape(len(values), -1)


@dataclass(frozen=True)
class NearestNeighbour:
    """The target of the training sequence at the least Euclidean distance (Fix and Hodges 1951).

    `rows (n, values)` are what `resampled` gives of the training sequences, `targets (n, outputs)` theirs.
    """

    rows: Float[np.ndarray, "n values"]
    targets: Float[np.ndarray, "n outputs"]

    @classmethod
    def fit(cls, rows: Float[np.ndarray, "n values"], targets: Float[np.ndarray, "n outputs"]) -> "NearestNeighbour":
        """Of more than `ROWS` sequences the first ones, taken at equal distances."""
        step = -(-len(rows) // ROWS)
        return cls(rows[::step].astype(np.float32), targets[::step].astype(np.float64))

    def predict(self, rows: Float[np.ndarray, "m values"]) -> Float[np.ndarray, "m outputs"]:
        """Of the first, where several are as near."""
        return self.targets[self._nearest(rows.astype(np.float32), apart=False)]

    def left_out(self) -> Float[np.ndarray, "n outputs"]:
        """For each training sequence the target of its nearest other."""
        return self.targets[self._nearest(self.rows, apart=True)]

    def _nearest(self, rows: np.ndarray, apart: bool) -> np.ndarray:
        own, found = np.square(self.rows).sum(1), np.empty(len(rows), int)
        for start in range(0, len(rows), 512):
            part = rows[start : start + 512]
            # The square of the new row is the same for all.
            distance = own - 2 * part @ self.rows.T
            if apart:
                distance[np.arange(len(part)), start + np.arange(len(part))] = np.inf
            found[start : start + 512] = distance.argmin(1)
        return found

    def arrays(self) -> dict[str, Any]:
        """For a file."""
        return {"rows": self.rows, "targets": self.targets}

    @classmethod
    def from_arrays(cls, found: Mapping[str, Any]) -> "NearestNeighbour":
        """The inverse of `arrays`."""
        return cls(np.asarray(found["rows"], np.float32), np.asarray(found["targets"], np.float64))
