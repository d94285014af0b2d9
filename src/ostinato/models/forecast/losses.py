"""The losses of a forecaster, over what is known of the steps ahead, and which of its weights decay."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from ostinato import losses
from ostinato.models import measures

LOSSES: dict[str, Callable[..., Array]] = {
    "squared": losses.squared,
    "absolute": losses.absolute,
    "huber": losses.huber(),
}


@lru_cache(maxsize=64)
def loss_of(name: str, quantiles: tuple[float, ...]) -> Callable[[Array, dict[str, Array]], Array]:
    """The loss of one window: the pinball loss where quantiles are asked for, otherwise one of `LOSSES`."""
    inner = losses.quantile(quantiles) if quantiles else LOSSES[name]

    def loss(y: Array, target: dict[str, Array]) -> Array:
        return known_loss(inner, y, target)

    return loss


def known_loss(inner: Callable[..., Array], y: Array, target: dict[str, Array]) -> Array:
    """The mean of a loss over the entries of `(horizon, targets)` whose truth is known; 0 where none is."""
    known = target["known"]
    wide = known if y.ndim == known.ndim else known[..., None]
    value = inner(jnp.where(wide, y, jnp.zeros_like(y)), target["values"])
    share = jnp.mean(known.astype(y.dtype))
    return value / jnp.where(share > 0, share, jnp.ones_like(share))


def mean_loss(y: np.ndarray, target: dict[str, np.ndarray], name: str, levels: tuple[float, ...]) -> float:
    """The same over many windows, in float64."""
    known = target["known"]
    if levels:
        return measures.pinball(target["values"][known], y[known], levels)
    judge = measures.mae if name == "absolute" else measures.mse
    return judge(target["values"][known], y[known])


def decayed(weights: PyTree[Any]) -> PyTree[Any]:
    """Where weight decay applies: matrices of the net, not the skip."""
    flags = jax.tree.map(lambda leaf: leaf.ndim > 1, weights)
    none = jax.tree.map(lambda leaf: False, weights.skip)
    return eqx.tree_at(lambda net: net.skip, flags, none, is_leaf=lambda leaf: leaf is None)
