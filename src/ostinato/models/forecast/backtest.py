"""A backtest: what each model would have said at many origins, held against what came."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from ostinato.models import measures
from ostinato.models.comparison import PairedTest, block_bootstrap, sign_flip, summed
from ostinato.models.forecast.figures import by_horizon, place, residuals, stretch
from ostinato.models.verdicts import verdict
from ostinato.view import Figure, Table, section


class Scale(NamedTuple):
    """What the training rows of each series were like, `(series, targets)` each: the units of scaled errors.

    `absolute` and `squared`: mean absolute and mean squared change over the season (`measures.naive_errors`).
    """

    mean: np.ndarray
    deviation: np.ndarray
    absolute: np.ndarray
    squared: np.ndarray

    @classmethod
    def of(cls, histories: Sequence[np.ndarray], season: int = 1) -> "Scale":
        """From the rows `(time, targets)` of each series; where it is not longer than a season, from step to step."""
        naive = [measures.naive_errors(h, season if len(h) > season else 1) for h in histories]
        mean, deviation = (np.stack(parts) for parts in zip(*(_moments(h) for h in histories), strict=True))
        absolute, squared = (np.stack(parts) for parts in zip(*naive, strict=True))
        return cls(mean, deviation, absolute, squared)


@dataclass(frozen=True)
class Backtest:
    """Forecasts of several models at the same origins, beside the truth, in the units of the data.

    * `truth`: `(origins, horizon, targets)`, NaN where it is missing; left out of all errors.
    * `forecasts`: by model, the same shape; `quantiles`: for models that give them, with one more axis.
    * `intervals`: by model that has them, `(origins, horizon, targets, level, 2)`, lower and upper ends; `level` in
      percent. `crps`: by model, the continuous ranked probability score of forecast plus calibrated error.
    * `series`, `origins`: `(origins,)`, the number of the series and the row of the first step forecast.
    * `times`: `(origins, horizon)`, as the clocks of the file show them, where there is time.
    * `scale`: of the training rows, for MASE, RMSSE and standardised figures.
    * `notes`: series that are left out, in words.

    The first model is the one that was tested.

    ```python
    >>> truth = np.array([[[1.0]], [[3.0]]])
    >>> test = Backtest(truth, {"mine": truth + 1, "persistence": truth + 2}, np.zeros(2, int), np.arange(2), ("x",))
    >>> test.rmse("mine"), test.skill("mine"), test.against("persistence").shows
    (1.0, 0.75, False)

    ```
    """

    truth: np.ndarray
    forecasts: dict[str, np.ndarray]
    series: np.ndarray
    origins: np.ndarray
    target_names: tuple[str, ...]
    times: np.ndarray | None = None
    levels: tuple[float, ...] = ()
    quantiles: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    level: tuple[float, ...] = ()
    intervals: dict[str, np.ndarray] = field(default_factory=dict)
    crps: dict[str, float] = field(default_factory=dict)
    scale: Scale | None = None

    @property
    def model(self) -> str:
        """The name of the model that was tested."""
        return next(iter(self.forecasts))

    @property
    def horizon(self) -> int:
        return self.truth.shape[1]

    def mse(self, name: str) -> float:
        """Mean squared error over all origins, steps and targets."""
        return measures.mse(self.truth.ravel(), self.forecasts[name].ravel())

    def rmse(self, name: str) -> float:
        """Root of the mean squared error."""
        return measures.rmse(self.truth.ravel(), self.forecasts[name].ravel())

    def mae(self, name: str) -> float:
        """Mean absolute error."""
        return measures.mae(self.truth.ravel(), self.forecasts[name].ravel())

    def smape(self, name: str) -> float:
        """Symmetric mean absolute percentage error, 0 to 200 (`measures.smape`)."""
        return measures.smape(self.truth.ravel(), self.forecasts[name].ravel())

    def mase(self, name: str) -> float:
        """MAE of each series and target over that of the season before in its training rows; the mean of these."""
        error, count = self._by_series(np.abs(self.truth - self.forecasts[name]))
        return self._scaled(error / np.maximum(count, 1), count, "absolute")

    def rmsse(self, name: str) -> float:
        """The same with root mean squares."""
        error, count = self._by_series((self.truth - self.forecasts[name]) ** 2)
        return float(np.sqrt(self._parts(error / np.maximum(count, 1), count, "squared")).mean())

    def standardised(self) -> "Backtest":
        """The same in units of the deviation of the training rows of each series, from their mean."""
        scale = self._scale()
        mean, deviation = (part[self.series][:, None] for part in (scale.mean, scale.deviation))
        change = lambda a: (a - wide(mean, a)) / wide(deviation, a)
        wide = lambda part, a: part.reshape(*part.shape, *[1] * (a.ndim - part.ndim))
        return replace(
            self,
            truth=change(self.truth),
            forecasts={name: change(y) for name, y in self.forecasts.items()},
            quantiles=None if self.quantiles is None else change(self.quantiles),
            intervals={name: change(ends) for name, ends in self.intervals.items()},
            crps={},
            scale=Scale(
                np.zeros_like(scale.mean),
                np.ones_like(scale.mean),
                scale.absolute / scale.deviation,
                scale.squared / scale.deviation**2,
            ),
        )

    def by_horizon(self, name: str, measure: str = "rmse") -> np.ndarray:
        """The error at each step ahead, `(horizon,)`; `measure` is `"rmse"` or `"mae"`."""
        steps = zip(np.moveaxis(self.truth, 1, 0), np.moveaxis(self.forecasts[name], 1, 0), strict=True)
        judge = measures.mae if measure == "mae" else measures.rmse
        return np.array([judge(truth.ravel(), said.ravel()) for truth, said in steps])

    def skill(self, name: str, against: str = "persistence") -> float:
        """1 - MSE / MSE of another model: 1 is perfect, 0 no better, below 0 worse."""
        other = self.mse(against)
        return 1.0 - self.mse(name) / other if other > 0 else (0.0 if self.mse(name) == 0 else -np.inf)

    def against(self, name: str) -> PairedTest:
        """Whether the squared errors of the tested model and of another differ by more than chance.

        A block bootstrap over the times of the origins, each with the errors of all series, horizons and targets; the
        blocks span the horizon at least. Where there are more series than times, a permutation test over the series.
        """
        square = lambda model: np.square(self.truth - self.forecasts[model])
        apart = np.nansum(square(self.model) - square(name), axis=(1, 2))
        times = self.origins if self.times is None else self.times[:, 0]
        moments = np.unique(times)
        if len(np.unique(self.series)) > len(moments):
            return sign_flip(summed(apart, self.series), "series")
        return block_bootstrap(summed(apart, times), -(-self.horizon // self._step))

    @property
    def _step(self) -> int:
        """Rows from an origin to the next."""
        same = self.series[1:] == self.series[:-1]
        return int(np.diff(self.origins)[same].min(initial=self.horizon)) or 1

    def pinball(self) -> float:
        """The mean pinball loss of the tested model's quantiles."""
        return measures.pinball(self.truth, self._quantiles(), self.levels)

    def shares_below(self) -> dict[float, float]:
        """For each quantile the fraction of truths that lie at or below it; calibrated where both agree."""
        below = np.where(np.isnan(self.truth)[..., None], np.nan, self.truth[..., None] <= self._quantiles())
        return {level: float(np.nanmean(below[..., q])) for q, level in enumerate(self.levels)}

    def coverage(self, name: str | None = None) -> dict[float, float]:
        """For each `level` the share of truths inside the interval of a model, by default of the tested one."""
        ends = self._ends(name)
        return {
            level: measures.coverage(self.truth, ends[..., q, 0], ends[..., q, 1]) for q, level in enumerate(self.level)
        }

    def coverage_by_horizon(self, level: float, name: str | None = None) -> np.ndarray:
        """The same at each step ahead, `(horizon,)`, of one level."""
        ends, q = self._ends(name), self.level.index(level)
        steps = range(self.horizon)
        return np.array([measures.coverage(self.truth[:, k], *np.moveaxis(ends[:, k, :, q], -1, 0)) for k in steps])

    def interval_score(self, name: str | None = None) -> dict[float, float]:
        """For each `level` the mean interval score of a model, by default of the tested one; less is better."""
        ends = self._ends(name)
        return {
            level: measures.interval_score(self.truth, ends[..., q, 0], ends[..., q, 1], level)
            for q, level in enumerate(self.level)
        }

    def metrics(self) -> dict[str, dict[str, float]]:
        """RMSE, MAE, sMAPE and, as far as they are known, skill, MASE, RMSSE and CRPS of each model."""
        table = {n: {"rmse": self.rmse(n), "mae": self.mae(n), "smape": self.smape(n)} for n in self.forecasts}
        for name, row in table.items():
            if "persistence" in self.forecasts:
                row["skill"] = self.skill(name)
            if self.scale is not None:
                row |= {"mase": self.mase(name), "rmsse": self.rmsse(name)}
            if name in self.crps:
                row["crps"] = self.crps[name]
        return table

    def verdict(self) -> str:
        """In words, whether the model is better than its baselines; see `models.verdicts`."""
        errors = {name: self.rmse(name) for name in self.forecasts}
        tests = {name: self.against(name) for name in self.forecasts if name != self.model}
        return verdict(self.model, errors, tests, "RMSE")

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain values for JSON."""
        return {
            "metrics": self.metrics(),
            "rmse_by_horizon": {name: self.by_horizon(name).tolist() for name in self.forecasts},
            "mae_by_horizon": {name: self.by_horizon(name, "mae").tolist() for name in self.forecasts},
            "origins": len(self.origins),
            "verdict": self.verdict(),
            **({"pinball": self.pinball(), "below": self.shares_below()} if self.quantiles is not None else {}),
            "coverage": {name: self.coverage(name) for name in self.intervals},
            "interval_score": {name: self.interval_score(name) for name in self.intervals},
            **({} if self.scale is None else {"standardised": _plain_errors(self.standardised())}),
        }

    def plot(self) -> Figure:
        """A stretch of forecasts beside the truth, errors by horizon, residuals: a figure for a notebook or a file."""
        others = sorted((name for name in self.forecasts if name != self.model), key=place)
        errors = [by_horizon(self, others)] if self.horizon > 1 else []
        return Figure(stretch(self, others), *errors, *residuals(self))

    def _repr_html_(self) -> str:
        rows = self.metrics()
        names = list(dict.fromkeys(name for row in rows.values() for name in row))
        table = tuple((model, *(row.get(name) for name in names)) for model, row in rows.items())
        return Figure(section("Backtest", Table(("", *names), table, (0,)), self.verdict()))._repr_html_()

    def __repr__(self) -> str:
        origins = f"{len(self.origins)} origins of {self.horizon} step{'s' if self.horizon > 1 else ''}"
        return f"Backtest({self.model} beside {len(self.forecasts) - 1} others, {origins})"

    def __str__(self) -> str:
        width = max(len(name) for name in self.forecasts)
        lines = [f"{'':{width}}  {'RMSE':>10} {'MAE':>10} {'skill':>8}"]
        for name, row in self.metrics().items():
            skill = f"{row['skill']:8.3f}" if "skill" in row else ""
            lines.append(f"{name:{width}}  {row['rmse']:10.5g} {row['mae']:10.5g} {skill}")
        return "\n".join([*lines, self.verdict()])

    def _quantiles(self) -> np.ndarray:
        if self.quantiles is None:
            raise ValueError(f"{self.model}: fitted without quantiles")
        return self.quantiles

    def _ends(self, name: str | None) -> np.ndarray:
        name = self.model if name is None else name
        if name not in self.intervals:
            raise ValueError(f"{name}: no intervals; fit it with calibrate=True, and ask for a level")
        return self.intervals[name]

    def _scale(self) -> Scale:
        if self.scale is None:
            raise ValueError(f"{self.model}: the scale of the training rows is not known")
        return self.scale

    def _by_series(self, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The sum and the number of errors that are known, `(series, targets)`."""
        seen, shape = ~np.isnan(errors), self._scale().mean.shape
        total, count = np.zeros(shape), np.zeros(shape)
        np.add.at(total, self.series, np.where(seen, errors, 0).sum(1))
        np.add.at(count, self.series, seen.sum(1))
        return total, count

    def _parts(self, error: np.ndarray, count: np.ndarray, unit: str) -> np.ndarray:
        """Errors of series and targets over their unit; those without any, or whose unit is not known, are left out."""
        over = getattr(self._scale(), unit)
        there = (count > 0) & ~np.isnan(over)
        return error[there] / over[there] if there.any() else np.array([np.nan])

    def _scaled(self, error: np.ndarray, count: np.ndarray, unit: str) -> float:
        return float(self._parts(error, count, unit).mean())


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column without its missing values; 0 and 1 where there is none."""
    seen = ~np.isnan(values)
    count = np.maximum(seen.sum(0), 1)
    mean = np.where(seen, values, 0).sum(0) / count
    deviation = np.sqrt(np.where(seen, (values - mean) ** 2, 0).sum(0) / count)
    return mean, np.where(deviation > 0, deviation, 1.0)


def _plain_errors(test: Backtest) -> dict[str, dict[str, float]]:
    return {name: {"rmse": test.rmse(name), "mae": test.mae(name)} for name in test.forecasts}
