"""Lotka-Volterra as a baseline: what regression of log-ratios makes of the same samples, with a map to metabolites."""

import numpy as np
from jaxtyping import Float

from ostinato.communities.lotka_volterra_fits import regressed
from ostinato.data import Communities
from ostinato.models.ridge import RidgeRegression

PENALTIES = (1e-2, 1e-1, 1.0, 10.0)
"""Of the regression; the one with the least error of simulated training communities is taken."""

STEP = 0.25
"""Hours of one Runge-Kutta step at most."""

ROOM = 2.0
"""So many times the largest measured abundance is the most that a simulation may reach."""


class CommunityLotkaVolterra:
    r"""The generalised Lotka-Volterra model in pairs, and metabolites as a linear map of the species at that time.

    $$\frac{d \ln x_i}{dt} = \mu_i + \sum_j a_{ij} x_j,\qquad \hat m_t = c_t + W_t\, x(t)$$

    $\mu$ and $a$ are those of `LotkaVolterra.fit` (ridge regression of log-ratios), the map a ridge regression on the
    measured species of each time. Simulated from the first time on, logarithms by Runge-Kutta steps of the fourth
    order; an abundance stays below `ROOM` times the largest that was measured, so nothing grows without end.
    """

    def __init__(
        self,
        hours: np.ndarray,
        growth: np.ndarray,
        interactions: np.ndarray,
        most: np.ndarray,
        weights: np.ndarray,
        constant: np.ndarray,
    ):
        self.hours, self.growth, self.interactions, self.most = hours, growth, interactions, most
        self.weights, self.constant = weights, constant

    @classmethod
    def fit(cls, train: Communities) -> "CommunityLotkaVolterra":
        """From communities. Raises `DataError` where a species is in no two consecutive samples."""
        some, later = len(train.species), len(train.hours) - 1
        truth = train.values[..., :some]
        fits = [regressed(train, third=False, ridge=penalty) for penalty in PENALTIES]
        most = ROOM * np.nanmax(truth, axis=(0, 1))
        spread = np.maximum(np.nanstd(truth[:, 1:], axis=(0, 1)), 1e-12)
        best, chosen = np.inf, fits[0][:2]
        for growth, interactions, _ in fits:
            made = _simulated(truth[:, 0], train.hours, growth, interactions, most)
            error = float(np.nanmean(np.square((made - truth[:, 1:]) / spread)))
            if error < best:
                best, chosen = error, (growth, interactions)
        others = train.values.shape[2] - some
        weights, constant = np.zeros((later, some, others)), np.zeros((later, others))
        for t in range(later):
            for k in range(others):
                target = train.values[:, t + 1, some + k]
                seen = ~np.isnan(target) & ~np.isnan(truth[:, t + 1]).any(1)
                if seen.sum() > 1:
                    found = RidgeRegression.fit(truth[seen, t + 1], target[seen, None])
                    weights[t, :, k] = found.weights[:, 0] / found.scale
                    constant[t, k] = found.constant[0] - found.mean @ weights[t, :, k]
        return cls(train.hours, *chosen, most, weights, constant)

    def predict(self, communities: Communities) -> Float[np.ndarray, "n later features"]:
        """From the abundances at the first time."""
        start = communities.initial[:, : len(self.growth)]
        species = _simulated(start, self.hours, self.growth, self.interactions, self.most)
        others = np.einsum("nts,tsk->ntk", species, self.weights) + self.constant
        return np.concatenate([species, np.maximum(others, 0.0)], axis=2)

    def arrays(self) -> dict[str, np.ndarray]:
        """For a file."""
        names = ("hours", "growth", "interactions", "most", "weights", "constant")
        return {name: np.asarray(getattr(self, name), float) for name in names}

    @staticmethod
    def shapes(later: int, species: int, features: int) -> dict[str, tuple[int, ...]]:
        """Of the arrays in a file."""
        others = features - species
        by_species = {"growth": (species,), "interactions": (species, species), "most": (species,)}
        return {"hours": (later + 1,), **by_species, "weights": (later, species, others), "constant": (later, others)}


def _simulated(
    start: Float[np.ndarray, "n species"],
    hours: Float[np.ndarray, " times"],
    growth: Float[np.ndarray, " species"],
    interactions: Float[np.ndarray, "species species"],
    most: Float[np.ndarray, " species"],
) -> Float[np.ndarray, "n later species"]:
    """Abundances at the times after the first; a species that is not put in stays absent."""
    with np.errstate(divide="ignore"):
        y, highest = np.log(start), np.log(most)
    slope = lambda y: growth + np.exp(np.minimum(y, highest)) @ interactions.T
    found = np.empty((len(start), len(hours) - 1, len(growth)))
    for t, length in enumerate(np.diff(hours)):
        steps = max(int(np.ceil(length / STEP)), 1)
        h = length / steps
        for _ in range(steps):
            a = slope(y)
            b = slope(y + h / 2 * a)
            c = slope(y + h / 2 * b)
            d = slope(y + h * c)
            y = np.minimum(y + h / 6 * (a + 2 * b + 2 * c + d), highest)
        found[:, t] = np.exp(y)
    return found
