"""Who influences whom: the strong effects of species, over all communities that hold them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ostinato.communities.explain.surrogate import Surrogate
from ostinato.communities.scores import squared_correlation
from ostinato.data import Communities


class Edge(NamedTuple):
    """An influence of a species on a feature: its median over the communities that hold the species."""

    source: str
    target: str
    effect: float


def influences(
    communities: Communities,
    found: Surrogate,
    unseen: Float[np.ndarray, "n later features"] | None = None,
    *,
    least: float = 5.0,
    share: float = 0.2,
    r2: float = 0.5,
) -> list[Edge]:
    """The strong influences: on metabolites above `least` in their unit, on species above `share` of their own.

    A species' own influence is what it makes of itself; that is no edge. With `unseen` only features are kept that are
    predicted with a squared correlation above `r2` (Baranwal et al. 2022, figure 3).
    """
    some, edges = len(communities.species), []
    with np.errstate(invalid="ignore"):
        median = np.array(
            [[_median(found.effects[:, f, i]) for i in range(some)] for f in range(len(communities.features))]
        )
    for f, target in enumerate(communities.features):
        if unseen is not None:
            there = communities.present[:, f] if f < some else np.ones(len(communities), bool)
            if squared_correlation(communities.values[there, 1:, f], unseen[there, :, f]) <= r2:
                continue
        bar = least if f >= some else share * abs(median[f, f])
        for i, source in enumerate(communities.species):
            if i != f and np.isfinite(median[f, i]) and abs(median[f, i]) > bar > 0:
                edges.append(Edge(source, target, float(median[f, i])))
    return sorted(edges, key=lambda edge: -abs(edge.effect))


def _median(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else np.nan
