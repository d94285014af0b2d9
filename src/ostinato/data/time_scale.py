"""Standardisation at each time by itself, fitted on training data only."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ostinato.checks import check_same
from ostinato.errors import DataError

from .scale import Standardizer


@dataclass(frozen=True)
class TimeStandardizer:
    r"""`z = (x - mean_t) / scale_t` for each time and feature of sequences at common times.

    $$\mathrm{mean}_{tf} = \frac1n \sum_i x_{itf},\qquad \mathrm{scale}_{tf} = w\,\sqrt{\tfrac1n \sum_i (x_{itf} -
      \mathrm{mean}_{tf})^2}$$

    Missing entries (NaN) are left out of both; a constant entry has scale 1. `width` w is 1 for unit variance; Baranwal
    et al. (2022) have 4. With `pooled` all times share mean and scale: what to do where a time has few samples.

    ```python
    >>> scale = TimeStandardizer.fit(np.array([[[1.0], [10.0]], [[3.0], [30.0]]]), width=2.0)
    >>> scale.mean.tolist(), scale.scale.tolist()
    ([[2.0], [20.0]], [[2.0], [20.0]])

    ```
    """

    mean: Float[np.ndarray, "time features"]
    scale: Float[np.ndarray, "time features"]

    @classmethod
    def fit(
        cls, values: Float[np.ndarray, "n time features"], *, width: float = 1.0, pooled: bool = False
    ) -> "TimeStandardizer":
        """Raises `DataError` where a time has a feature with fewer than two samples, unless they are pooled."""
        time = values.shape[1]
        if pooled:
            one = Standardizer.fit(values)
            parts = [one] * time
        else:
            counts = (~np.isnan(values)).sum(0)
            if (counts < 2).any():
                t, f = (int(i) for i in np.argwhere(counts < 2)[0])
                raise DataError(
                    f"values: expected two or more samples at each time to scale it by itself, time {t} has "
                    f"{counts[t, f]} of feature {f}; pool the times (pooled_scale=True)"
                )
            parts = [Standardizer.fit(values[:, t]) for t in range(time)]
        mean, scale = np.stack([p.mean for p in parts]), np.stack([p.scale for p in parts])
        constant = np.nanstd(values.reshape(-1, values.shape[-1]) if pooled else values, axis=0) <= 0
        return cls(mean, np.where(constant, 1.0, width * scale))

    def transform(self, values: Any) -> Any:
        """Standardised values of all times, `(..., time, features)`."""
        check_same(values.shape[-2:], self.mean.shape, "values", "(time, features)")
        return (values - self.mean) / self.scale

    def inverse(self, values: Any, first: int = 0) -> Any:
        """Back to the units of the data; the first of `values` is at time `first`, those after the last are like it."""
        at = np.minimum(first + np.arange(values.shape[-2]), len(self.mean) - 1)
        return values * self.scale[at] + self.mean[at]
