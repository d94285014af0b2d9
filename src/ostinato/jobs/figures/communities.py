"""What a report says of communities: scores, R² over time, courses, predicted against measured."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ostinato.communities import CommunityModel
from ostinato.communities.scores import MEANINGS, beaten_by_the_mean, deciding, table_row
from ostinato.data import Communities
from ostinato.models.comparison import PairedTest
from ostinato.models.verdicts import verdict
from ostinato.runs import Evaluation, Score, Section
from ostinato.view import Curve, Lines, Multiples, Scatter, numbers, section


def of_communities(model: CommunityModel, communities: Communities, held_out: str) -> Evaluation:
    """From `CommunityModel.evaluate`, with the figures of the paper: R² over time, predicted against measured."""
    found = model.evaluate(communities)
    label = str(model.cell)
    rows = {label: found, **found["baselines"]}
    scores = [Score(name, name == label, table_row(row)) for name, row in rows.items()]
    measure = deciding([score.values for score in scores])
    bounds = model.predict(communities, level=0.9 if model.folds else None)
    sections, charts, notes = [*_clouds(communities, bounds.values)], [], []
    for key, title, words in (
        ("determination", "R²", "Coefficient of determination"),
        ("r2", "Squared correlation", "Squared correlation (it forgives offset and scale) of predicted and measured"),
    ):
        names = list(found["times"][0][key])
        by_time = Lines(
            numbers([row["hours"] for row in found["times"]]),
            tuple(Curve(n, "other", numbers([row[key][n] for row in found["times"]])) for n in names),
            "hours",
            title,
            zero=True,
            points=True,
        )
        charts.append(section(title, by_time))
        notes.append(f"{words} over the communities that were held out; species pooled.")
    sections.append(section("How good it is over time", Multiples(tuple(charts)), " ".join(notes)))
    return Evaluation(
        "community",
        "",
        f"{held_out}; {MEANINGS}",
        community_verdict(label, {s.model: s.values.get(measure) for s in scores}, found["tests"][measure], measure),
        tuple(scores),
        (*sections, *_trajectories(communities, bounds)),
        higher=True,
    )


def community_verdict(
    label: str, figures: Mapping[str, float | None], tests: Mapping[str, PairedTest], measure: str
) -> str:
    """`verdict` by R², unless even the mean of what was measured is nearer than all models."""
    known = {name: value for name, value in figures.items() if value is not None}
    if label not in known:
        return f"{label}: too few values were measured to tell how good it is."
    judged = {name: test for name, test in tests.items() if name in known}
    return beaten_by_the_mean(label, known, measure) or verdict(label, known, judged, measure, higher=True)


def _trajectories(communities: Communities, made: Any, most: int = 3) -> list[Section]:
    """The first communities over time, each metabolite with its bounds."""
    sections = []
    words = "" if made.lower is None else "Shaded: between these bounds 90 % of measured values are expected."
    for i in range(min(most, len(communities))):
        charts = []
        for j, name in enumerate(communities.metabolites):
            at = len(communities.species) + j
            curves = (
                Curve("measured", "truth", numbers(communities.values[i, :, at])),
                Curve("predicted", "ours", numbers(made.values[i, :, at])),
            )
            band = None if made.lower is None else (numbers(made.lower[i, :, at]), numbers(made.upper[i, :, at]))
            chart = Lines(numbers(made.hours), curves, "hours", name, band=band, zero=True, points=True)
            charts.append(section(name, chart))
        if charts:
            sections.append(section(f"Over time in {communities.names[i]}", Multiples(tuple(charts)), words))
    return sections


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
