"""Rolling origins inside the training rows: where the past is cut, and what is forecast from each cut."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CUTS = ((60, (0.5, 0.6, 0.7, 0.8, 0.9)), (400, (0.6, 0.7, 0.8, 0.9)), (2000, (0.7, 0.85)))
"""Up to so many rows, the shares of them that are fitted to in turn; each fit is judged up to the next cut."""

LONG = (0.8,)
ENTRIES = 300_000
"""So many forecast values are judged at most."""


@dataclass(frozen=True)
class Rolling:
    """For each cut the rows to fit to, `cuts[f][i]` of series i, and the origins to judge by, `origins[f][i]`.

    Origins near the end have fewer than `horizon` steps after them where whole ones are few; what is not there is
    missing.
    """

    cuts: tuple[tuple[int, ...], ...]
    origins: tuple[tuple[np.ndarray, ...], ...]
    stops: tuple[int, ...]
    horizon: int

    @classmethod
    def of(cls, stops: Sequence[int], horizon: int, targets: int = 1) -> "Rolling | None":
        """None where no series has rows to fit to and others to judge by."""
        longest = max(stops)
        shares = next((s for rows, s in CUTS if longest <= rows), LONG)
        cuts = [tuple(min(max(round(s * n), 2), n) for n in stops) for s in shares]
        ends = [*cuts[1:], tuple(stops)]
        whole = sum(max(n - horizon + 1 - c, 0) for n, c in zip(stops, cuts[0], strict=True))
        last = [n if whole < 20 else n - horizon + 1 for n in stops]
        every = max(sum(max(n - c, 0) for n, c in zip(stops, cuts[0], strict=True)) * horizon * targets // ENTRIES, 1)
        origins = tuple(
            tuple(np.arange(c, max(min(e, n), c), every) for c, e, n in zip(cut, end, last, strict=True))
            for cut, end in zip(cuts, ends, strict=True)
        )
        found = cls(tuple(cuts), origins, tuple(stops), horizon)
        return found if found.count else None

    @property
    def count(self) -> int:
        """Origins in all."""
        return sum(len(o) for fold in self.origins for o in fold)

    @property
    def independent(self) -> float:
        """So many of them say something of their own, as forecasts of several steps overlap."""
        return self.count / (1 + (self.horizon - 1) / 2)

    @property
    def series(self) -> np.ndarray:
        """The series of each origin, fold after fold."""
        return np.concatenate([np.repeat(np.arange(len(fold)), [len(o) for o in fold]) for fold in self.origins])

    @property
    def rows(self) -> np.ndarray:
        """The row of each origin, fold after fold."""
        return np.concatenate([np.concatenate(fold) for fold in self.origins])

    @property
    def folds(self) -> np.ndarray:
        """The number of the cut that each origin belongs to."""
        return np.repeat(np.arange(len(self.cuts)), [sum(len(o) for o in fold) for fold in self.origins])

    def truth(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """`(n, horizon, columns)`: what came, in the units of the arrays, NaN where it is not there."""
        parts = []
        for fold in self.origins:
            for a, o, n in zip(arrays, fold, self.stops, strict=True):
                rows = o[:, None] + np.arange(self.horizon)
                parts.append(np.where((rows < n)[..., None], a[np.minimum(rows, max(n - 1, 0))], np.nan))
        return np.concatenate(parts)
