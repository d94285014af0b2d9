"""A backtest: what each model would have said at many origins, held against what came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ostinato.data import Series, moved
from ostinato.data.holdout import named
from ostinato.errors import LengthError
from ostinato.models import measures
from ostinato.models.comparison import PairedTest, block_bootstrap, sign_flip, summed
from ostinato.models.forecast.forecast import point
from ostinato.models.verdicts import verdict


@dataclass(frozen=True)
class Backtest:
    """Forecasts of several models at the same origins, beside the truth, in the units of the data.

    * `truth`: `(origins, horizon, targets)`, NaN where it is missing; left out of all errors.
    * `forecasts`: by model, the same shape; `quantiles`: for models that give them, with one more axis.
    * `series`, `origins`: `(origins,)`, the number of the series and the row of the first step forecast.
    * `times`: `(origins, horizon)`, as the clocks of the file show them, where there is time.
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

    def coverage(self) -> dict[float, float]:
        """For each level the fraction of truths that lie at or below its quantile; calibrated where both agree."""
        below = np.where(np.isnan(self.truth)[..., None], np.nan, self.truth[..., None] <= self._quantiles())
        return {level: float(np.nanmean(below[..., q])) for q, level in enumerate(self.levels)}

    def metrics(self) -> dict[str, dict[str, float]]:
        """RMSE, MAE and, where persistence is among the models, skill, of each model."""
        table = {name: {"rmse": self.rmse(name), "mae": self.mae(name)} for name in self.forecasts}
        if "persistence" in self.forecasts:
            for name in table:
                table[name]["skill"] = self.skill(name)
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
            **({"pinball": self.pinball(), "coverage": self.coverage()} if self.quantiles is not None else {}),
        }

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


def evaluate(models: Mapping[str, Any], series: Series, starts: Sequence[int], step: int, horizon: int) -> Backtest:
    """The backtest of fitted forecasters at every `step`-th row from `starts[i]` on of each series.

    Raises `LengthError` where no origin has `horizon` rows after it and enough rows before it.
    """
    need = max((model._reach for model in models.values()), default=0)
    origins = origins_of(series.history, starts, step, need, horizon)
    steps = np.arange(horizon)
    truth = np.concatenate([t[o[:, None] + steps] for t, o in zip(series.target, origins, strict=True)])
    said = {name: np.concatenate(model._forecasts(series, origins, horizon)) for name, model in models.items()}
    first = next(iter(models.values()))
    levels = first._levels
    times = None
    if series.times is not None:
        shown = [moved(t, series.zone, None) for t in series.times]
        times = np.concatenate([t[o[:, None] + steps] for t, o in zip(shown, origins, strict=True)])
    left_out = [name for name, o in zip(series.ids, origins, strict=True) if not len(o)]
    return Backtest(
        truth,
        {name: point(values, models[name]._levels) for name, values in said.items()},
        np.repeat(np.arange(len(origins)), [len(o) for o in origins]),
        np.concatenate(origins),
        series.target_names,
        times,
        levels,
        next(iter(said.values())) if levels else None,
        (f"{named(left_out)}: too few rows to be judged",) if left_out else (),
    )


def origins_of(history: Sequence[int], starts: Sequence[int], step: int, need: int, horizon: int) -> list[np.ndarray]:
    """For each series every `step`-th row from its start on with `need` rows before it and `horizon` from it on.

    Raises `LengthError` where there is none at all.
    """
    if step < 1:
        raise LengthError(f"step: expected 1 or more, got {step}")
    origins = [np.arange(s, n - horizon + 1, step) for s, n in zip(starts, history, strict=True)]
    origins = [o[o >= need] for o in origins]
    if not any(len(o) for o in origins):
        most = max(n - s for s, n in zip(starts, history, strict=True))
        raise LengthError(
            f"backtest: no origin with {need} rows before it and {horizon} after it; the held-out ends have "
            f"{most} rows at most"
        )
    return origins
