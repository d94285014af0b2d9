"""Forecasts that add up: reconciliation of a hierarchy, bottom-up and by minimum trace."""

from typing import Any

import numpy as np

from ostinato.errors import SettingsError, ShapeError

METHODS = ("bottom-up", "ols", "wls", "mint")


def reconcile(
    forecasts: np.ndarray, summing: np.ndarray, method: str = "mint", errors: np.ndarray | None = None
) -> np.ndarray:
    r"""Forecasts that agree with sums over a hierarchy, nearest to those given (Wickramasuriya et al. 2019, MinT).

    $$\tilde y = S\,(S^\top W^{-1} S)^{-1} S^\top W^{-1}\,\hat y$$

    * `forecasts (series, ...)`: one row for each series of the hierarchy; further axes, such as steps ahead, are
      reconciled each by itself. `summing (series, bottom)`: S, which series is the sum of which bottom ones; its last
      rows are those of the bottom.
    * `method`: `"bottom-up"` sums the bottom forecasts; `"ols"`: W = I; `"wls"`: the variances of the errors; `"mint"`:
      their covariance, shrunk towards its diagonal as far as their number asks (Schäfer and Strimmer 2005).
    * `errors (n, series)`: out of sample, one step ahead, a column for each series; for the last two methods. A
      Calibration has them as `errors[:, 0]`.

    Raises `SettingsError` (another method, errors that are missing), `ShapeError`.

    ```python
    >>> S = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    >>> said = np.array([9.0, 4.0, 2.0])
    >>> reconcile(said, S, "bottom-up").tolist(), reconcile(said, S, "ols").round(6).tolist()
    ([6.0, 4.0, 2.0], [8.0, 5.0, 3.0])

    ```
    """
    series, bottom = summing.shape
    if method not in METHODS:
        raise SettingsError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    if len(forecasts) != series:
        raise ShapeError(f"forecasts: expected ({series}, ...), a row for each of summing, got {forecasts.shape}")
    if not np.array_equal(summing[series - bottom :], np.eye(bottom)):
        raise ShapeError("summing: expected the bottom series in its last rows, in their order")
    flat = forecasts.reshape(series, -1)
    if method == "bottom-up":
        return (summing @ flat[series - bottom :]).reshape(forecasts.shape)
    weight = np.eye(series)
    if method != "ols":
        weight = _covariance(errors, series, method)
    inner = np.linalg.solve(weight, summing)
    base = np.linalg.lstsq(summing.T @ inner, inner.T @ flat, rcond=None)[0]
    return (summing @ base).reshape(forecasts.shape)


def _covariance(errors: Any, series: int, method: str) -> np.ndarray:
    if errors is None:
        raise SettingsError(f"errors: {method} needs errors out of sample, (n, {series})")
    if errors.ndim != 2 or errors.shape[1] != series:
        raise ShapeError(f"errors: expected (n, {series}), got {errors.shape}")
    e = errors[~np.isnan(errors).any(1)]
    if len(e) < 3:
        raise SettingsError(f"errors: expected 3 rows or more without a missing value, got {len(e)}")
    variance = np.mean(e**2, 0)
    variance = np.where(variance > 0, variance, variance.max(initial=0) * 1e-6 + 1e-12)
    if method == "wls":
        return np.diag(variance)
    unit = e / np.sqrt(variance)
    correlation = unit.T @ unit / len(e)
    noise = ((unit[:, :, None] * unit[:, None] - correlation) ** 2).sum(0) / (len(e) * (len(e) - 1))
    off = ~np.eye(series, dtype=bool)
    total = (correlation[off] ** 2).sum()
    shrink = float(np.clip(noise[off].sum() / total, 0, 1)) if total > 0 else 1.0
    shrunk = np.where(off, (1 - shrink) * correlation, 1.0)
    return shrunk * np.sqrt(np.outer(variance, variance))
