"""What a report says of forecasts: scores of all models, a stretch of the held-out end, errors by horizon."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from ostinato.data import Series
from ostinato.jobs.figures.ahead import ahead, intervals
from ostinato.models import Backtest, Forecast
from ostinato.runs import Evaluation, Score, Section
from ostinato.view import Curve, Lines, Multiples, Residuals, Table, numbers, section

ORDER = ("persistence", "seasonal-naive", "linear", "mean")
SHOWN_AS = {"rmse": "RMSE", "mae": "MAE", "mase": "MASE", "crps": "CRPS", "skill": "skill"}
SHOWN = 240
"""Steps of the held-out end that the report draws."""


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
    others = sorted((n for n in test.forecasts if n != test.model), key=_place)
    metrics = test.metrics()
    scores = [Score(n, n == test.model, _named(metrics[n])) for n in (test.model, *others)]
    target = ", ".join(test.target_names)
    lead = () if made is None or data is None else (ahead(made, data),)
    sections = [_stretch(test, others, time_name), *([_by_horizon(test, others)] if test.horizon > 1 else [])]
    sections += [intervals(test, (test.model, *others))] if test.intervals else []
    sections += [*_residuals(test), *([_chosen(chosen)] if chosen else [])]
    words = test.verdict()
    return Evaluation("forecast", target, _held_out(test), words, tuple(scores), tuple(sections), lead=lead)


def _place(name: str) -> int:
    """Baselines stand in one order, wherever they come from; those of another name before the last."""
    return next((i for i, known in enumerate(ORDER) if name.startswith(known)), len(ORDER) - 2)


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


def _stretch(test: Backtest, others: list[str], time_name: str | None) -> Section:
    """The end of the first series, each forecast beginning where the one before it ends."""
    rows = np.flatnonzero(test.series == test.series[0])
    chosen = rows[::-1][:: test.horizon][: max(SHOWN // test.horizon, 1)][::-1]
    x, kind, label = _axis(test, chosen, time_name)
    flat = lambda values: numbers(values[chosen, :, 0])
    shown = [test.model, *(name for name in others if name != "mean")]
    curves = [Curve(test.target_names[0], "truth", flat(test.truth))]
    curves += [Curve(n, "ours" if n == test.model else "other", flat(test.forecasts[n])) for n in shown]
    steps = "One step" if test.horizon == 1 else f"{test.horizon} steps"
    note = f"{steps} ahead at a time; the last {len(x)} of {len(rows) + test.horizon - 1} held-out rows."
    band = None
    if test.model in test.intervals:
        edges = test.intervals[test.model][chosen, :, 0, -1]
        band = numbers(edges[..., 0]), numbers(edges[..., 1])
        note += f" Shaded: the interval of {test.level[-1]:g} %."
    elif test.quantiles is not None:
        edges = test.quantiles[chosen, :, 0]
        band = numbers(edges[..., 0]), numbers(edges[..., -1])
        note += f" Shaded: {test.levels[0]:g} to {test.levels[-1]:g} quantile."
    drawn = Lines(x, tuple(curves), label, test.target_names[0], kind, band=band)
    return section("Forecast against truth", drawn, note)


def _axis(
    test: Backtest, chosen: np.ndarray, time_name: str | None
) -> tuple[tuple[float, ...], Literal["number", "time"], str]:
    if test.times is None:
        return tuple(map(float, (test.origins[chosen][:, None] + np.arange(test.horizon)).ravel())), "number", "row"
    times = test.times[chosen].ravel()
    if np.issubdtype(times.dtype, np.datetime64):
        seconds = (times - np.datetime64(0, "s")) / np.timedelta64(1, "s")
        return tuple(seconds.tolist()), "time", ""
    return tuple(times.astype(float).tolist()), "number", time_name or "time"


def _by_horizon(test: Backtest, others: list[str]) -> Section:
    curves = [
        Curve(name, "ours" if name == test.model else "other", numbers(test.by_horizon(name)))
        for name in (test.model, *others)
    ]
    steps = numbers(range(1, test.horizon + 1))
    drawn = Lines(steps, tuple(curves), "steps ahead", "RMSE", zero=True, points=test.horizon < 60)
    return section("Error by horizon", drawn)


def _residuals(test: Backtest) -> list[Section]:
    """What the first step of each forecast missed: over the prediction, and whether one error tells the next."""
    rows = test.series == test.series[0]
    truth, made = test.truth[rows, 0, 0], test.forecasts[test.model][rows, 0, 0]
    charts = [section("Over the forecast", Residuals(numbers(truth), numbers(made)))]
    lags, found, bound = _autocorrelation(truth - made)
    if len(lags) > 1:
        edges = numbers(np.full(len(lags), -bound)), numbers(np.full(len(lags), bound))
        curve = Curve("autocorrelation", "ours", numbers(found))
        drawn = Lines(numbers(lags), (curve,), "steps apart", "autocorrelation", band=edges, points=len(lags) < 40)
        charts.append(section("Autocorrelation", drawn))
    note = "One step ahead, of the first target and series. Shaded: where 95 % of the autocorrelations of noise lie."
    return [section("Residuals", Multiples(tuple(charts)), note if len(charts) > 1 else "")]


def _autocorrelation(errors: np.ndarray, most: int = 20) -> tuple[np.ndarray, np.ndarray, float]:
    """Of the errors at each lag from 1 on, and the bound that noise keeps to in 95 %."""
    there = np.isfinite(errors)
    left = np.where(there, errors - (errors[there].mean() if there.any() else 0.0), 0.0)
    total, lags = float((left**2).sum()), np.arange(1, min(most, len(errors) // 4) + 1)
    if total == 0:
        return lags[:0], lags[:0].astype(float), 0.0
    found = np.array([float((left[:-lag] * left[lag:]).sum()) / total for lag in lags])
    return lags, found, 1.96 / np.sqrt(there.sum())


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
