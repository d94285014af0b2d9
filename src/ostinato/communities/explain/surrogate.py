"""Predictions explained by who is there: a linear map around each community."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ostinato.communities.model import CommunityModel
from ostinato.data import Communities, permutation


class Surrogate(NamedTuple):
    """A linear map that stands for the model around each community (Ribeiro et al. 2016).

    * `effects (n, features, species)`: how much more of a feature there is at the last time with the species than
      without it; NaN for species that were not put in, and in communities of one species.
    * `r2 (n, features)`: how much of the model's answers the linear map explains.
    """

    effects: Float[np.ndarray, "n features species"]
    r2: Float[np.ndarray, "n features"]


def surrogate(
    model: CommunityModel | Callable[[np.ndarray], np.ndarray],
    communities: Communities,
    *,
    samples: int = 300,
    ridge: float = 1e-3,
    seed: int = 0,
) -> Surrogate:
    r"""Explain each prediction by who is there: leave out species at random, predict, and fit a weighted linear map.

    `model`: a `CommunityModel`, or any function of what is there first, `(n, features)`, to what is there at last.

    Each present species is kept with probability 1/2, with the amount that it had. A sample that lacks the share $d$ of
    the species counts $\exp(-d^2 / 0.25^2 / 2)$: what is near to the community counts most.

    ```python
    >>> start = np.array([[[0.1, 0.2, 0.0]]])
    >>> data = Communities(("c",), ("A", "B"), ("acid",), np.zeros(1), start)
    >>> acid = lambda first: (first[:, :2] > 0) @ np.array([[0.0, 0.0, 30.0], [0.0, 0.0, -10.0]])
    >>> surrogate(acid, data, ridge=1e-9).effects[0, 2].round(4).tolist()
    [30.0, -10.0]

    ```
    """
    predict = _last_time(model) if isinstance(model, CommunityModel) else model
    present, first = communities.present, communities.initial
    count, species = len(communities), present.shape[1]
    effects = np.full((count, first.shape[1], species), np.nan)
    r2 = np.zeros((count, first.shape[1]))
    for c in range(count):
        there = np.flatnonzero(present[c])
        if len(there) < 2:
            continue
        draws = [permutation(2 * samples, seed, c, int(i), name="surrogate")[:samples] % 2 == 0 for i in there]
        keep = np.stack(draws, axis=1)
        keep = np.concatenate([np.ones((1, len(there)), bool), keep[keep.any(1)]])
        starts = np.repeat(first[c][None], len(keep), axis=0)
        starts[:, there] *= keep
        made = predict(starts)
        weight = np.exp(-((1 - keep.mean(1)) ** 2) / (2 * 0.25**2))
        root = np.sqrt(weight / weight.sum())[:, None]
        inputs = np.concatenate([np.ones((len(keep), 1)), keep], axis=1) * root
        penalty = ridge * np.eye(inputs.shape[1])
        penalty[0, 0] = 0.0
        found = np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ (made * root))
        effects[c, :, there] = found[1:]
        left = ((made * root - inputs @ found) ** 2).sum(0)
        spread = (((made - (weight @ made) / weight.sum()) * root) ** 2).sum(0)
        r2[c] = np.where(spread > 0, 1 - left / np.maximum(spread, 1e-30), 0.0)
    return Surrogate(effects, r2)


def _last_time(model: CommunityModel) -> Callable[[np.ndarray], np.ndarray]:
    model.check_fitted()
    steps = len(model.hours_) - 1
    return lambda first: model.networks_.forecast(first, steps)[: model.members].mean(0)[:, -1]
