"""How good predictions of communities are, in the measures of the papers and in those that they leave out."""

from typing import Any

import numpy as np
from jaxtyping import Float

from ostinato.data import Communities


def pearson(truth: Any, predicted: Any) -> float:
    """The correlation coefficient of Pearson over entries where there is a truth; 0 where one of both is constant.

    ```python
    >>> pearson([1.0, 2.0, np.nan, 3.0], [2.0, 4.0, 9.0, 6.0]), pearson([1.0, 2.0], [5.0, 5.0])
    (1.0, 0.0)

    ```
    """
    t, p = _pairs(truth, predicted)
    if len(t) < 2:
        return 0.0
    t, p = t - t.mean(), p - p.mean()
    norm = np.sqrt((t**2).sum() * (p**2).sum())
    return float(np.round((t * p).sum() / norm, 12)) if norm > 0 else 0.0


def determination(truth: Any, predicted: Any) -> float:
    r"""$1 - \sum (y - \hat y)^2 / \sum (y - \bar y)^2$: below 0 where the mean of the truth would have been better."""
    t, p = _pairs(truth, predicted)
    total = ((t - t.mean()) ** 2).sum() if len(t) else 0.0
    return float(1 - ((t - p) ** 2).sum() / total) if total > 0 else 0.0


def rmse(truth: Any, predicted: Any) -> float:
    """Root of the mean squared error."""
    t, p = _pairs(truth, predicted)
    return float(np.sqrt(((t - p) ** 2).mean())) if len(t) else float("nan")


def by_time(communities: Communities, predicted: Float[np.ndarray, "n later features"]) -> list[dict[str, Any]]:
    """Squared Pearson r and the coefficient of determination at each time after the first.

    The entry `species` pools all species and communities, absent species included, as Baranwal et al. (2022) do; the
    others are metabolites.
    """
    truth, some = communities.values[:, 1:], len(communities.species)
    parts: dict[str, Any] = {"species": slice(0, some)}
    parts |= {name: some + i for i, name in enumerate(communities.metabolites)}
    rows = []
    for t, hours in enumerate(communities.hours[1:]):
        r2 = {name: pearson(truth[:, t, at], predicted[:, t, at]) ** 2 for name, at in parts.items()}
        cod = {name: determination(truth[:, t, at], predicted[:, t, at]) for name, at in parts.items()}
        rows.append({"hours": float(hours), "r2": r2, "determination": cod})
    return rows


def by_feature(communities: Communities, predicted: Float[np.ndarray, "n later features"]) -> list[dict[str, Any]]:
    """Pearson r and root mean squared error of each feature over all times after the first.

    A species is judged on the communities that it was put into, as in the tables of Thompson et al. (2023).
    """
    truth, some = communities.values[:, 1:], len(communities.species)
    rows = []
    for j, name in enumerate(communities.features):
        there = communities.present[:, j] if j < some else np.ones(len(communities), bool)
        t, p = truth[there, :, j], predicted[there, :, j]
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
            found[f"{kind}_r"] = float(np.mean([row["r"] for row in rows]))
            found[f"{kind}_rmse"] = float(np.mean([row["rmse"] for row in rows]))
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


def _pairs(truth: Any, predicted: Any) -> tuple[np.ndarray, np.ndarray]:
    t, p = np.ravel(np.asarray(truth, float)), np.ravel(np.asarray(predicted, float))
    there = ~np.isnan(t)
    return t[there], p[there]
