r"""How wrong a forecaster was out of sample, and the intervals that follow: split conformal prediction.

Vovk, Gammerman and Shafer 2005; Lei et al. 2018 (the split form); Gibbs and Candès 2021 (adaptive).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from ostinato.errors import SettingsError, ShapeError

LEVEL = (80.0, 95.0)
"""The levels of the intervals, in percent, where none are asked for."""

ENOUGH = 100
"""So many errors of one step ahead stand for themselves; fewer are pooled with those of the steps beside it."""

FEWEST = 3.0
"""The least number of independent errors that is assumed, so that one error does not make an interval endless."""


Judge = Callable[[np.ndarray, np.ndarray, np.ndarray, int, int], np.ndarray]
"""From errors over their scale, their series, shares, a horizon and a stride: `(horizon, targets, shares)`."""


@dataclass(frozen=True)
class Calibration:
    r"""Out-of-sample errors of a forecaster, and the conformal intervals that they give.

    * `errors (origins, horizon, targets)`: truth less forecast in the units of the data, NaN where the truth is missing
      or lies after the data; with `log` the logarithm of truth over forecast. In the order of time within a series.
    * `series (origins,)`: the number of the series in `ids`; `scales (ids, targets)`: the size by which the errors of a
      series are divided before those of several are put together (`change_scale`).
    * `stride`: how many rows lie between neighbouring origins.

    **The interval** of a step ahead k is $\hat y_k \pm s\,q_k$ with s the scale of the series and $q_k$ the
    $\lceil (n + 1) \tau \rceil$-th smallest of the n values $|e_k| / s$, so that a truth that is exchangeable with the
    errors lies inside with probability $\tau$ at least. Errors at neighbouring origins overlap: n is the number of
    independent ones that would say as much, $n / (1 + 2 \sum_{i < k} \rho_i^2)$ with the autocorrelations $\rho_i$ of
    the errors. Where that rank is above n, $q_k$ is the quantile of Student's t with n degrees of freedom times the
    root mean square error and $\sqrt{1 + 1/n}$, or the largest error, where that is more.

    A series with 100 errors or more at a step is judged by its own; otherwise those of all series are put together, and
    where they are fewer than 100 also those of the steps beside it, each divided by the size of errors at its step.
    That size does not fall with k (isotonic regression); beyond the last step with an error it grows as $\sqrt{k}$.

    ```python
    >>> truth, said = np.arange(1.0, 200.0)[:, None, None], np.zeros((199, 1, 1))
    >>> found = Calibration.of(truth, said, np.zeros(199, int), ("a",))
    >>> low, high = found.intervals(np.zeros((1, 1, 1)), (90,), ("a",))
    >>> float(low[0, 0, 0, 0]), float(high[0, 0, 0, 0])
    (-180.0, 180.0)

    ```
    """

    errors: np.ndarray
    series: np.ndarray
    ids: tuple[str, ...]
    scales: np.ndarray
    log: bool = False
    stride: int = 1

    def __post_init__(self) -> None:
        count, _, targets = self.errors.shape
        if self.series.shape != (count,) or self.scales.shape != (len(self.ids), targets):
            raise ShapeError(
                f"calibration: expected series ({count},) and scales ({len(self.ids)}, {targets}), got "
                f"{self.series.shape} and {self.scales.shape}"
            )

    @classmethod
    def of(
        cls,
        truth: np.ndarray,
        forecasts: np.ndarray,
        series: np.ndarray,
        ids: Sequence[str],
        scales: np.ndarray | None = None,
        *,
        log: bool = False,
    ) -> "Calibration":
        """From forecasts `(origins, horizon, targets)` of rows that the model was not fitted to, and what came.

        `scales`: by default 1, which suits one series. Forecasts and truths that are not positive give no error where
        it is taken with `log`.
        """
        errors = errors_of(truth, forecasts, log)
        size = np.ones((len(ids), truth.shape[-1])) if scales is None else np.asarray(scales, float)
        return cls(errors, np.asarray(series, int), tuple(ids), size, log)

    @property
    def horizon(self) -> int:
        return self.errors.shape[1]

    @property
    def relative(self) -> np.ndarray:
        """The errors over the scale of their series, `(origins, horizon, targets)`."""
        return self.errors / self.scales[self.series][:, None]

    def intervals(
        self, values: np.ndarray, levels: Sequence[float], ids: Sequence[str], scales: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends `(n, horizon, targets, levels)` around forecasts `(n, horizon, targets)`.

        `levels` in percent; `ids`: the series of each forecast; one that is not known has the scale in `scales (n,
        targets)`, or 1. Raises `SettingsError` for a level that is not between 1 and 100.
        """
        half = self._spread(values, checked_levels(levels), ids, scales, _widths)
        return shifted(values[..., None], -half, self.log), shifted(values[..., None], half, self.log)

    def quantiles(
        self, values: np.ndarray, shares: Sequence[float], ids: Sequence[str], scales: np.ndarray | None = None
    ) -> np.ndarray:
        """The same as quantiles `(n, horizon, targets, shares)` of forecast plus error, with their signs."""
        return shifted(values[..., None], self._spread(values, np.array(shares), ids, scales, _offsets), self.log)

    def _spread(
        self, values: np.ndarray, shares: np.ndarray, ids: Sequence[str], scales: np.ndarray | None, judge: Judge
    ) -> np.ndarray:
        """What `judge` finds for each forecast, in the units of its series."""
        size = {name: self.scales[i] for i, name in enumerate(self.ids)}
        own = np.ones((len(ids), values.shape[-1])) if scales is None else scales
        found: dict[str, np.ndarray] = {}
        for name in dict.fromkeys(ids):
            rows = self._rows(name, values.shape[1])
            key = "" if rows is None else name
            if key not in found:
                errors, series = (
                    (self.relative, self.series) if rows is None else (self.relative[rows], self.series[rows])
                )
                found[key] = judge(errors, series, shares, values.shape[1], self.stride)
            found[name] = found[key]
        parts = [found[name] * size.get(name, own[i])[:, None] for i, name in enumerate(ids)]
        return np.stack(parts) if parts else np.zeros((*values.shape, len(shares)))

    def _rows(self, name: str, horizon: int) -> np.ndarray | None:
        """The rows of a series that has enough errors of its own at each step; None: those of all."""
        if len(self.ids) == 1 or name not in self.ids or horizon > self.horizon:
            return None
        own = self.series == self.ids.index(name)
        return own if ((~np.isnan(self.errors[own])).sum(0) >= ENOUGH).all() else None

    def numbers(self) -> dict[str, Any]:
        """What is not an array, as plain values for a file, with the shapes of what is."""
        shapes = {"errors": list(self.errors.shape), "series": list(self.series.shape)}
        return {
            "ids": list(self.ids),
            "log": self.log,
            "stride": self.stride,
            "shapes": shapes | {"scales": list(self.scales.shape)},
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name, for a file."""
        return {"errors": self.errors, "series": self.series.astype(np.int64), "scales": self.scales}

    @staticmethod
    def like(numbers: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The structure of `arrays`, without memory of their size."""
        kinds = {"series": np.int64}
        zero = lambda name: np.zeros((), kinds.get(name, np.float64))
        return {name: np.broadcast_to(zero(name), shape) for name, shape in numbers["shapes"].items()}

    @classmethod
    def from_file(cls, numbers: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> "Calibration":
        """The inverse of `numbers` and `arrays`."""
        plain = {name: np.asarray(arrays[name]) for name in ("errors", "series", "scales")}
        ids = tuple(str(name) for name in numbers["ids"])
        return cls(**plain, ids=ids, log=bool(numbers["log"]), stride=int(numbers["stride"]))


def checked_levels(levels: Sequence[float]) -> np.ndarray:
    """Levels in percent as shares. Raises `SettingsError` unless each lies between 0 and 100, and is not below 1.

    ```python
    >>> checked_levels((80, 97.5)).tolist()
    [0.8, 0.975]

    ```
    """
    for level in levels:
        if isinstance(level, bool) or not isinstance(level, int | float) or not 1 <= level < 100:
            raise SettingsError(f"level: expected percent from 1 to below 100, such as 80, got {level!r}")
    return np.array([level / 100 for level in levels], float)


def errors_of(truth: np.ndarray, forecasts: np.ndarray, log: bool) -> np.ndarray:
    """Truth less forecast; with `log` the logarithm of their ratio, NaN where one of them is not positive."""
    if not log:
        return truth - forecasts
    there = (truth > 0) & (forecasts > 0)
    return np.where(there, np.log(np.where(there, truth, 1.0)) - np.log(np.where(there, forecasts, 1.0)), np.nan)


def shifted(values: Any, by: Any, log: bool) -> np.ndarray:
    """Forecasts plus errors; with `log` times their exponential."""
    return values * np.exp(by) if log else values + by


def change_scale(target: np.ndarray, log: bool = False) -> np.ndarray:
    r"""The size of each column of `(time, targets)`: the root mean square of its changes from row to row.

    With `log` of its logarithm, without what is not positive. Where nothing changes, the standard deviation, and 1
    where that is 0 as well.
    """
    if log:
        target = np.log(np.where(target > 0, target, np.nan))
    changes = np.diff(target, axis=0)
    seen = ~np.isnan(changes)
    size = np.sqrt(np.where(seen, changes**2, 0).sum(0) / np.maximum(seen.sum(0), 1))
    there = ~np.isnan(target)
    mean = np.where(there, target, 0).sum(0) / np.maximum(there.sum(0), 1)
    spread = np.sqrt(np.where(there, (target - mean) ** 2, 0).sum(0) / np.maximum(there.sum(0), 1))
    size = np.where(size > 0, size, spread)
    return np.where(size > 0, size, 1.0)


def conformal(sizes: np.ndarray, share: float, count: float) -> float:
    r"""The conformal quantile of absolute errors of which so many are independent.

    The $\lceil (n + 1) \tau \rceil / n$ quantile where that is at most 1, else that of Student's t, or the largest.

    ```python
    >>> conformal(np.arange(1.0, 10.0), 0.9, 9.0), round(conformal(np.ones(4), 0.9, 4.0), 3)
    (9.0, 2.383)

    ```
    """
    if not len(sizes):
        return float("nan")
    rank = np.ceil(round((count + 1) * share, 9)) / count
    if rank <= 1:
        return float(np.quantile(sizes, rank, method="inverted_cdf"))
    beyond = special.stdtrit(count, (1 + share) / 2) * np.sqrt(np.mean(sizes**2) * (1 + 1 / count))
    return float(max(beyond, sizes.max()))


def ranked(ordered: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """`conformal` of independent errors `(n, horizon, targets)` in order, NaN last; shares `(horizon, targets, m)`."""
    count = (~np.isnan(ordered)).sum(0)[..., None]
    some = np.maximum(count, 1)
    rank = np.ceil(np.round((some + 1) * shares, 9)).astype(int)
    within = np.take_along_axis(np.moveaxis(ordered, 0, -1), np.clip(rank, 1, some) - 1, -1)
    power = np.nansum(ordered**2, 0)[..., None] / some
    beyond = special.stdtrit(some, (1 + shares) / 2) * np.sqrt(power * (1 + 1 / some))
    return np.where(rank <= some, within, np.maximum(beyond, within))


def independent(errors: np.ndarray, series: np.ndarray, lags: int) -> float:
    r"""How many independent errors say as much as these: $n / (1 + 2 \sum_{i=1}^{lags} \rho_i^2)$.

    ```python
    >>> independent(np.array([1.0, -1.0, 1.0, 1.0, -1.0]), np.zeros(5, int), 0)
    5.0

    ```
    """
    seen = ~np.isnan(errors)
    count = float(seen.sum())
    filled = np.where(seen, errors, 0.0)
    power = float(np.sum(filled**2)) / max(count, 1.0)
    total = 1.0
    for lag in range(1, min(lags, len(errors) - 1) + 1):
        both = seen[lag:] & seen[:-lag] & (series[lag:] == series[:-lag])
        if both.any() and power > 0:
            rho = float(np.sum((filled[lag:] * filled[:-lag])[both])) / both.sum() / power
            total += 2 * min(rho**2, 1.0)
    return max(count / total, min(FEWEST, count), 1.0)


def _widths(relative: np.ndarray, series: np.ndarray, shares: np.ndarray, horizon: int, stride: int) -> np.ndarray:
    """Half widths `(horizon, targets, shares)` from errors over their scale."""

    def judge(pooled: np.ndarray, alone: np.ndarray, steps: int) -> np.ndarray:
        count = independent(alone, series, -(-steps // stride))
        return np.array([conformal(np.abs(pooled), float(share), count) for share in shares])

    return _by_step(relative, len(shares), horizon, judge)


def _offsets(relative: np.ndarray, series: np.ndarray, shares: np.ndarray, horizon: int, stride: int) -> np.ndarray:
    """Quantiles `(horizon, targets, shares)` of errors over their scale."""
    del series, stride
    return _by_step(relative, len(shares), horizon, lambda pooled, alone, steps: np.quantile(pooled, shares))


def _by_step(relative: np.ndarray, count: int, horizon: int, judge: Callable[..., np.ndarray]) -> np.ndarray:
    """`judge(pooled, alone, k)` of the errors of step k with those beside it, and of its own alone."""
    known, targets = relative.shape[1:]
    found = np.full((horizon, targets, count), np.nan)
    for j in range(targets):
        errors = relative[:, :, j]
        there = (~np.isnan(errors)).sum(0)
        if not there.any():
            continue
        size = _growth(errors, there)
        for k in range(horizon):
            at = min(k, known - 1)
            near = _neighbours(there, at)
            pooled = (errors / size)[:, near]
            alone = errors[:, at] if there[at] else errors[:, near[0]]
            beyond = size[at] * np.sqrt((k + 1) / (at + 1))
            found[k, j] = beyond * judge(pooled[~np.isnan(pooled)], alone, at)
    return found


def _neighbours(count: np.ndarray, at: int) -> np.ndarray:
    """The steps around one, as few as hold enough errors."""
    for reach in range(len(count)):
        near = np.arange(max(at - reach, 0), min(at + reach, len(count) - 1) + 1)
        near = near[count[near] > 0]
        if count[near].sum() >= ENOUGH:
            return near
    return np.flatnonzero(count)


def _growth(errors: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The size of errors at each step: root of isotonic mean squares, growing as the root of k after the last known."""
    known = np.flatnonzero(count)
    square = np.where(np.isnan(errors), 0, errors**2).sum(0)[known] / count[known]
    smooth = square if count[known].min() >= ENOUGH and len(known) == len(count) else _rising(square, count[known])
    steps = np.arange(len(count))
    found = np.interp(steps, known, smooth)
    found = np.where(steps > known[-1], smooth[-1] * (steps + 1) / (known[-1] + 1), found)
    return np.sqrt(np.where(found > 0, found, 1.0))


def _rising(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The rising sequence with the least weighted squared distance (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        blocks.append((value, float(weight), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, wa, na), (b, wb, nb) = blocks[-2], blocks.pop()
            blocks[-1] = ((a * wa + b * wb) / (wa + wb), wa + wb, na + nb)
    return np.concatenate([np.full(n, value) for value, _, n in blocks])
