"""Dropout between layers: another mask at every step (Srivastava et al., JMLR 15, 2014)."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PRNGKeyArray

from ostinato.errors import SettingsError
from ostinato.layers.readout import Nothing, Pointwise


class Dropout(Pointwise):
    r"""$y_t = x_t \odot m_t / (1 - p)$ with $m_t$ Bernoulli of $1 - p$; the identity where no key is given.

    For a mask that lasts the whole sequence, and for dropout on the recurrent connections, see `VariationalDropout`.
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    rate: float = eqx.field(static=True)

    def __init__(self, size: int, rate: float):
        if not 0 <= rate < 1:
            raise SettingsError(f"rate: expected 0 <= rate < 1, got {rate}")
        self.input_size = self.hidden_size = size
        self.rate = rate

    def __call__(
        self, x: Array, state: Nothing, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Nothing, Array]:
        del dt
        if key is None or self.rate == 0:
            return state, x
        kept = jr.bernoulli(key, 1 - self.rate, x.shape)
        return state, jnp.where(kept, x / (1 - self.rate), jnp.zeros_like(x))
