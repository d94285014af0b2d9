"""What a report says of communities: scores, R² over time, courses, predicted against measured."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ostinato.communities import CommunityModel
from ostinato.data import Communities
from ostinato.jobs.figures.verdict import verdict
from ostinato.runs import Evaluation, Score, Section
from ostinato.view import Curve, Lines, Multiples, Scatter, numbers, section


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
