"""Losses of numbers, each for one step of one sequence: `loss(y, target) -> scalar`."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from ostinato.errors import SettingsError


def squared(y: Float[Array, "..."], target: Float[Array, "..."]) -> Float[Array, ""]:
    r"""$\frac1n \sum_i (y_i - y^*_i)^2$."""
    return jnp.mean(jnp.square(y - target))


def absolute(y: Float[Array, "..."], target: Float[Array, "..."]) -> Float[Array, ""]:
    r"""$\frac1n \sum_i |y_i - y^*_i|$."""
    return jnp.mean(jnp.abs(y - target))


def huber(delta: float = 1.0) -> Callable[[Array, Array], Array]:
    r"""Quadratic to $|e| \le \delta$, then linear: $\frac12 e^2$ or $\delta(|e| - \frac12\delta)$ (Huber 1964)."""
    if delta <= 0:
        raise SettingsError(f"delta: expected a positive number, got {delta}")

    def loss(y: Array, target: Array) -> Array:
        error = jnp.abs(y - target)
        return jnp.mean(jnp.where(error <= delta, 0.5 * jnp.square(error), delta * (error - 0.5 * delta)))

    return loss


def quantile(levels: Sequence[float]) -> Callable[[Array, Array], Array]:
    r"""The pinball loss of several quantiles (Koenker and Bassett 1978).

    $$\frac{1}{nq} \sum_{i,j} \max\big(\tau_j e_{ij},\, (\tau_j - 1) e_{ij}\big),\qquad e_{ij} = y^*_i - y_{ij}$$

    `y` has the quantiles on its last axis, `(..., levels)`; the target lacks it.
    """
    if not levels or not all(0 < level < 1 for level in levels):
        raise SettingsError(f"levels: expected numbers between 0 and 1, got {list(levels)}")

    def loss(y: Array, target: Array) -> Array:
        tau = jnp.asarray(levels, y.dtype).reshape((1,) * (y.ndim - 1) + (-1,))
        error = target[..., None] - y
        return jnp.mean(jnp.maximum(tau * error, (tau - 1) * error))

    return loss
