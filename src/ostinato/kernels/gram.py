"""The product of a matrix with itself: compiled where the library is, otherwise by plain JAX."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ostinato.kernels.native import library


@jax.custom_vjp
def gram(x: Float[Array, "n features"]) -> Float[Array, "features features"]:
    """`x' x`, half of it computed and the other half copied.

    ```python
    >>> import jax.numpy as jnp
    >>> gram(jnp.array([[1.0, 2.0], [0.0, 3.0]])).tolist()
    [[1.0, 2.0], [2.0, 13.0]]

    ```
    """
    found, _ = library()
    if found is None or x.dtype not in (jnp.float32, jnp.float64):
        # Rows times rows: XLA is slower with the columns of a matrix.
        turned = jax.lax.optimization_barrier(x.T)
        return turned @ turned.T
    shape = jax.ShapeDtypeStruct((x.shape[1], x.shape[1]), x.dtype)
    return jax.ffi.ffi_call("ostinato_gram", shape, vmap_method="sequential")(x)


def _forward(x: Array) -> tuple[Array, Array]:
    return gram(x), x


def _backward(x: Array, upstream: Array) -> tuple[Any]:
    return (x @ (upstream + upstream.T),)


gram.defvjp(_forward, _backward)
