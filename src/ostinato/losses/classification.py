"""Losses of labels, each for one step of one sequence (or one sequence): `loss(logits, label) -> scalar`."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def cross_entropy(logits: Float[Array, " classes"], label: Int[Array, ""]) -> Float[Array, ""]:
    r"""$-\log \mathrm{softmax}(a)_{k}$ for the label k, in nats."""
    return jax.nn.logsumexp(logits) - jnp.take(logits, label)


def binary_cross_entropy(logits: Float[Array, "..."], target: Float[Array, "..."]) -> Float[Array, ""]:
    r"""$\frac1n\sum_i \log(1 + e^{a_i}) - y^*_i a_i$, in nats; targets in 0..1."""
    return jnp.mean(jax.nn.softplus(logits) - target * logits)
