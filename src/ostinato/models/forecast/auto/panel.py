"""Series as simple forecasts see them: scaled targets, gaps filled from the past, and the columns known ahead."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ostinato.data import Series
from ostinato.models.forecast.features import Features
from ostinato.models.forecast.out_of_sample import forward_filled


@dataclass(frozen=True)
class Panel:
    """Scaled columns of each series.

    * `values (time, targets)`: NaN where missing. `filled`: the same with each gap replaced by the last value before
      it, 0 (the mean) where there is none, so that no row looks ahead.
    * `known (time, columns)`: covariates that are known ahead, without those of the calendar, which are `waves`.
    """

    values: tuple[np.ndarray, ...]
    filled: tuple[np.ndarray, ...]
    known: tuple[np.ndarray, ...]
    waves: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, features: Features, series: Series) -> "Panel":
        """The series in the scale of the features. Raises as `Features.arrays`."""
        targets, future = len(features.target_names), len(features.future_names)
        arrays = features.arrays(series)
        values = tuple(a[:, :targets] for a in arrays)
        ahead = [a[:, features.layout.ahead] for a in arrays]
        filled = tuple(np.nan_to_num(forward_filled(v)) if len(v) else v for v in values)
        return cls(values, filled, tuple(a[:, :future] for a in ahead), tuple(a[:, future:] for a in ahead))

    @property
    def targets(self) -> int:
        return self.values[0].shape[1]

    @property
    def width(self) -> int:
        """The number of known columns without waves."""
        return self.known[0].shape[1]

    def truth(self, origins: Sequence[np.ndarray], horizon: int, stops: Sequence[int]) -> np.ndarray:
        """`(n, horizon, targets)` of all origins: what came, NaN where it is missing or lies at or after the stop."""
        parts = []
        for values, o, stop in zip(self.values, origins, stops, strict=True):
            rows = np.asarray(o)[:, None] + np.arange(horizon)
            there = rows < min(stop, len(values))
            parts.append(np.where(there[..., None], values[np.minimum(rows, len(values) - 1)], np.nan))
        return np.concatenate(parts)


def at_origins(arrays: Sequence[np.ndarray], origins: Sequence[np.ndarray], steps: np.ndarray) -> np.ndarray:
    """`(n, len(steps), columns)`: the rows at so many steps from each origin, of all series one after the other."""
    return np.concatenate([a[np.asarray(o)[:, None] + steps] for a, o in zip(arrays, origins, strict=True)])
