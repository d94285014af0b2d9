"""What a report says of forecasts: scores of all models, a stretch of the held-out end, errors by horizon."""

from collections.abc import Mapping

import numpy as np

from ostinato.data import Series
from ostinato.jobs.figures.ahead import ahead, intervals
from ostinato.models import Backtest, Forecast
from ostinato.models.forecast.figures import by_horizon, place, residuals, stretch
from ostinato.runs import Evaluation, Score

SHOWN_AS = {"rmse": "RMSE", "mae": "MAE", "mase": "MASE", "crps": "CRPS", "skill": "skill"}


def of_backtest(
    test: Backtest,
    time_name: str | None = None,
    made: Forecast | None = None,
    data: Series | None = None,
) -> Evaluation:
    """From a backtest: scores, a stretch of the held-out end, errors by horizon, intervals.

    `made`: the forecast of the steps after the last row of `data`, to be shown as well.
    """
    others = sorted((n for n in test.forecasts if n != test.model), key=place)
    metrics = test.metrics()
    scores = [Score(n, n == test.model, _named(metrics[n])) for n in (test.model, *others)]
    target = ", ".join(test.target_names)
    lead = () if made is None or data is None else (ahead(made, data),)
    sections = [stretch(test, others, time_name), *([by_horizon(test, others)] if test.horizon > 1 else [])]
    sections += [intervals(test, (test.model, *others))] if test.intervals else []
    sections += residuals(test)
    words = test.verdict()
    return Evaluation("forecast", target, _held_out(test), words, tuple(scores), tuple(sections), lead=lead)


def _named(row: Mapping[str, float]) -> dict[str, float | None]:
    return {shown: float(row[key]) for key, shown in SHOWN_AS.items() if key in row}


def _held_out(test: Backtest) -> str:
    count, steps = len(test.origins), f"{test.horizon} step{'s' if test.horizon > 1 else ''}"
    words = f"{count} forecasts of {steps} in the held-out end"
    if test.times is not None and np.issubdtype(test.times.dtype, np.datetime64):
        words += f", {_day(test.times.min())} to {_day(test.times.max())}"
    if len(set(test.series.tolist())) > 1:
        words += f", {len(set(test.series.tolist()))} series"
    skill = "; skill is 1 − MSE / MSE of persistence" if "persistence" in test.forecasts else ""
    return f"{words}{skill}."


def _day(moment: np.datetime64) -> str:
    return str(moment.astype("datetime64[D]"))
