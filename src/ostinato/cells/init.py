"""Starting values: presets that give the weights of all gates of a cell at once.

* `"ostinato"`: input weights uniform after Glorot and Bengio (2010), each gate's recurrent matrix orthogonal, biases 0,
  forget bias 1.
* `"torch"`: everything, biases too, uniform in ±1/sqrt(hidden); no forget bias.
* `"keras"`: Glorot over the gates laid side by side, one orthogonal matrix `(hidden, gates * hidden)` cut into gates,
  biases 0, forget bias 1.
* `"irnn"`: for cells of one gate: the identity as recurrent matrix, input weights normal with deviation 0.001, biases 0
  (Le, Jaitly and Hinton, arXiv 1504.00941, 2015; meant for `activation="relu"`).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.errors import SettingsError

INITS = ("ostinato", "torch", "keras", "irnn")


class GateWeights(NamedTuple):
    """What every gated cell starts from."""

    W: Float[Array, "gates hidden input"]
    R: Float[Array, "gates hidden recurrent"]
    b: Float[Array, "gates hidden"]
    b_h: Float[Array, "gates hidden"]
    forget_bias: float


def default_dtype(dtype: DTypeLike | None) -> DTypeLike:
    """The given dtype, or JAX's default float (float64 where x64 is enabled)."""
    return jnp.result_type(float) if dtype is None else jnp.dtype(dtype)


def gate_weights(
    init: str,
    gates: int,
    hidden_size: int,
    input_size: int,
    *,
    recurrent_size: int | None = None,
    key: PRNGKeyArray,
    dtype: DTypeLike | None = None,
) -> GateWeights:
    """The weights of `gates` gates after the preset `init`.

    `recurrent_size` is the length of the vector that R multiplies: `hidden_size` if None, 0 where there is no R.
    Raises `SettingsError` for an unknown preset, one that does not fit, or sizes that make no cell.
    """
    if hidden_size < 1 or input_size < 0:
        raise SettingsError(f"sizes: expected input_size >= 0 and hidden_size >= 1, got {input_size} and {hidden_size}")
    dtype = default_dtype(dtype)
    k_in, k_rec, k_b, k_bh = jr.split(key, 4)
    inner = hidden_size if recurrent_size is None else recurrent_size
    shapes = (gates, hidden_size, input_size), (gates, hidden_size, inner), (gates, hidden_size)
    zeros = jnp.zeros(shapes[2], dtype)
    if init == "ostinato":
        W = uniform(k_in, shapes[0], glorot_limit(input_size, hidden_size), dtype)
        R = orthogonal(k_rec, hidden_size, inner, gates, dtype)
        return GateWeights(W, R, zeros, zeros, 1.0)
    if init == "torch":
        limit = 1 / hidden_size**0.5
        W = uniform(k_in, shapes[0], limit, dtype)
        R = uniform(k_rec, shapes[1], limit, dtype)
        return GateWeights(W, R, uniform(k_b, shapes[2], limit, dtype), uniform(k_bh, shapes[2], limit, dtype), 0.0)
    if init == "keras":
        W = uniform(k_in, shapes[0], glorot_limit(input_size, gates * hidden_size), dtype)
        wide = orthogonal(k_rec, gates * hidden_size, inner, 1, dtype)[0]
        return GateWeights(W, wide.reshape(shapes[1]), zeros, zeros, 1.0)
    if init == "irnn":
        if gates != 1:
            raise SettingsError(f"init: 'irnn' is for cells of one gate, this one has {gates}")
        W = 0.001 * jr.normal(k_in, shapes[0], dtype)
        return GateWeights(W, jnp.eye(hidden_size, inner, dtype=dtype)[None], zeros, zeros, 0.0)
    raise SettingsError(f"init: expected one of {', '.join(INITS)}, got {init!r}")


def glorot_limit(fan_in: int, fan_out: int) -> float:
    """Half-width of the uniform distribution of Glorot and Bengio (2010)."""
    return (6 / max(fan_in + fan_out, 1)) ** 0.5


def uniform(key: PRNGKeyArray, shape: tuple[int, ...], limit: float, dtype: DTypeLike) -> Array:
    """Uniform in ±limit."""
    return jr.uniform(key, shape, dtype, -limit, limit)


def orthogonal(
    key: PRNGKeyArray, rows: int, columns: int, count: int, dtype: DTypeLike
) -> Float[Array, "n rows columns"]:
    """`count` random matrices with orthonormal columns (rows, where there are fewer of them)."""
    if rows == 0 or columns == 0:
        return jnp.zeros((count, rows, columns), dtype)
    one = jax.nn.initializers.orthogonal()
    # The decomposition behind it has no half precision.
    wide = dtype if jnp.finfo(dtype).bits >= 32 else jnp.float32
    return jnp.stack([one(k, (rows, columns), wide).astype(dtype) for k in jr.split(key, count)])
