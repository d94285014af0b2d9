"""In which communities a model is right: where it is not, an experiment would tell much."""

import numpy as np
from jaxtyping import Float

from ostinato.communities.scores import squared_correlation
from ostinato.data import Communities
from ostinato.errors import SettingsError


def sensitivity(
    communities: Communities, unseen: Float[np.ndarray, "n later features"], feature: str, *, least: int = 5
) -> Float[np.ndarray, "species species"]:
    """How well a feature is predicted in communities that hold species i and j: squared Pearson r over all later times.

    `unseen` are predictions by networks that have not seen the community (`CommunityModel.unseen_`, or
    `cross_validate`). The diagonal is for communities that hold one species. NaN where there are fewer than `least` of
    them. A low value says where the model knows little, and an experiment would tell much (Baranwal et al. 2022).

    Raises `SettingsError` for an unknown feature.
    """
    if feature not in communities.features:
        raise SettingsError(f"feature: expected one of {', '.join(communities.features)}, got {feature!r}")
    at, present = communities.features.index(feature), communities.present
    truth, made = communities.values[:, 1:, at], unseen[..., at]
    count = len(communities.species)
    found = np.full((count, count), np.nan)
    for i in range(count):
        for j in range(i, count):
            rows = present[:, i] & present[:, j]
            if rows.sum() >= least:
                found[i, j] = found[j, i] = squared_correlation(truth[rows], made[rows])
    return found
