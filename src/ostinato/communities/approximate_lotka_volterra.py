"""Lotka-Volterra in steps from sample to sample, metabolites read off the species: what networks are compared with."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.communities.inputs import known_features
from ostinato.communities.network import as_it_is
from ostinato.data import Batches, Communities, SequenceSource, stream
from ostinato.layers import Stack, rollout
from ostinato.layers.readout import Nothing, Pointwise
from ostinato.losses import squared
from ostinato.models.base import Weights
from ostinato.models.checks import above_0, whole
from ostinato.models.trained import TrainedEstimator


class LotkaVolterraStep(Pointwise):
    r"""One step of discretised Lotka-Volterra dynamics, and a network of two layers for the metabolites.

    $$s' = \max(0,\ s + s \odot (A s + \mu)),\qquad m' = W_2 \max(0,\ W_1 s' + b_1) + b_2$$

    `x, y (species + metabolites,)`, species first; the metabolites of `x` are not read. `A (species, species)` and
    `mu (species,)` begin at 0, the layers as PyTorch's do: uniform within one over the root of their inputs.
    """

    A: Float[Array, "species species"]
    mu: Float[Array, " species"]
    W1: Float[Array, "hidden species"]
    b1: Float[Array, " hidden"]
    W2: Float[Array, "metabolites hidden"]
    b2: Float[Array, " metabolites"]
    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)

    def __init__(self, species: int, metabolites: int, hidden_size: int, *, key: PRNGKeyArray):
        self.input_size, self.hidden_size = species + metabolites, hidden_size
        self.A, self.mu = jnp.zeros((species, species)), jnp.zeros(species)
        k1, k2, k3, k4 = jr.split(key, 4)
        first, second = species**-0.5, hidden_size**-0.5
        self.W1 = jr.uniform(k1, (hidden_size, species), minval=-first, maxval=first)
        self.b1 = jr.uniform(k2, (hidden_size,), minval=-first, maxval=first)
        self.W2 = jr.uniform(k3, (metabolites, hidden_size), minval=-second, maxval=second)
        self.b2 = jr.uniform(k4, (metabolites,), minval=-second, maxval=second)

    @property
    def output_size(self) -> int:
        return self.input_size

    def __call__(
        self, x: Array, state: Nothing, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Nothing, Array]:
        del dt, key
        s = x[: len(self.mu)]
        later = jax.nn.relu(s + s * (self.A @ s + self.mu))
        made = self.W2 @ jax.nn.relu(self.W1 @ later + self.b1) + self.b2
        return state, jnp.concatenate([later, made])


class ApproximateLotkaVolterra(TrainedEstimator):
    r"""Communities by discretised Lotka-Volterra dynamics with a network for the metabolites (Baranwal et al. 2022).

    Trained on single steps: from each sample the next one, mean squared error, Adam. What is predicted goes from the
    first time alone and is 0 or more.

    * `scaled`: errors in units of each feature's deviation at later times, and a rate that falls along a cosine.
      Without it, as the authors trained it: millimoles count for a thousand times as much as optical densities, and
      the rate is cut to a tenth where the loss has not fallen for ten epochs.
    * `hidden_size`: units of the network; `epochs`, `batch_size` (communities), `learning_rate`, `seed`.

    `fit`, `predict`, `save`, `load`. After `fit`: `cell_`, the fitted step, `species_`, `metabolites_`, and what
    `TrainedEstimator` has. Raises `SettingsError`, `DataError`, `NotFitted`.

    ```python
    >>> x = np.array([[0.1, 0.0], [0.0, 0.1], [0.1, 0.1], [0.2, 0.1]])
    >>> data = Communities(tuple("abcd"), ("A", "B"), (), np.arange(2.0), np.stack([x, x + x * (0.5 - x)], axis=1))
    >>> model = ApproximateLotkaVolterra(hidden_size=2, epochs=20, learning_rate=0.1).fit(data)
    >>> bool(np.abs(model.predict(data) - data.values[:, 1:]).max() < 0.02)
    True

    ```
    """

    kind = "approximate-lotka-volterra"
    checks = (*whole("hidden_size", "epochs", "batch_size"), *above_0("learning_rate"))
    warm_up = False

    network_: Stack
    species_: tuple[str, ...]
    metabolites_: tuple[str, ...]

    def __init__(
        self,
        hidden_size: int = 512,
        *,
        scaled: bool = True,
        epochs: int = 200,
        batch_size: int = 10,
        learning_rate: float = 5e-3,
        seed: int = 0,
    ):
        self.hidden_size = hidden_size
        self.scaled = scaled
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.seed = seed

    @property
    def schedule(self) -> str:
        """How the learning rate falls."""
        return "cosine" if self.scaled else "plateau"

    @property
    def cell_(self) -> LotkaVolterraStep:
        """The fitted step."""
        self.check_fitted()
        return self.network_.layers[0]

    def fit(self, communities: Communities) -> "ApproximateLotkaVolterra":
        """From trajectories; a step with a missing value at either end is left out."""
        return self._refit(communities)

    def _fit(self, communities: Communities) -> None:
        self._check_settings()
        values = communities.values
        complete = np.asarray(~np.isnan(values).any(-1))
        spread = np.nanstd(values[:, 1:], axis=(0, 1)) if self.scaled else np.ones(values.shape[-1])
        unit = np.where(spread > 0, spread, 1.0)
        known = np.nan_to_num(values)
        weight = (complete[:, 1:] & complete[:, :-1]) * 1.0
        source = SequenceSource(known[:, :-1], list(known[:, 1:] / unit), per_step=True, weight=list(weight))
        batches = Batches(source, self.batch_size, seed=self.seed)
        scale = jnp.asarray(unit, jnp.result_type(float))
        steps = self.epochs * len(batches)
        result = self._train(
            self._network(len(communities.species), len(communities.metabolites)),
            batches,
            loss=lambda y, target: squared(y / scale, target),
            steps=steps,
            every=steps,
        )
        self._keep(result)
        self.species_, self.metabolites_ = communities.species, communities.metabolites

    def predict(self, communities: Communities) -> Float[np.ndarray, "n later features"]:
        """All features at the later times, from the first time alone. Raises `DataError` for other features."""
        self.check_fitted()
        data = known_features(communities, self.species_, self.metabolites_)
        first = jnp.asarray(data.initial, jnp.result_type(float))
        made, _ = rollout(self.cell_, first, len(data.hours) - 1, as_it_is)
        return np.maximum(np.asarray(made, float), 0.0)

    def _network(self, species: int, metabolites: int) -> Stack:
        """The network before training."""
        return Stack((LotkaVolterraStep(species, metabolites, self.hidden_size, key=stream(self.seed, "weights")),))

    def _fitted(self) -> tuple[Any, dict[str, Any]]:
        names = {"species": list(self.species_), "metabolites": list(self.metabolites_)}
        return self.network_, names | self._training()

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        species, metabolites = (tuple(map(str, numbers[name])) for name in ("species", "metabolites"))
        like = eqx.filter_eval_shape(lambda: self._network(len(species), len(metabolites)))
        self._restore_training(weights(like), numbers)
        self.species_, self.metabolites_ = species, metabolites
