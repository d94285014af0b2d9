"""Lotka-Volterra in steps from sample to sample, metabolites read off the species: what networks are compared with."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray
from optax import contrib

from ostinato.communities.network import as_it_is
from ostinato.data import Batches, Communities, SequenceSource, stream
from ostinato.errors import NotFitted, SettingsError
from ostinato.layers import Stack, rollout
from ostinato.layers.readout import Nothing, Pointwise
from ostinato.losses import squared
from ostinato.training import fit


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


class ApproximateLotkaVolterra:
    r"""Communities by discretised Lotka-Volterra dynamics with a network for the metabolites (Baranwal et al. 2022).

    Trained on single steps: from each sample the next one, mean squared error, Adam. What is predicted goes from the
    first time alone and is 0 or more.

    * `scaled`: errors in units of each feature's deviation at later times, and a rate that falls along a cosine.
      Without it, as the authors trained it: millimoles count for a thousand times as much as optical densities, and
      the rate is cut to a tenth where the loss has not fallen for ten epochs.
    * `hidden_size`: units of the network; `epochs`, `batch_size` (communities), `learning_rate`, `seed`.

    `fit`, `predict`; `cell_` is the fitted step. Raises `SettingsError`, `NotFitted`.

    ```python
    >>> x = np.array([[0.1, 0.0], [0.0, 0.1], [0.1, 0.1], [0.2, 0.1]])
    >>> data = Communities(tuple("abcd"), ("A", "B"), (), np.arange(2.0), np.stack([x, x + x * (0.5 - x)], axis=1))
    >>> model = ApproximateLotkaVolterra(hidden_size=2, epochs=600, learning_rate=0.1).fit(data)
    >>> bool(np.abs(model.predict(data) - data.values[:, 1:]).max() < 1e-3)
    True

    ```
    """

    cell_: LotkaVolterraStep

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
        if min(hidden_size, epochs, batch_size) < 1 or learning_rate <= 0:
            raise SettingsError(
                "hidden_size, epochs, batch_size, learning_rate: expected 1 or more and above 0, "
                f"got {hidden_size}, {epochs}, {batch_size}, {learning_rate}"
            )
        self.hidden_size, self.scaled, self.epochs = hidden_size, scaled, epochs
        self.batch_size, self.learning_rate, self.seed = batch_size, learning_rate, seed

    def fit(self, communities: Communities) -> "ApproximateLotkaVolterra":
        """From trajectories; a step with a missing value at either end is left out."""
        values, species = communities.values, len(communities.species)
        whole = np.asarray(~np.isnan(values).any(-1))
        spread = np.nanstd(values[:, 1:], axis=(0, 1)) if self.scaled else np.ones(values.shape[-1])
        unit = np.where(spread > 0, spread, 1.0)
        known = np.nan_to_num(values)
        source = SequenceSource(
            known[:, :-1], list(known[:, 1:] / unit), per_step=True, weight=list((whole[:, 1:] & whole[:, :-1]) * 1.0)
        )
        batches = Batches(source, self.batch_size, seed=self.seed)
        cell = LotkaVolterraStep(
            species, len(communities.metabolites), self.hidden_size, key=stream(self.seed, "weights")
        )
        scale = jnp.asarray(unit, jnp.result_type(float))
        steps = self.epochs * len(batches)
        if self.scaled:
            optimizer = optax.adam(optax.cosine_decay_schedule(self.learning_rate, steps))
        else:
            plateau = contrib.reduce_on_plateau(factor=0.1, patience=10, accumulation_size=len(batches))
            optimizer = optax.chain(optax.adam(self.learning_rate), plateau)
        result = fit(
            Stack((cell,)),
            batches,
            loss=lambda y, target: squared(y / scale, target),
            optimizer=optimizer,
            steps=steps,
            every=steps,
        )
        self.cell_ = result.model.layers[0]
        return self

    def predict(self, communities: Communities) -> Float[np.ndarray, "n later features"]:
        """All features at the later times, from the first time alone."""
        if not hasattr(self, "cell_"):
            raise NotFitted("ApproximateLotkaVolterra: call fit first")
        first = jnp.asarray(communities.initial, jnp.result_type(float))
        made, _ = rollout(self.cell_, first, len(communities.hours) - 1, as_it_is)
        return np.maximum(np.asarray(made, float), 0.0)
