"""How much worse a community model would be with less data: cross-validation inside parts of what there is."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ostinato.communities.model import CommunityModel
from ostinato.communities.scores import by_feature
from ostinato.data import Communities, permutation
from ostinato.errors import SettingsError


class Ablation(NamedTuple):
    """Squared Pearson r of each feature over all later times, `(shares, subsets, features)`, and what it belongs to.

    `counts`: how many communities a share is.
    """

    shares: tuple[float, ...]
    counts: tuple[int, ...]
    features: tuple[str, ...]
    r2: Float[np.ndarray, "shares subsets features"]


def ablation(
    model: CommunityModel,
    communities: Communities,
    *,
    shares: Sequence[float] = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    subsets: int = 5,
    folds: int = 20,
    seed: int = 0,
    callback: Callable[[int, int], None] | None = None,
) -> Ablation:
    """Predict every community of random subsets by networks that have seen the rest of the subset.

    As in Baranwal et al. (2022). Where the curve over `shares` still rises at its end, more experiments of the same
    kind would help. `model` says the settings and is not fitted; the whole data make one subset, whatever `subsets`
    is. The r of a species is over communities that hold it. `callback(done, of)` is told after each subset.

    Raises `SettingsError` for shares outside 0 to 1, or so small that they hold fewer communities than `folds`.
    """
    counts = tuple(round(share * len(communities)) for share in shares)
    if subsets < 1 or not counts or not all(0 < share <= 1 for share in shares) or min(counts) < folds:
        raise SettingsError(
            f"shares, subsets: expected shares above 0 and up to 1 that hold {folds} communities or more, and 1 subset "
            f"or more, got {list(shares)} of {len(communities)}, and {subsets}"
        )
    r2 = np.empty((len(counts), subsets, len(communities.features)))
    asked = [(k, j) for k, count in enumerate(counts) for j in range(subsets if count < len(communities) else 1)]
    for done, (k, j) in enumerate(asked):
        rows = np.sort(permutation(len(communities), seed, k, j, name="ablation")[: counts[k]])
        part = communities.take(rows)
        found = by_feature(part, model.cross_validate(part, folds))
        r2[k, j:] = [row["r"] ** 2 for row in found]
        if callback is not None:
            callback(done + 1, len(asked))
    return Ablation(tuple(map(float, shares)), counts, communities.features, r2)
