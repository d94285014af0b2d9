r"""How wrong a forecaster was out of sample, and the intervals that follow: split conformal prediction.

Vovk, Gammerman and Shafer 2005; Lei et al. 2018 (the split form); Gibbs and Candès 2021 (adaptive).
"""

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True)
class Calibration:
    r"""Out-of-sample errors of a forecaster, and the conformal intervals that they give.

    * `errors (origins, horizon, targets)`: truth less forecast in the units of the data, NaN where the truth is missing
      or lies after the data; with `log` the logarithm of truth over forecast. In the order of time within a series.
    * `series (origins,)`: the number of the series in `ids`; `scales (ids, targets)`: the size by which the errors of a
      series are divided before those of several are put together (`change_scale`).

    **The interval** of a step ahead k is $\hat y_k \pm s\,q_k$ with s the scale of the series and $q_k$ the
    $\lceil (n + 1) \tau \rceil$-th smallest of the n values $|e_k| / s$, so that a truth that is exchangeable with the
    errors lies inside with probability $\tau$ at least. Errors at neighbouring origins overlap: n is the number of
    independent ones that would say as much, $n / (1 + 2 \sum_{i < k} \rho_i^2)$ with the autocorrelations $\rho_i$ of
    the errors. Where that rank is above n, $q_k$ is the quantile of Student's t with n degrees of freedom times the
    root mean square error and $\sqrt{1 + 1/n}$.

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

    def half_widths(self, levels: Sequence[float], horizon: int) -> Mapping[str, np.ndarray]:
        """For each series, and as `""` for one that is not known, `(horizon, targets, levels)` in units of its scale.

        `levels` in percent. Raises `SettingsError` for a level that is not between 0 and 100.
        """
        shares = checked_levels(levels)
        sizes, together = np.abs(self.relative), _widths(self.relative, self.series, shares, horizon)
        found = {"": together}
        for i, name in enumerate(self.ids):
            own = self.series == i
            many = (~np.isnan(sizes[own])).sum(0).min(initial=0) >= ENOUGH if horizon <= self.horizon else False
            alone = len(self.ids) == 1 or not many
            found[name] = together if alone else _widths(self.relative[own], self.series[own], shares, horizon)
        return found

    def intervals(
        self, values: np.ndarray, levels: Sequence[float], ids: Sequence[str], scales: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends `(n, horizon, targets, levels)` around forecasts `(n, horizon, targets)`.

        `ids`: the series of each forecast; one that is not known has the scale in `scales (n, targets)`, or 1.
        """
        found = self.half_widths(levels, values.shape[1])
        own = np.ones((len(ids), values.shape[-1])) if scales is None else scales
        size = {name: self.scales[i] for i, name in enumerate(self.ids)}
        widths = [found.get(name, found[""]) * size.get(name, own[i])[None, :, None] for i, name in enumerate(ids)]
        half = np.stack(widths) if widths else np.zeros((*values.shape, len(levels)))
        return around(values[..., None], half, self.log)

    def numbers(self) -> dict[str, Any]:
        """What is not an array, as plain values for a file, with the shapes of what is."""
        shapes = {"errors": list(self.errors.shape), "series": list(self.series.shape)}
        return {"ids": list(self.ids), "log": self.log, "shapes": shapes | {"scales": list(self.scales.shape)}}

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
        return cls(**plain, ids=tuple(str(name) for name in numbers["ids"]), log=bool(numbers["log"]))


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


def around(values: np.ndarray, half: np.ndarray, log: bool) -> tuple[np.ndarray, np.ndarray]:
    """The ends of intervals around forecasts; with `log` of a factor up and down."""
    if log:
        return values * np.exp(-half), values * np.exp(half)
    return values - half, values + half


def change_scale(target: np.ndarray) -> np.ndarray:
    r"""The size of each column of `(time, targets)`: the root mean square of its changes from row to row.

    Where nothing changes, the standard deviation, and 1 where that is 0 as well.
    """
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

    The $\lceil (n + 1) \tau \rceil / n$ quantile where that is at most 1, else that of Student's t.

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
    return float(special.stdtrit(count, (1 + share) / 2) * np.sqrt(np.mean(sizes**2) * (1 + 1 / count)))


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


def _widths(relative: np.ndarray, series: np.ndarray, shares: np.ndarray, horizon: int) -> np.ndarray:
    """Half widths `(horizon, targets, levels)` from errors over their scale."""
    _, known, targets = relative.shape
    found = np.full((horizon, targets, len(shares)), np.nan)
    for j in range(targets):
        errors = relative[:, :, j]
        count = (~np.isnan(errors)).sum(0)
        if not count.any():
            continue
        size = _growth(errors, count)
        unit = np.abs(errors) / size
        for k in range(horizon):
            at = min(k, known - 1)
            near = _neighbours(count, at)
            values = unit[:, near][~np.isnan(unit[:, near])]
            alone = errors[:, at] if count[at] else errors[:, near[0]]
            n = independent(alone, series, at)
            beyond = np.sqrt((k + 1) / (at + 1))
            for q, share in enumerate(shares):
                found[k, j, q] = size[at] * beyond * conformal(values, float(share), n)
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
