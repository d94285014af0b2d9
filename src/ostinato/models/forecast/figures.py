"""Forecasts and backtests as figures: what follows, a stretch beside the truth, errors by horizon, residuals."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from ostinato.data import moved
from ostinato.runs import Section
from ostinato.view import Curve, Lines, Multiples, Residuals, numbers, section

if TYPE_CHECKING:
    from ostinato.models.forecast.backtest import Backtest
    from ostinato.models.forecast.forecast import Forecast

ORDER = ("persistence", "seasonal-naive", "linear", "mean")
SHOWN = 240
"""Steps of the held-out end that are drawn."""
MOST = 8
"""Series and targets of a forecast that are drawn."""


def future(made: "Forecast") -> list[Section]:
    """The steps that follow, of each series and target, with the widest interval that there is."""
    charts = []
    for i, name in enumerate(made.ids):
        for k, target in enumerate(made.target_names):
            band, words = None, ""
            if made.lower is not None and made.upper is not None:
                band, words = (made.lower[i, :, k, -1], made.upper[i, :, k, -1]), f"interval of {made.level[-1]:g} %"
            elif made.quantiles is not None:
                edges = made.quantiles[i, :, k]
                band, words = (edges[:, 0], edges[:, -1]), f"{made.levels[0]:g} to {made.levels[-1]:g} quantile"
            x, kind, label = tuple(map(float, range(1, made.horizon + 1))), "number", "steps ahead"
            if made.times is not None:
                x, kind, label = time_axis(moved(made.times[i], made.zone, None), made.time_name)
            edges = None if band is None else (numbers(band[0]), numbers(band[1]))
            curve = Curve("forecast", "ours", numbers(made.values[i, :, k]))
            drawn = Lines(x, (curve,), label, target, kind, band=edges, points=made.horizon < 40)
            title = ", ".join([target, *([name] if len(made.ids) > 1 else [])])
            charts.append(section(title, drawn, f"Shaded: the {words}." if words else ""))
    return charts if len(charts) == 1 else [section("Forecast", Multiples(tuple(charts[:MOST])))]


def time_axis(times: np.ndarray, name: str) -> tuple[tuple[float, ...], Literal["number", "time"], str]:
    """Times as places on an axis, its kind, and its label: seconds without one for dates, else the numbers."""
    if np.issubdtype(times.dtype, np.datetime64):
        seconds = (times - np.datetime64(0, "s")) / np.timedelta64(1, "s")
        return tuple(seconds.tolist()), "time", ""
    return tuple(times.astype(float).tolist()), "number", name


def place(name: str) -> int:
    """Baselines stand in one order, wherever they come from; those of another name before the last."""
    return next((i for i, known in enumerate(ORDER) if name.startswith(known)), len(ORDER) - 2)


def stretch(test: "Backtest", others: Sequence[str], time_name: str | None = None) -> Section:
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


def by_horizon(test: "Backtest", others: Sequence[str]) -> Section:
    """The error of each model at each step ahead."""
    curves = [
        Curve(name, "ours" if name == test.model else "other", numbers(test.by_horizon(name)))
        for name in (test.model, *others)
    ]
    steps = numbers(range(1, test.horizon + 1))
    drawn = Lines(steps, tuple(curves), "steps ahead", "RMSE", zero=True, points=test.horizon < 60)
    return section("Error by horizon", drawn)


def residuals(test: "Backtest") -> list[Section]:
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


def _axis(
    test: "Backtest", chosen: np.ndarray, time_name: str | None
) -> tuple[tuple[float, ...], Literal["number", "time"], str]:
    if test.times is None:
        return tuple(map(float, (test.origins[chosen][:, None] + np.arange(test.horizon)).ravel())), "number", "row"
    return time_axis(test.times[chosen].ravel(), time_name or "time")


def _autocorrelation(errors: np.ndarray, most: int = 20) -> tuple[np.ndarray, np.ndarray, float]:
    """Of the errors at each lag from 1 on, and the bound that noise keeps to in 95 %."""
    there = np.isfinite(errors)
    left = np.where(there, errors - (errors[there].mean() if there.any() else 0.0), 0.0)
    total, lags = float((left**2).sum()), np.arange(1, min(most, len(errors) // 4) + 1)
    if total == 0:
        return lags[:0], lags[:0].astype(float), 0.0
    found = np.array([float((left[:-lag] * left[lag:]).sum()) / total for lag in lags])
    return lags, found, 1.96 / np.sqrt(there.sum())
