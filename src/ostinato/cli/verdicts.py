"""What came out, for the report and the terminal: scores beside the baselines, in figures and in plain words."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from ostinato.communities import CommunityModel
from ostinato.communities.scores import MEANINGS, beaten_by_the_mean, deciding, table_row
from ostinato.data import Communities
from ostinato.models import Backtest
from ostinato.runs import Chart, Cloud, Confusion, Curve, Evaluation, Pairs, Panel, Score

ORDER = ("persistence", "seasonal-naive", "linear", "mean")
SHOWN = 240
"""Steps of the held-out end that the report draws."""


def of_backtest(test: Backtest, time_name: str | None = None) -> Evaluation:
    """From a backtest: scores of all models, a stretch of the held-out end, errors by horizon."""
    others = sorted((n for n in test.forecasts if n != test.model), key=_place)
    metrics = test.metrics()
    scores = [Score(n, n == test.model, _named(metrics[n])) for n in (test.model, *others)]
    errors = {name: metrics[name]["rmse"] for name in metrics}
    target = ", ".join(test.target_names)
    return Evaluation(
        "forecast",
        target,
        _held_out(test),
        verdict(test.model, errors, "RMSE"),
        tuple(scores),
        _stretch(test, others, time_name),
        _by_horizon(test, others) if test.horizon > 1 else None,
    )


def of_classes(label: str, found: Mapping[str, Any], held_out: str) -> Evaluation:
    """From `SequenceClassifier.evaluate`."""
    per_class = found["per_class"]
    ours = {
        "accuracy": found["accuracy"],
        "macro F1": float(np.mean([row["f1"] for row in per_class])),
        "cross-entropy": found["cross_entropy"],
    }
    baselines = {"most frequent class": found["baselines"]["majority"], "linear": found["baselines"]["linear"]}
    scores = [Score(label, True, ours), *(Score(n, False, {"accuracy": v}) for n, v in baselines.items())]
    accuracies = {label: found["accuracy"], **baselines}
    return Evaluation(
        "classify",
        "",
        held_out,
        verdict(label, accuracies, "accuracy", higher=True),
        tuple(scores),
        confusion=Confusion(tuple(map(str, found["classes"])), tuple(tuple(row) for row in found["confusion"])),
    )


def of_numbers(label: str, found: Mapping[str, Any], held_out: str, truth: Any, predicted: Any) -> Evaluation:
    """From `SequenceRegressor.evaluate`, with the true and the predicted numbers."""
    rows = {label: found, **found["baselines"]}
    scores = [Score(n, n == label, {"RMSE": r["rmse"], "MAE": r["mae"], "R²": r["r2"]}) for n, r in rows.items()]
    pairs = Pairs(tuple(map(float, truth)), tuple(map(float, predicted)))
    errors = {name: row["rmse"] for name, row in rows.items()}
    return Evaluation("regress", "", held_out, verdict(label, errors, "RMSE"), tuple(scores), pairs=pairs)


def of_communities(model: CommunityModel, communities: Communities, held_out: str) -> Evaluation:
    """From `CommunityModel.evaluate`, with the figures of the paper: R² over time, predicted against measured."""
    found = model.evaluate(communities)
    label = str(model.cell)
    rows = {label: found, **found["baselines"]}
    scores = [Score(name, name == label, table_row(row)) for name, row in rows.items()]
    measure = deciding([score.values for score in scores])
    figures = {score.model: score.values[measure] for score in scores}
    bounds = model.predict(communities, level=0.9 if model.folds else None)
    hours = tuple(row["hours"] for row in found["times"])
    names = list(found["times"][0]["r2"])
    charts = []
    for key, title, words in (
        ("determination", "R²", "Coefficient of determination"),
        ("r2", "Squared correlation", "Squared correlation (it forgives offset and scale) of predicted and measured"),
    ):
        curves = tuple(Curve(n, "other", tuple(_number(row[key][n]) for row in found["times"])) for n in names)
        note = f"{words} over the communities that were held out; species pooled."
        charts.append(Chart(f"{title} over time", Panel(hours, curves, "hours", title, note=note)))
    charts += _trajectories(communities, bounds)
    return Evaluation(
        "community",
        "",
        f"{held_out}; {MEANINGS}",
        community_verdict(label, figures, measure),
        tuple(scores),
        charts=tuple(charts),
        clouds=tuple(_clouds(communities, bounds.values)),
    )


def community_verdict(label: str, figures: Mapping[str, float | None], measure: str) -> str:
    """`verdict` by R², unless even the mean of what was measured is nearer than all models."""
    known = {name: value for name, value in figures.items() if value is not None}
    if label not in known:
        return f"{label}: too few values were measured to tell how good it is."
    return beaten_by_the_mean(label, known, measure) or verdict(label, known, measure, higher=True)


def _trajectories(communities: Communities, made: Any, most: int = 3) -> list[Chart]:
    """The first communities over time, each metabolite with its bounds."""
    charts = []
    for i in range(min(most, len(communities))):
        for j, name in enumerate(communities.metabolites):
            at = len(communities.species) + j
            curves = (
                Curve("measured", "truth", tuple(_number(v) for v in communities.values[i, :, at])),
                Curve("predicted", "ours", tuple(map(float, made.values[i, :, at]))),
            )
            band = None
            if made.lower is not None:
                band = (tuple(map(float, made.lower[i, :, at])), tuple(map(float, made.upper[i, :, at])))
            title = f"{name} in {communities.names[i]}"
            note = "Shaded: between these bounds 90 % of measured values are expected." if band else ""
            hours = tuple(map(float, made.hours))
            charts.append(Chart(title, Panel(hours, curves, "hours", name, note=note, band=band)))
    return charts


def _clouds(communities: Communities, values: np.ndarray) -> list[Cloud]:
    """Predicted against measured at the last time: all species together, each metabolite by itself."""
    some, truth, made = len(communities.species), communities.values[:, -1], values[:, -1]
    parts = {"Species": (truth[:, :some][communities.present], made[:, :some][communities.present])}
    parts |= {name: (truth[:, some + j], made[:, some + j]) for j, name in enumerate(communities.metabolites)}
    clouds = []
    for name, (t, p) in parts.items():
        seen = ~np.isnan(t)
        title = f"{name} at {communities.hours[-1]:g} h, predicted against measured"
        clouds.append(Cloud(title, Pairs(tuple(map(float, t[seen])), tuple(map(float, p[seen])))))
    return clouds


def verdict(ours: str, figures: Mapping[str, float], measure: str, *, higher: bool = False) -> str:
    """In words, whether ours is better than every baseline, and if not, which wins.

    ```python
    >>> verdict("gru", {"gru": 2.0, "persistence": 2.5, "linear": 1.9}, "RMSE")
    'linear wins: RMSE 1.9, gru has 2, 5.3 % more. gru still beats persistence.'
    >>> verdict("gru", {"gru": 0.9, "most frequent class": 0.5}, "accuracy", higher=True)
    'gru wins: accuracy 0.9, the best baseline (most frequent class) has 0.5.'

    ```
    """
    others = {name: value for name, value in figures.items() if name != ours}
    own = figures[ours]
    if not others:
        return f"{ours}: {measure} {own:.4g}, no baseline beside it."
    best = (max if higher else min)(others, key=lambda name: others[name])
    value = others[best]
    apart = "" if higher or not value or not own else f"{100 * abs(own - value) / value:.1f} %"
    if own > value if higher else own < value:
        less = f", {apart} less than" if apart else ","
        named = (
            f" the best baseline, {best} ({value:.4g})." if apart else f" the best baseline ({best}) has {value:.4g}."
        )
        return f"{ours} wins: {measure} {own:.4g}{less}{named}"
    if own == value:
        return f"{ours} does not beat {best}: both have {measure} {own:.4g}."
    beaten = [name for name, v in others.items() if (own > v if higher else own < v)]
    still = f" {ours} still beats {', '.join(beaten)}." if beaten else f" {ours} beats no baseline."
    more = f", {apart} more" if apart else ""
    return f"{best} wins: {measure} {value:.4g}, {ours} has {own:.4g}{more}.{still}"


def _place(name: str) -> int:
    """Baselines stand in one order, wherever they come from; those of another name before the last."""
    return next((i for i, known in enumerate(ORDER) if name.startswith(known)), len(ORDER) - 2)


def _named(row: Mapping[str, float]) -> dict[str, float | None]:
    names = {"rmse": "RMSE", "mae": "MAE", "skill": "skill"}
    return {names[key]: float(value) for key, value in row.items()}


def _held_out(test: Backtest) -> str:
    count, steps = len(test.origins), f"{test.horizon} step{'s' if test.horizon > 1 else ''}"
    words = f"{count} forecasts of {steps} in the held-out end"
    if test.times is not None and np.issubdtype(test.times.dtype, np.datetime64):
        words += f", {_day(test.times.min())} to {_day(test.times.max())}"
    if len(set(test.series.tolist())) > 1:
        words += f", {len(set(test.series.tolist()))} series"
    skill = "; skill is 1 − MSE / MSE of persistence" if "persistence" in test.forecasts else ""
    return f"{words}{skill}."


def _stretch(test: Backtest, others: list[str], time_name: str | None) -> Panel:
    """The end of the first series, each forecast beginning where the one before it ends."""
    rows = np.flatnonzero(test.series == test.series[0])
    chosen = rows[::-1][:: test.horizon][: max(SHOWN // test.horizon, 1)][::-1]
    x, kind, label = _axis(test, chosen, time_name)
    flat = lambda values: tuple(_number(v) for v in values[chosen, :, 0].ravel())
    shown = [test.model, *(name for name in others if name != "mean")]
    curves = [Curve(test.target_names[0], "truth", flat(test.truth))]
    curves += [Curve(n, "ours" if n == test.model else "other", flat(test.forecasts[n])) for n in shown]
    steps = "One step" if test.horizon == 1 else f"{test.horizon} steps"
    note = f"{steps} ahead at a time; the last {len(x)} of {len(rows) + test.horizon - 1} held-out rows."
    band = None
    if test.quantiles is not None:
        edges = test.quantiles[chosen, :, 0]
        band = (tuple(_number(v) for v in edges[..., 0].ravel()), tuple(_number(v) for v in edges[..., -1].ravel()))
        note += f" Shaded: {test.levels[0]:g} to {test.levels[-1]:g} quantile."
    return Panel(x, tuple(curves), label, test.target_names[0], kind, note, band)


def _axis(
    test: Backtest, chosen: np.ndarray, time_name: str | None
) -> tuple[tuple[float, ...], Literal["number", "time"], str]:
    if test.times is None:
        return tuple(map(float, (test.origins[chosen][:, None] + np.arange(test.horizon)).ravel())), "number", "row"
    times = test.times[chosen].ravel()
    if np.issubdtype(times.dtype, np.datetime64):
        return tuple(times.astype("datetime64[s]").astype(float).tolist()), "time", ""
    return tuple(times.astype(float).tolist()), "number", time_name or "time"


def _by_horizon(test: Backtest, others: list[str]) -> Panel:
    curves = [
        Curve(name, "ours" if name == test.model else "other", tuple(_number(v) for v in test.by_horizon(name)))
        for name in (test.model, *others)
    ]
    return Panel(tuple(map(float, range(1, test.horizon + 1))), tuple(curves), "steps ahead", "RMSE")


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _day(moment: np.datetime64) -> str:
    return str(moment.astype("datetime64[D]"))
