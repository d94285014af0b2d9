"""The network of an estimator of sequences: noise on the way in, an RNN, a summary over time, dropout, a read-out."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ostinato.data import SequenceBatch
from ostinato.layers import RNN, Readout, unroll
from ostinato.layers.dropout import Dropout
from ostinato.layers.many_to_one import POOLS, backward_size, pool_steps
from ostinato.types import State

SUMMARIES = (*POOLS, "all")
"""Ways to make one vector of the outputs over time; "all" puts the others side by side."""

MASKS = 2
"""Bands of each kind that are hidden in every sequence."""


class Noise(eqx.Module):
    r"""What is done to the inputs while training, another draw for every sequence and step; nothing without a key.

    $$\tilde x_{tf} = (x_{tf} + \sigma\,\epsilon_{tf} + \sigma_s\,\eta_f)\, m_t\, m'_f$$

    * `step` σ: standard deviation at each entry; `sequence` σ_s: of an offset that one sequence keeps for each feature.
    * `time_band`, `feature_band`: the masks m and m' are 0 on two bands each, whose widths are uniform in 0..band
      (Park et al., SpecAugment, Interspeech 2019).

    Inputs are standardised, so σ is in standard deviations and 0 is the mean.
    """

    step: float = eqx.field(static=True, default=0.0)
    sequence: float = eqx.field(static=True, default=0.0)
    time_band: int = eqx.field(static=True, default=0)
    feature_band: int = eqx.field(static=True, default=0)

    def __call__(
        self, xs: Float[Array, "batch time features"], key: PRNGKeyArray | None
    ) -> Float[Array, "batch time features"]:
        if key is None:
            return xs
        rows, time, features = xs.shape
        keys = jr.split(key, 4)
        if self.step:
            xs = xs + self.step * jr.normal(keys[0], xs.shape, xs.dtype)
        if self.sequence:
            xs = xs + self.sequence * jr.normal(keys[1], (rows, 1, features), xs.dtype)
        if self.time_band:
            xs = jnp.where(_bands(keys[2], rows, time, self.time_band)[:, :, None], jnp.zeros_like(xs), xs)
        if self.feature_band:
            xs = jnp.where(_bands(keys[3], rows, features, self.feature_band)[:, None, :], jnp.zeros_like(xs), xs)
        return xs


class SequenceNetwork(eqx.Module):
    """One output for each sequence, `(batch, output)`; with `pool=None` one for each step, `(batch, time, output)`.

    Everything random takes effect only where a key is given, that is, in training.
    """

    rnn: RNN
    dropout: Dropout
    readout: Readout
    noise: Noise
    pool: str | None = eqx.field(static=True)

    @property
    def per_sequence(self) -> bool:
        return self.pool is not None

    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        """The unbatched state before the first step."""
        return self.rnn.init_state(key=key)

    def __call__(
        self, xs: SequenceBatch, state: State = None, *, key: PRNGKeyArray | None = None, start: Any = 0
    ) -> tuple[Array, State]:
        inputs, key = self.rnn_inputs(xs, key)
        ys, final = unroll(self.rnn.stack, inputs, state, key=key, start=start)
        return self.apply_head(ys, inputs, xs, key), final

    def rnn_inputs(self, xs: SequenceBatch, key: PRNGKeyArray | None) -> tuple[SequenceBatch, PRNGKeyArray | None]:
        """What the network sees, and the key that it runs with."""
        if key is None:
            return xs, None
        noise_key, key = jr.split(key)
        return eqx.tree_at(lambda batch: batch.values, xs, self.noise(xs.values, noise_key)), key

    def apply_head(self, ys: Array, inputs: SequenceBatch, xs: SequenceBatch, key: PRNGKeyArray | None) -> Array:
        """The outputs from those of the network."""
        del xs
        if self.pool is not None:
            pools = POOLS if self.pool == "all" else (self.pool,)
            found = [pool_steps(ys, inputs.steps, pool, backward_size(self.rnn)) for pool in pools]
            ys = jnp.concatenate(found, axis=-1)[..., None, :]
        ys, _ = unroll(self.dropout, ys, key=key)
        ys, _ = unroll(self.readout, ys)
        return ys if self.pool is None else ys[..., 0, :]


def _bands(key: PRNGKeyArray, rows: int, size: int, widest: int) -> Bool[Array, "rows size"]:
    """True on `MASKS` bands in each row."""
    width_key, start_key = jr.split(key)
    width = jr.randint(width_key, (MASKS, rows, 1), 0, widest + 1)
    start = jr.randint(start_key, (MASKS, rows, 1), 0, size)
    place = jnp.arange(size)[None, None, :]
    return jnp.any((place >= start) & (place < start + width), axis=0)
