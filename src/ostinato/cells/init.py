"""Starting values: presets that give the weights of all gates of a cell at once.

* `"ostinato"`: input weights uniform after Glorot and Bengio (2010), each gate's recurrent matrix orthogonal, biases 0,
  forget bias 1.
* `"torch"`: everything, biases too, uniform in ±1/sqrt(hidden); no forget bias.
* `"keras"`: Glorot over the gates laid side by side, one orthogonal matrix `(hidden, gates * hidden)` cut into gates,
  biases 0, forget bias 1.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.errors import SettingsError

INITS = ("ostinato", "torch", "keras")


class GateWeights(NamedTuple):
    """What every gated cell starts from."""

    W: Float[Array, "gates hidden input"]
    R: Float[Array, "gates hidden hidden"]
    b: Float[Array, "gates hidden"]
    b_h: Float[Array, "gates hidden"]
    forget_bias: float


def default_dtype(dtype: DTypeLike | None) -> DTypeLike:
    """The given dtype, or JAX's default float (float64 where x64 is enabled)."""
    return jnp.zeros(()).dtype if dtype is None else jnp.dtype(dtype)


def gate_weights(
    init: str, gates: int, hidden_size: int, input_size: int, *, key: PRNGKeyArray, dtype: DTypeLike | None = None
) -> GateWeights:
    """The weights of `gates` gates after the preset `init`; raises `SettingsError` for an unknown one."""
    dtype = default_dtype(dtype)
    k_in, k_rec, k_b, k_bh = jr.split(key, 4)
    shapes = (gates, hidden_size, input_size), (gates, hidden_size, hidden_size), (gates, hidden_size)
    zeros = jnp.zeros(shapes[2], dtype)
    if init == "ostinato":
        W = uniform(k_in, shapes[0], glorot_limit(input_size, hidden_size), dtype)
        R = orthogonal(k_rec, hidden_size, hidden_size, gates, dtype)
        return GateWeights(W, R, zeros, zeros, 1.0)
    if init == "torch":
        limit = 1 / max(hidden_size, 1) ** 0.5
        W = uniform(k_in, shapes[0], limit, dtype)
        R = uniform(k_rec, shapes[1], limit, dtype)
        return GateWeights(W, R, uniform(k_b, shapes[2], limit, dtype), uniform(k_bh, shapes[2], limit, dtype), 0.0)
    if init == "keras":
        W = uniform(k_in, shapes[0], glorot_limit(input_size, gates * hidden_size), dtype)
        wide = orthogonal(k_rec, gates * hidden_size, hidden_size, 1, dtype)[0]
        return GateWeights(W, wide.reshape(shapes[1]), zeros, zeros, 1.0)
    raise SettingsError(f"init: expected one of {', '.join(INITS)}, got {init!r}")


def glorot_limit(fan_in: int, fan_out: int) -> float:
    """Half-width of the uniform distribution of Glorot and Bengio (2010)."""
    return (6 / max(fan_in + fan_out, 1)) ** 0.5


def uniform(key: PRNGKeyArray, shape: tuple[int, ...], limit: float, dtype: DTypeLike) -> Array:
    """Uniform in ±limit."""
    return jr.uniform(key, shape, dtype, -limit, limit)


def orthogonal(key: PRNGKeyArray, rows: int, columns: int, count: int, dtype: DTypeLike) -> Float[Array, "n rows columns"]:
    """`count` random matrices with orthonormal columns (rows, where there are fewer of them)."""
    if rows == 0 or columns == 0:
        return jnp.zeros((count, rows, columns), dtype)
    return jax.nn.initializers.orthogonal()(key, (count, rows, columns), dtype)
