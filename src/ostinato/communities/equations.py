"""The right-hand sides of the equations of ecology."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float


def lotka_volterra(weights: tuple[Any, Any, Any], x: Float[Array, " species"]) -> Float[Array, " species"]:
    r"""$x_i (\mu_i + \sum_j a_{ij} x_j + \sum_{j<k} b_{ijk} x_j x_k)$; `weights` are $\mu, a$ and $b$ or None."""
    growth, interactions, third = weights
    rate = growth + interactions @ x
    if third is not None:
        upper = jnp.triu(jnp.outer(x, x), 1)
        rate = rate + jnp.einsum("ijk,jk->i", third, upper)
    return x * rate


def consumer_resource(weights: tuple[Any, Any, Any, Any], z: Float[Array, " both"]) -> Float[Array, " both"]:
    r"""Species, then resources, see `ConsumerResource`; `weights` are $c, y, m, d$."""
    uptake, yields, maintenance, conversion = weights
    x, r = z[: len(maintenance)], z[len(maintenance) :]
    taken = uptake * r[None, :] * x[:, None]
    total = jnp.sum(taken, axis=0)
    return jnp.concatenate([jnp.sum(yields * taken, axis=1) - maintenance * x, conversion @ total - total])
