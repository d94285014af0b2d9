"""Activations by name, so that settings and files can name them."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ostinato.errors import SettingsError

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "linear": lambda x: x,
    "softplus": jax.nn.softplus,
    "hard_sigmoid": lambda x: jnp.clip(x / 6 + 0.5, 0, 1),
    "softmax": jax.nn.softmax,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
}


def activation_function(activation: str | Callable[[Array], Array]) -> Callable[[Array], Array]:
    """The function of that name, or the function itself; raises `SettingsError` for an unknown name."""
    if callable(activation):
        return activation
    if activation not in ACTIVATIONS:
        raise SettingsError(f"activation: expected one of {', '.join(ACTIVATIONS)} or a function, got {activation!r}")
    return ACTIVATIONS[activation]
