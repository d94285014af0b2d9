"""Honest baselines: what any forecaster is printed beside, with the same `fit`, `predict` and `backtest`."""

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import PyTree

from ostinato.data import Series
from ostinato.errors import DataError, LengthError, SettingsError
from ostinato.models.checks import at_least_0, whole
from ostinato.models.forecast.base import ForecastEstimator
from ostinato.models.forecast.calibration import Calibration
from ostinato.models.forecast.features import Features
from ostinato.models.forecast.out_of_sample import calibrated, forward_filled, last_part, repeated
from ostinato.models.forecast.windows import OriginWindows, apply_map, ridge_map

ALL = 1 << 62
"""Rows that are kept where a missing value may send a baseline any way back."""


EVERY_ORDER = 24
"""Autoregressions of up to this order are all tried; of longer ones that order, its half, its quarter, ..."""

LONGEST = 336
"""The longest autoregression that is tried, two weeks of hours, however many rows there are."""

CHOOSING = 0.15
"""The share of the training rows on which their orders are compared."""


class Baseline(ForecastEstimator):
    """Base of baselines, beside which the same baselines stand as beside any other model."""

    def _baselines(self, train: Series, horizon: int, calibrate: bool = True) -> dict[str, ForecastEstimator]:
        return default_baselines(self, train, horizon, calibrate=calibrate)


class Repeating(Baseline):
    """Base of those that repeat what was observed: nothing is fitted, so that their own errors are out of sample."""

    @property
    def _kept(self) -> int:
        return ALL

    def _calibrated(self, series: Series, stops: Sequence[int]) -> Calibration:
        return calibrated(self, series, stops, last_part(stops, self._horizon(None)), self._horizon(None))


