"""How good predictions of communities are, in the measures of the papers and in those that they leave out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ostinato.data import Communities
from ostinato.models.comparison import PairedTest, sign_flip
from ostinato.models.measures import pearson, r2, rmse

MEANINGS = (
    "R² is the coefficient of determination, 1 - squared error / squared deviation from the mean of what was measured, "
    "averaged over times (and metabolites): 1 is perfect, below 0 worse than that mean. The squared correlation beside "
    "it forgives every offset and scale, and is 1 for any two points."
)
"""What the names in `table_row` mean."""


def squared_correlation(truth: Any, predicted: Any) -> float:
    r"""$r^2$ of Pearson's r over all entries together: how well the best straight line through the pairs fits.

    It is not an error of the predictions: offset and scale are forgiven, and a wrong sign too. `models.measures.r2` is.

    ```python
    >>> squared_correlation([1.0, 2.0, 3.0], [30.0, 20.0, 10.0]), squared_correlation([1.0, 2.0], [7.0, 7.1])
    (1.0, 1.0)

    ```
    """
    return pearson(np.ravel(truth), np.ravel(predicted)) ** 2


def determination(truth: Any, predicted: Any) -> float:
    """`models.measures.r2` over all entries together; NaN where fewer than two were measured: nothing is told then."""
    truth, predicted = np.ravel(np.asarray(truth, float)), np.ravel(np.asarray(predicted, float))
    return r2(truth, predicted) if (~np.isnan(truth)).sum() > 1 else float("nan")


def figures(communities: Communities, predicted: Float[np.ndarray, "n later features"]) -> dict[str, Any]:
    """`times` (see `by_time`), `features` (see `by_feature`), and the means over features of `summary`."""
    features = by_feature(communities, predicted)
    return {"times": by_time(communities, predicted), "features": features, **summary(features)}


def table_row(found: Mapping[str, Any]) -> dict[str, float | None]:
    """The scores of one model in a table, from `figures`; `MEANINGS` says what their names mean.

    Means over the times, and over the metabolites; None where nothing was measured that tells.
    """
    row: dict[str, float | None] = {}
    for key, name in (("determination", "R²"), ("r2", "squared correlation")):
        entries = [entry[key] for entry in found["times"]]
        others = [value for entry in entries for kind, value in entry.items() if kind != "species"]
        if others:
            row[f"{name} of metabolites"] = _mean(others)
        row[f"{name} of species"] = _mean([entry["species"] for entry in entries])
    for kind, name in (("species", "species"), ("metabolite", "metabolites")):
        if f"{kind}_r" in found:
            row[f"R of {name}"] = _mean([found[f"{kind}_r"]])
    if found.get("coverage") is not None:
        row["in 90 % intervals"] = found["coverage"]
    return row


def deciding(rows: Sequence[Mapping[str, float | None]]) -> str:
    """By which score of `table_row` the best model is told: the first R² that all of them have.

    ```python
    >>> deciding([{"R² of metabolites": None, "R² of species": 0.5}, {"R² of metabolites": None, "R² of species": 0.1}])
    'R² of species'

    ```
    """
    names = [name for name in rows[0] if name.startswith("R² of ")]
    return next((name for name in names if all(row[name] is not None for row in rows)), names[0])


def beaten_by_the_mean(label: str, figures: Mapping[str, float], measure: str) -> str:
    """In words, that no model is as near as the mean of what was measured, where every R² is below 0; otherwise "".

    ```python
    >>> beaten_by_the_mean("lstm", {"lstm": -0.5, "mean": -1.0}, "R² of species")
    'Nothing beats the mean of what was measured: R² of species is -0.5 for lstm, -1 for the best baseline (mean).'
    >>> beaten_by_the_mean("lstm", {"lstm": -0.5, "mean": 0.0}, "R² of species")
    ''

    ```
    """
    if max(figures.values()) >= 0:
        return ""
    others = {name: value for name, value in figures.items() if name != label}
    best = max(others, key=lambda name: others[name], default=None)
    beside = "" if best is None else f", {others[best]:.4g} for the best baseline ({best})"
    return f"Nothing beats the mean of what was measured: {measure} is {figures[label]:.4g} for {label}{beside}."


def tests(
    communities: Communities, ours: Float[np.ndarray, "n later features"], others: Mapping[str, np.ndarray]
) -> dict[str, dict[str, PairedTest]]:
    """For each R² of `table_row`, ours against each of the others: a paired permutation test over communities.

    What is permuted adds up to the R² itself: the share that each community has in what is not explained.
    """
    names = ["R² of metabolites"] if communities.metabolites else []
    found: dict[str, dict[str, PairedTest]] = {}
    for measure in [*names, "R² of species"]:
        own = unexplained(communities, ours, measure)
        apart = {name: own - unexplained(communities, said, measure) for name, said in others.items()}
        found[measure] = {name: sign_flip(d, "communities") for name, d in apart.items()}
    return found


def unexplained(
    communities: Communities, predicted: Float[np.ndarray, "n later features"], measure: str
) -> Float[np.ndarray, " n"]:
    r"""What each community adds to 1 - R² of `table_row`: its squared errors over the squared deviation of all.

    $$1 - \bar R^2 = \sum_i \frac1K \sum_k \frac{\sum_{j} (x_{ikj} - \hat x_{ikj})^2}{S_k}$$

    over the K pairs of a time and a metabolite (or the times, with all species pooled) that have a deviation $S_k$.
    """
    truth, some = communities.values[:, 1:], len(communities.species)
    squares = np.square(truth - predicted)
    if measure == "R² of species":
        parts = [(truth[:, t, :some], squares[:, t, :some]) for t in range(truth.shape[1])]
    else:
        later, features = range(truth.shape[1]), range(some, truth.shape[2])
        parts = [(truth[:, t, [j]], squares[:, t, [j]]) for t in later for j in features]
    shares = []
    for values, errors in parts:
        seen = ~np.isnan(values)
        deviation = np.square(values[seen] - values[seen].mean()).sum() if seen.sum() > 1 else 0.0
        if deviation > 0:
            shares.append(np.where(seen, errors, 0.0).sum(1) / deviation)
    return np.mean(shares, axis=0) if shares else np.zeros(len(communities))


def by_time(communities: Communities, predicted: Float[np.ndarray, "n later features"]) -> list[dict[str, Any]]:
    """Squared Pearson r (`r2`) and the coefficient of determination (`determination`) at each time after the first.

    The entry `species` pools all species and communities, absent species included, as Baranwal et al. (2022) do; the
    others are metabolites.
    """
    truth, some = communities.values[:, 1:], len(communities.species)
    parts: dict[str, Any] = {"species": slice(0, some)}
    parts |= {name: some + i for i, name in enumerate(communities.metabolites)}
    rows = []
    for t, hours in enumerate(communities.hours[1:]):
        squared = {name: squared_correlation(truth[:, t, at], predicted[:, t, at]) for name, at in parts.items()}
        errors = {name: determination(truth[:, t, at], predicted[:, t, at]) for name, at in parts.items()}
        rows.append({"hours": float(hours), "r2": squared, "determination": errors})
    return rows


def by_feature(communities: Communities, predicted: Float[np.ndarray, "n later features"]) -> list[dict[str, Any]]:
    """Pearson r and root mean squared error of each feature over all times after the first.

    A species is judged on the communities that it was put into, as in the tables of Thompson et al. (2023).
    """
    truth, some = communities.values[:, 1:], len(communities.species)
    rows = []
    for j, name in enumerate(communities.features):
        there = communities.present[:, j] if j < some else np.ones(len(communities), bool)
        t, p = truth[there, :, j].ravel(), predicted[there, :, j].ravel()
        rows.append(
            {
                "feature": name,
                "kind": "species" if j < some else "metabolite",
                "r": pearson(t, p),
                "determination": determination(t, p),
                "rmse": rmse(t, p),
                "communities": int(there.sum()),
            }
        )
    return rows


def summary(features: list[dict[str, Any]]) -> dict[str, float]:
    """Means over the species, and over the metabolites, of what `by_feature` gives."""
    found = {}
    for kind in ("species", "metabolite"):
        rows = [row for row in features if row["kind"] == kind and row["communities"]]
        if rows:
            found[f"{kind}_r"], found[f"{kind}_rmse"] = (_mean_or_nan([row[m] for row in rows]) for m in ("r", "rmse"))
    return found


def coverage(
    communities: Communities, lower: Float[np.ndarray, "n later features"], upper: Float[np.ndarray, "n later features"]
) -> float:
    """The share of measured values that lie between the bounds; species that were not put in are not counted."""
    truth = communities.values[:, 1:]
    counted = ~np.isnan(truth)
    counted[..., : len(communities.species)] &= communities.present[:, None, :]
    inside = (truth >= lower) & (truth <= upper)
    return float(inside[counted].mean())


def _mean(values: Sequence[float]) -> float | None:
    """The mean of those that there are."""
    there = [value for value in values if not np.isnan(value)]
    return float(np.mean(there)) if there else None


def _mean_or_nan(values: Sequence[float]) -> float:
    found = _mean(values)
    return float("nan") if found is None else found
