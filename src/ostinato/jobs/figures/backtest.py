"""What a report says of forecasts: scores of all models, a stretch of the held-out end, errors by horizon."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from ostinato.data import Series
from ostinato.jobs.figures.ahead import ahead, intervals
from ostinato.models import Backtest, Forecast
from ostinato.models.forecast.figures import by_horizon, place, residuals, stretch
from ostinato.runs import Evaluation, Score, Section
from ostinato.view import Table, section

SHOWN_AS = {"rmse": "RMSE", "mae": "MAE", "mase": "MASE", "crps": "CRPS", "skill": "skill"}


def of_backtest(
    test: Backtest,
    time_name: str | None = None,
    made: Forecast | None = None,
    data: Series | None = None,
    chosen: Mapping[str, Any] = MappingProxyType({}),
) -> Evaluation:
    """From a backtest: scores, a stretch of the held-out end, errors by horizon, intervals, and what was `chosen`.

    `made`: the forecast of the steps after the last row of `data`, to be shown as well. `chosen`: as
    `Forecaster.chosen_` gives it; empty where nothing was.
    """
    others = sorted((n for n in test.forecasts if n != test.model), key=place)
    metrics = test.metrics()
    scores = [Score(n, n == test.model, _named(metrics[n])) for n in (test.model, *others)]
    target = ", ".join(test.target_names)
    lead = () if made is None or data is None else (ahead(made, data),)
    sections = [stretch(test, others, time_name), *([by_horizon(test, others)] if test.horizon > 1 else [])]
    sections += [intervals(test, (test.model, *others))] if test.intervals else []
    sections += [*residuals(test), *([_chosen(chosen)] if chosen else [])]
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


def _chosen(chosen: Mapping[str, Any]) -> Section:
    """All that was tried inside the training rows, with its error there and its share."""
    network, share = chosen["network"], dict(chosen["mixture"])
    if isinstance(network, Mapping):
        share["network"] = network["share"]
        about = f"{network['networks']} networks of {network['hidden_size']} units read {network['context']} steps."
    else:
        about = f"No network: {network}."
    rows = [
        (name, f"{error:.4g}", f"{100 * share[name]:.0f} %" if name in share else "")
        for name, error in chosen["tried"].items()
    ]
    ours = tuple(i for i, row in enumerate(rows) if row[2])
    note = f"Errors on training rows that the forecast was not fitted to, in units of the targets' scale. {about}"
    return section("What was chosen", Table(("tried", "RMSE", "share"), tuple(rows), ours), note)


def _day(moment: np.datetime64) -> str:
    return str(moment.astype("datetime64[D]"))
