"""The optimisers of the studies: Adam whose gradients have a norm of 1 at most, and rates of its members' own."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax


def adam(rate: float | optax.Schedule) -> optax.GradientTransformation:
    """Adam, gradients of norm 1 at most."""
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))


def fading_adam(rate: float, steps: int) -> optax.GradientTransformation:
    """The same with a rate that falls to 0 as a cosine over all steps."""
    return adam(optax.cosine_decay_schedule(rate, steps))


def at_rates(rates: Sequence[float]) -> optax.GradientTransformation:
    """Each member of an `Ensemble` at a rate of its own: a factor of its updates."""

    def scale(updates: Any, params: Any) -> Any:
        del params
        return jax.tree.map(lambda u: u * jnp.asarray(rates, u.dtype).reshape(-1, *(u.ndim - 1) * (1,)), updates)

    return optax.stateless(scale)
