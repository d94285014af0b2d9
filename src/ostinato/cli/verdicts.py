"""What came out, for the report and the terminal: scores beside the baselines, in figures and in plain words."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from ostinato.communities import CommunityModel
from ostinato.data import Communities
from ostinato.models import Backtest
from ostinato.runs import Evaluation, Score, Section
from ostinato.view import Confusion, Curve, Lines, Multiples, Residuals, Scatter, numbers, section

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
    sections = [_stretch(test, others, time_name), *([_by_horizon(test, others)] if test.horizon > 1 else [])]
    words = verdict(test.model, errors, "RMSE")
    return Evaluation("forecast", target, _held_out(test), words, tuple(scores), tuple(sections), title="Forecast")


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
    counts = Confusion(tuple(map(str, found["classes"])), tuple(tuple(row) for row in found["confusion"]))
    return Evaluation(
        "classify",
        "",
        held_out,
        verdict(label, accuracies, "accuracy", higher=True),
        tuple(scores),
        (section("Confusion", counts, "Rows are the true classes, columns the predicted ones."),),
        title="Classification",
    )


def of_numbers(label: str, found: Mapping[str, Any], held_out: str, truth: Any, predicted: Any) -> Evaluation:
    """From `SequenceRegressor.evaluate`, with the true and the predicted numbers."""
    rows = {label: found, **found["baselines"]}
    scores = [Score(n, n == label, {"RMSE": r["rmse"], "MAE": r["mae"], "R²": r["r2"]}) for n, r in rows.items()]
    pairs = numbers(truth), numbers(predicted)
    errors = {name: row["rmse"] for name, row in rows.items()}
    return Evaluation(
        "regress",
        "",
        held_out,
        verdict(label, errors, "RMSE"),
        tuple(scores),
        (section("Predicted against true", Scatter(*pairs)), section("Residuals", Residuals(*pairs))),
        title="Regression",
    )


def of_communities(model: CommunityModel, communities: Communities, held_out: str) -> Evaluation:
    """From `CommunityModel.evaluate`, with the figures of the paper: R² over time, predicted against measured."""
    found = model.evaluate(communities)
    label = str(model.cell)
    rows = {label: found, **found["baselines"]}
    scores = [Score(name, name == label, _of_community(row)) for name, row in rows.items()]
    measure = next(iter(scores[0].values))
    figures = {score.model: score.values[measure] or 0.0 for score in scores}
    bounds = model.predict(communities, level=0.9 if model.folds else None)
    names = list(found["times"][0]["r2"])
    by_time = Lines(
        numbers([row["hours"] for row in found["times"]]),
        tuple(Curve(n, "other", numbers([row["r2"][n] for row in found["times"]])) for n in names),
        "hours",
        "R²",
        zero=True,
        points=True,
    )
    words = "Squared correlation of predicted and measured over the communities that were held out; species pooled."
    sections = [*_clouds(communities, bounds.values), section("R² over time", by_time, words)]
    return Evaluation(
        "community",
        "",
        f"{held_out}; R² is the squared correlation, averaged over times (and metabolites), R that of each feature.",
        verdict(label, figures, measure, higher=True),
        tuple(scores),
        (*sections, *_trajectories(communities, bounds)),
        title="Communities",
    )


def _of_community(row: Mapping[str, Any]) -> dict[str, float | None]:
    r2 = [entry["r2"] for entry in row["times"]]
    metabolites = [value for entry in r2 for name, value in entry.items() if name != "species"]
    found: dict[str, float | None] = {"R² of metabolites": float(np.mean(metabolites))} if metabolites else {}
    found["R² of species"] = float(np.mean([entry["species"] for entry in r2]))
    found["R of species"] = row["species_r"]
    if metabolites:
        found["R of metabolites"] = row["metabolite_r"]
    if row.get("coverage") is not None:
        found["in 90 % intervals"] = row["coverage"]
    return found


def _trajectories(communities: Communities, made: Any, most: int = 3) -> list[Section]:
    """The first communities over time, each metabolite with its bounds."""
    charts = []
    for i in range(min(most, len(communities))):
        for j, name in enumerate(communities.metabolites):
            at = len(communities.species) + j
            curves = (
                Curve("measured", "truth", numbers(communities.values[i, :, at])),
                Curve("predicted", "ours", numbers(made.values[i, :, at])),
            )
            band = None if made.lower is None else (numbers(made.lower[i, :, at]), numbers(made.upper[i, :, at]))
            chart = Lines(numbers(made.hours), curves, "hours", name, band=band, zero=True, points=True)
            charts.append(section(f"{name} in {communities.names[i]}", chart))
    if not charts:
        return []
    words = "" if made.lower is None else "Shaded: between these bounds 90 % of measured values are expected."
    return [section("Over time", Multiples(tuple(charts)), words)]


def _clouds(communities: Communities, values: np.ndarray) -> list[Section]:
    """Predicted against measured at the last time: all species together, each metabolite by itself."""
    some, truth, made = len(communities.species), communities.values[:, -1], values[:, -1]
    parts = {"Species": (truth[:, :some][communities.present], made[:, :some][communities.present])}
    parts |= {name: (truth[:, some + j], made[:, some + j]) for j, name in enumerate(communities.metabolites)}
    clouds = []
    for name, (t, p) in parts.items():
        seen = ~np.isnan(t)
        clouds.append(section(name, Scatter(numbers(t[seen]), numbers(p[seen]))))
    return [section(f"Predicted against measured at {communities.hours[-1]:g} h", Multiples(tuple(clouds)))]


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
    if test.quantiles is not None:
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
        return tuple(times.astype("datetime64[s]").astype(float).tolist()), "time", ""
    return tuple(times.astype(float).tolist()), "number", time_name or "time"


def _by_horizon(test: Backtest, others: list[str]) -> Section:
    curves = [
        Curve(name, "ours" if name == test.model else "other", numbers(test.by_horizon(name)))
        for name in (test.model, *others)
    ]
    steps = numbers(range(1, test.horizon + 1))
    drawn = Lines(steps, tuple(curves), "steps ahead", "RMSE", zero=True, points=test.horizon < 60)
    return section("Error by horizon", drawn)


def _day(moment: np.datetime64) -> str:
    return str(moment.astype("datetime64[D]"))