class Persistence(Repeating):
    r"""Tomorrow is as today: $\hat y_{o+k} = y_{o-1}$, the last value that was observed.

    ```python
    >>> Persistence(horizon=2).fit([1.0, 2.0, 4.0]).predict().values[0, :, 0].tolist()
    [4.0, 4.0]

    ```
    """

    kind = "persistence"
    checks = whole("horizon")

    def __init__(self, horizon: int = 1):
        self.horizon = horizon

    @property
    def _reach(self) -> int:
        return 1

    def _learn(self, series: Series, stops: Sequence[int]) -> Sequence[str]:
        self.fitted_ = True
        return ()

    def _at(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        return [repeated(t, o, horizon) for t, o in zip(series.target, origins, strict=True)]

    def _take(self, arrays: PyTree[Any]) -> None:
        self.fitted_ = True


class SeasonalNaive(Repeating):
    r"""As one season ago: $\hat y_{o+k} = y_{o+k-m\lceil (k+1)/m \rceil}$, of the last season before the origin.

    `season` is the number of steps m; `None` takes that of the times (`Frequency.season`). A missing value is replaced
    by the one a season before it, as far back as there is one, and then by the last observed.

    Raises `SettingsError` at `fit` where no season is given and the times have none.
    """

    kind = "seasonal-naive"
    checks = whole("horizon")

    def __init__(self, season: int | None = None, horizon: int = 1):
        self.season = season
        self.horizon = horizon

    @property
    def _reach(self) -> int:
        return self.season_

    def _learn(self, series: Series, stops: Sequence[int]) -> Sequence[str]:
        self.season_ = self._season_of(series)
        return ()

    def _season_of(self, series: Series) -> int:
        season = self.season
        if season is None and series.frequency is not None:
            season = series.frequency.season
        if season is None or season < 1:
            raise SettingsError(f"season: expected a number of steps, got {season}; the times do not tell it")
        return season

    def _at(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        back = self.season_ - np.arange(horizon) % self.season_
        result = []
        for target, o in zip(series.target, origins, strict=True):
            known = target.copy()
            for row in range(self.season_, len(known)):
                known[row] = np.where(np.isnan(known[row]), known[row - self.season_], known[row])
            values, last = known[o[:, None] - back], forward_filled(target)[o - 1][:, None]
            result.append(np.where(np.isnan(values), last, values))
        return result

    def _numbers(self) -> dict[str, Any]:
        return {"season": self.season_}

    def _like(self, numbers: dict[str, Any]) -> PyTree[Any]:
        self.season_ = int(numbers["season"])
        return {}


class Mean(Baseline):
    r"""The mean of the training rows of the series; of one not seen in `fit`, the mean of the rows before the origin.

    ```python
    >>> Mean().fit([1.0, 2.0, 6.0]).predict().values.tolist()
    [[[3.0]]]

    ```
    """

    kind = "mean"
    checks = whole("horizon")

    def __init__(self, horizon: int = 1):
        self.horizon = horizon

    @property
    def _reach(self) -> int:
        return 1

    def _learn(self, series: Series, stops: Sequence[int]) -> Sequence[str]:
        means = [observed_mean(t[:n]) for t, n in zip(series.target, stops, strict=True)]
        self.means_ = {name: mean.tolist() for name, mean in zip(series.ids, means, strict=True)}
        return ()

    def _at(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        result = []
        for name, target, o in zip(series.ids, series.target, origins, strict=True):
            if name in self.means_:
                mean = np.broadcast_to(np.array(self.means_[name]), (len(o), target.shape[1]))
            else:
                mean = np.stack([observed_mean(target[:n]) for n in o]) if len(o) else np.zeros((0, target.shape[1]))
            result.append(np.repeat(mean[:, None], horizon, 1))
        return result

    def _numbers(self) -> dict[str, Any]:
        return {"means": self.means_}

    def _like(self, numbers: dict[str, Any]) -> PyTree[Any]:
        self.means_ = {str(name): [float(v) for v in mean] for name, mean in numbers["means"].items()}
        return {}


class LinearAR(Baseline):
    r"""A linear autoregression for each step ahead, by least squares (ridge where asked), with covariates known ahead.

    $$\hat y_{o+k} = \sum_{i=1}^{p} a_{ki}\, y_{o-i} + \sum_f b_{kf}\, z_{o+k,f} + c_k$$

    * `order`: p. `future`, `calendar` (`data.calendar`, e.g. `("yearday:2",)` for two yearly harmonics): the covariates
      z.
    * `subtract_last`: all values are taken relative to $y_{o-1}$, so that the forecast follows the level.
    * `ridge`: $\lambda$ of the penalty $\lambda(|a|^2 + |b|^2)$ on standardised data; 0 is least squares.
    * `scaling`, `log`: as in `Forecaster`; one map serves all series.

    Missing lags count as the mean (as the last value with `subtract_last`).

    ```python
    >>> doubling = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    >>> LinearAR(order=1).fit(doubling).predict().values.round(6).tolist()
    [[[64.0]]]

    ```
    """

    kind = "linear"
    checks = (*whole("order", "horizon"), *at_least_0("ridge"))

    def __init__(
        self,
        order: int = 7,
        horizon: int = 1,
        *,
        future: Sequence[str] = (),
        calendar: Sequence[str] = (),
        subtract_last: bool = False,
        ridge: float = 0.0,
        scaling: str = "series",
        log: bool = False,
    ):
        self.order = order
        self.horizon = horizon
        self.future = future
        self.calendar = calendar
        self.subtract_last = subtract_last
        self.ridge = ridge
        self.scaling = scaling
        self.log = log

    @property
    def _reach(self) -> int:
        return self.order

    def _horizon(self, horizon: int | None) -> int:
        return trained_horizon(super()._horizon(horizon), self.horizon)

    def _learn(self, series: Series, stops: Sequence[int]) -> Sequence[str]:
        self.features_ = Features.fit(series, stops, calendar=self.calendar, log=self.log, scaling=self.scaling)
        origins = [np.arange(self.order, n - self.horizon + 1) for n in stops]
        if not any(len(o) for o in origins):
            raise LengthError(
                f"order {self.order} and horizon {self.horizon} need {self.order + self.horizon} rows, "
                f"the longest series has {max(stops)}"
            )
        source = OriginWindows(
            self.features_.arrays(series), self.features_.layout, self.order, self.horizon, origins, missing=True
        )
        self.map_ = ridge_map(source, subtract_last=self.subtract_last, ridge=self.ridge)
        return ()

    def _at(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        layout, arrays, horizon = self.features_.layout, self.features_.arrays(series), min(horizon, self.horizon)
        result = []
        for i, o in enumerate(origins):
            source = OriginWindows([arrays[i]], layout, self.order, horizon, [o], missing=True)
            rows = source.take(np.arange(len(o)), self.order + horizon)
            lags, ahead = rows.values[:, : self.order, : layout.targets], rows.values[:, self.order :, layout.ahead]
            seen = rows.observed[:, : self.order, : layout.targets]  # pyright: ignore[reportOptionalSubscript]
            A, B, c = (part[:, :horizon] for part in self.map_)
            y = apply_map((A, B, c), lags, ahead, seen, self.subtract_last)
            result.append(self.features_.to_units(y, series, i))
        return result

    def _numbers(self) -> dict[str, Any]:
        return {"features": self.features_.to_dict()}

    def _arrays(self) -> PyTree[Any]:
        return list(self.map_)

    def _like(self, numbers: dict[str, Any]) -> PyTree[Any]:
        self.features_ = Features.from_dict(numbers["features"])
        layout = self.features_.layout
        sizes = ((self.order,), (layout.future,), ())
        return [np.broadcast_to(np.zeros(()), (layout.targets, self.horizon, *size)) for size in sizes]

    def _take(self, arrays: PyTree[Any]) -> None:
        self.map_ = tuple(arrays)


def default_baselines(
    model: Any, train: Series, horizon: int, *, calibrate: bool = True
) -> dict[str, ForecastEstimator]:
    """What is printed beside a model on the same rows, each fitted to the training rows, and to these alone.

    Persistence; seasonal-naive, where a season is set in the model, or the times tell it or the model has found it, and
    the longest series has more; the mean; a linear autoregression with the calendar and the future covariates of the
    model, of the order, up to a quarter of the rows whatever the context of the model, that forecasts
    the end of the training rows best, and of changes from the last value where that does (`best_order`). `calibrate`:
    whether they are to have intervals.
    """
    found: list[ForecastEstimator] = [Persistence(horizon)]
    known = _season_of(model, train)
    if known is not None and known < max(train.history):
        found.append(SeasonalNaive(known, horizon))
    found.append(Mean(horizon))
    options = {k: getattr(model, k) for k in ("future", "calendar", "scaling", "log") if hasattr(model, k)}
    options = {name: value for name, value in options.items() if value != "auto"}
    subtract = getattr(model, "subtract_last", False)
    most = max(min(typical(train.history) // 4, LONGEST), 1)
    linear = LinearAR(most, horizon, ridge=1e-6, **options)
    found.append(best_order(linear, train, (False, True) if subtract == "auto" else (bool(subtract),)))
    name = lambda b: f"linear({b.order})" if isinstance(b, LinearAR) else b.kind
    return {name(b): b.fit(train, calibrate=calibrate) for b in found}


def _season_of(model: Any, train: Series) -> int | None:
    """The season that is set, else that of the times, else the first that the model tried."""
    given = getattr(model, "season", None)
    if isinstance(given, int):
        return given
    if train.frequency is not None and train.frequency.season is not None:
        return train.frequency.season
    tried = getattr(model, "chosen_", {}).get("seasons", ())
    return tried[0] if tried and given == "auto" else None


def best_order(linear: LinearAR, train: Series, relative: Sequence[bool] | None = None) -> LinearAR:
    """The autoregression of the order that forecasts the last rows best: one that is too long is no honest baseline.

    Orders up to that of `linear` are compared on the last 15 % of the rows, by models fitted to the rows before: all of
    them up to 24, of longer ones that order, its half, its quarter, and so on; `relative`: with which values of
    `subtract_last`, by default its own.
    """
    most = linear.order
    orders = range(1, most + 1) if most <= EVERY_ORDER else [most // 2**k for k in range(most.bit_length())]
    errors: dict[tuple[int, bool], float] = {}
    for last in (linear.subtract_last,) if relative is None else relative:
        for order in orders:
            # Too few rows for this order, or nothing but one value in those before the last.
            with contextlib.suppress(LengthError, DataError):
                tried = linear._blank().set_params(order=order, subtract_last=last)
                test = tried.backtest(train, CHOOSING, refit="once", level=(), baselines={})
                errors[order, last] = test.mse(test.model)
    order, last = min(errors, key=errors.__getitem__, default=(most, linear.subtract_last))
    return linear._blank().set_params(order=order, subtract_last=last)


def typical(rows: Sequence[int]) -> int:
    """The median number of rows of the series that have any: a few short ones do not decide for all."""
    return int(np.median([n for n in rows if n] or [0]))


def observed_mean(values: np.ndarray) -> np.ndarray:
    """The mean of each column without its missing values; NaN of a column that has none else."""
    seen = ~np.isnan(values)
    count = seen.sum(0)
    return np.where(count > 0, np.where(seen, values, 0).sum(0) / np.maximum(count, 1), np.nan)


def trained_horizon(horizon: int, trained: int) -> int:
    """The horizon itself; raises `LengthError` where it is longer than what was trained."""
    if horizon > trained:
        raise LengthError(
            f"horizon: fitted for {trained} steps ahead, {horizon} asked for; fit with horizon={horizon}, or a "
            "Forecaster with mode='recursive'"
        )
    return horizon
