"""Standardisation, fitted on training data only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ostinato.checks import check_finite
from ostinato.errors import DataError, NonFiniteError, ShapeError

from .values import LARGEST

CONSTANT = 1e-12
"""A feature whose standard deviation is below this share of its largest magnitude counts as constant."""


@dataclass(frozen=True)
class Standardizer:
    """`z = (x - mean) / scale` per feature, with mean and standard deviation (divided by n) of the training data.

    Missing entries (NaN) are left out of both and stay missing. A constant feature has scale 1, one without any
    observation mean 0 and scale 1. The statistics are float64; results have the dtype of the input, and
    `NonFiniteError` is raised where that cannot hold the statistics.

    ```python
    >>> import numpy as np
    >>> scale = Standardizer.fit(np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, 5.0]]))
    >>> scale.mean.tolist(), scale.scale.tolist()
    ([2.0, 5.0], [1.0, 1.0])
    >>> scale.inverse(scale.transform(np.array([[7.0, 8.0]]))).tolist()
    [[7.0, 8.0]]

    ```
    """

    mean: Float[np.ndarray, "features"]
    scale: Float[np.ndarray, "features"]

    @classmethod
    def fit(cls, values: Any | Sequence[Any]) -> "Standardizer":
        """From one array `(..., features)` or a list of arrays `(time, features)`.

        Raises `ShapeError` (no feature axis, unequal feature counts) and `NonFiniteError` (an infinity, or a value too
        large to be squared).
        """
        arrays = list(values) if isinstance(values, (list, tuple)) else [values]
        arrays = [np.asarray(a, np.float64) for a in arrays]
        for i, a in enumerate(arrays):
            if a.ndim < 2:
                raise ShapeError(f"values: expected (..., features) with at least two axes, got shape {a.shape}")
            if a.shape[-1] != arrays[0].shape[-1]:
                raise ShapeError(f"values[{i}]: expected {arrays[0].shape[-1]} features, got {a.shape[-1]}")
            check_finite(a, f"values[{i}]", allow_nan=True)
            if (large := np.argwhere(np.abs(a) > LARGEST)).size:
                place = tuple(int(k) for k in large[0])
                raise NonFiniteError(
                    f"values[{i}]: {a[place]:.5g} at {place}, expected a magnitude of {LARGEST:g} at most"
                )
        if not arrays:
            raise ShapeError("values: expected at least one array, got an empty list")
        rows = np.concatenate([a.reshape(-1, a.shape[-1]) for a in arrays])
        seen = ~np.isnan(rows)
        count = np.maximum(seen.sum(0), 1)
        mean = np.where(seen, rows, 0.0).sum(0) / count
        largest = np.abs(np.where(seen, rows, 0.0)).max(0, initial=0.0)
        # Powers of two change no digit, and keep the squares of the smallest numbers from vanishing.
        unit = np.ldexp(1.0, np.frexp(largest)[1])
        scale = unit * np.sqrt((np.where(seen, (rows - mean) / unit, 0.0) ** 2).sum(0) / count)
        return cls(mean, np.where(scale <= CONSTANT * largest, 1.0, scale))

    def transform(self, values: Any) -> Any:
        """Standardised values; NumPy in, NumPy out, and the same for JAX."""
        mean, scale = self._for(values)
        return (values - mean) / scale

    def inverse(self, values: Any) -> Any:
        """Back to the units of the data."""
        mean, scale = self._for(values)
        return values * scale + mean

    def columns(self, index: Any) -> "Standardizer":
        """The same for a choice of features, such as the targets."""
        return Standardizer(np.atleast_1d(self.mean[index]), np.atleast_1d(self.scale[index]))

    def to_dict(self) -> dict[str, list[float]]:
        """Plain lists for a JSON file; the round trip is exact."""
        return {"mean": self.mean.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Standardizer":
        """The inverse of `to_dict`; raises `DataError` where the content is not that of a standardizer."""
        try:
            mean, scale = (np.asarray(content[k], np.float64) for k in ("mean", "scale"))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"standardizer: expected lists of numbers 'mean' and 'scale' ({error!r})") from error
        if mean.ndim != 1 or mean.shape != scale.shape or not (np.isfinite(mean).all() and np.isfinite(scale).all()):
            got = f"{mean.shape} and {scale.shape}"
            raise DataError(f"standardizer: 'mean' and 'scale' must be finite and (features,) each, got {got}")
        if not (scale > 0).all():
            raise DataError("standardizer: every scale must be above 0")
        return cls(mean, scale)

    def _for(self, values: Any) -> tuple[Any, Any]:
        if values.ndim < 1 or values.shape[-1] != len(self.mean):
            raise ShapeError(f"values: expected (..., {len(self.mean)}), got shape {tuple(values.shape)}")
        dtype = values.dtype if jnp.issubdtype(values.dtype, jnp.inexact) else np.dtype(np.float64)
        shape = (1,) * (values.ndim - 1) + (-1,)
        with np.errstate(over="ignore", under="ignore"):
            mean, scale = self.mean.astype(dtype), self.scale.astype(dtype)
        held = np.isfinite(mean) & np.isfinite(scale) & (scale > 0)
        if not held.all():
            i = int(held.argmin())
            raise NonFiniteError(
                f"values: {dtype} cannot hold mean {self.mean[i]:.5g} and scale {self.scale[i]:.5g} of feature {i}, "
                "expected float64"
            )
        return mean.reshape(shape), scale.reshape(shape)
