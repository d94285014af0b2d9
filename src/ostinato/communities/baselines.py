"""What a community model has to beat: the mean of its training data, a linear map of who is there, Lotka-Volterra."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from ostinato.communities.lotka_volterra_baseline import CommunityLotkaVolterra
from ostinato.data import Communities
from ostinato.errors import DataError, SettingsError

PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


@runtime_checkable
class Baseline(Protocol):
    """What a row of `BASELINES` gives."""

    @classmethod
    def fit(cls, train: Communities) -> "Baseline":
        """From communities."""
        ...

    def predict(self, communities: Communities) -> Float[np.ndarray, "n later features"]:
        """All features at the later times of training, from the first time alone."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """For a file; they are the arguments of the constructor."""
        ...

    @staticmethod
    def shapes(later: int, species: int, features: int) -> dict[str, tuple[int, ...]]:
        """Those of `arrays`."""
        ...


class CommunityMean:
    """Each feature at each time as the mean of the training communities; of a species, of those that it was put into.

    A species that was in none of them is expected to be 0.
    """

    def __init__(self, mean: Float[np.ndarray, "later features"]):
        self.mean = mean

    @classmethod
    def fit(cls, train: Communities) -> "CommunityMean":
        """From communities."""
        values = train.values[:, 1:]
        seen = ~np.isnan(values) & _counted(train)
        return cls(np.where(seen, values, 0).sum(0) / np.maximum(seen.sum(0), 1))

    def predict(self, communities: Communities) -> Float[np.ndarray, "n later features"]:
        """The same for all but for the species that are absent."""
        return np.where(_counted(communities), self.mean, 0.0)

    def arrays(self) -> dict[str, np.ndarray]:
        """For a file."""
        return {"mean": self.mean}

    @staticmethod
    def shapes(later: int, species: int, features: int) -> dict[str, tuple[int, ...]]:
        """Of the arrays in a file."""
        del species
        return {"mean": (later, features)}


class CommunityLinear:
    r"""Each feature at each time as a linear map of who is present, by ridge regression.

    $$\hat x_{tf} = c_{tf} + \sum_i w_{tfi}\, p_i,\qquad p_i \in \{0, 1\}$$

    The strength of the penalty, the same for all, is the one of `PENALTIES` with the least error when each training
    community is left out in turn. Species that are absent are 0, what comes out negative too.
    """

    def __init__(self, weights: np.ndarray, constant: np.ndarray):
        self.weights, self.constant = weights, constant

    @classmethod
    def fit(cls, train: Communities) -> "CommunityLinear":
        """From communities; where a sample is missing, the mean of the others stands in for it."""
        inputs = train.present.astype(float)
        mean = CommunityMean.fit(train).predict(train)
        values = train.values[:, 1:]
        targets = np.where(np.isnan(values), mean, values).reshape(len(train), -1)
        counted = np.broadcast_to(_counted(train), values.shape).reshape(len(train), -1)
        spread = np.maximum(targets.std(0), 1e-12)
        best, chosen = np.inf, PENALTIES[0]
        for penalty in PENALTIES:
            error = float(np.square(_left_out(inputs, targets, penalty) / spread)[counted].mean())
            if error < best:
                best, chosen = error, penalty
        centre, constant = inputs.mean(0), targets.mean(0)
        weights = _solve(inputs - centre, targets - constant, chosen)
        return cls(weights, constant - centre @ weights)

    def predict(self, communities: Communities) -> Float[np.ndarray, "n later features"]:
        """From who is there alone."""
        made = communities.present.astype(float) @ self.weights + self.constant
        shape = (len(communities), -1, len(communities.features))
        return np.where(_counted(communities), np.maximum(made.reshape(shape), 0.0), 0.0)

    def arrays(self) -> dict[str, np.ndarray]:
        """For a file."""
        return {"weights": self.weights, "constant": self.constant}

    @staticmethod
    def shapes(later: int, species: int, features: int) -> dict[str, tuple[int, ...]]:
        """Of the arrays in a file."""
        return {"weights": (species, later * features), "constant": (later * features,)}


BASELINES: dict[str, type[Baseline]] = {
    "mean": CommunityMean,
    "linear": CommunityLinear,
    "Lotka-Volterra": CommunityLotkaVolterra,
}


def baselines(train: Communities) -> tuple[dict[str, Baseline], tuple[str, ...]]:
    """All of them by name, fitted, and in words those that the samples do not determine."""
    found: dict[str, Baseline] = {}
    lacking = []
    for name, kind in BASELINES.items():
        try:
            found[name] = kind.fit(train)
        except (DataError, SettingsError) as error:
            lacking.append(f"No {name} beside: {error}.")
    return found, tuple(lacking)


def _solve(inputs: np.ndarray, targets: np.ndarray, penalty: float) -> np.ndarray:
    return np.linalg.solve(inputs.T @ inputs + penalty * np.eye(inputs.shape[1]), inputs.T @ targets)


def _left_out(inputs: np.ndarray, targets: np.ndarray, penalty: float) -> np.ndarray:
    """The errors of leaving each row out, in closed form: residual over 1 - leverage (Allen 1974)."""
    wide = np.concatenate([np.ones((len(inputs), 1)), inputs], axis=1)
    ridge = penalty * np.eye(wide.shape[1])
    ridge[0, 0] = 0.0
    hat = wide @ np.linalg.solve(wide.T @ wide + ridge, wide.T)
    return (targets - hat @ targets) / np.maximum(1 - np.diag(hat), 1e-9)[:, None]


def _counted(communities: Communities) -> np.ndarray:
    """Which entries are not bound to be 0, `(n, 1, features)`."""
    others = np.ones((len(communities), len(communities.metabolites)), bool)
    return np.concatenate([communities.present, others], axis=1)[:, None, :]
