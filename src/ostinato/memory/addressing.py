"""Where a head looks: by content, by shift, and how it reads and writes (Graves, Wayne and Danihelka, 2014)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

# Inside the root of a norm: what an empty row, or a key of zeros, divides by.
EPSILON = 1e-6

Memory = Float[Array, "rows width"]
Weights = Float[Array, "heads rows"]
Vectors = Float[Array, "heads width"]
Numbers = Float[Array, " heads"]


def similarity(memory: Memory, keys: Vectors, epsilon: float = EPSILON) -> Weights:
    r"""The cosine of each key with each row, $\frac{k \cdot M_i}{|k|\,|M_i|}$.

    Norms are $|v| = \sqrt{v \cdot v + \epsilon}$, so that an empty row is like nothing.

    ```python
    >>> import jax.numpy as jnp
    >>> similarity(jnp.eye(3, 2), jnp.array([[2.0, 0.0]])).round(2).tolist()
    [[1.0, 0.0, 0.0]]

    ```
    """
    # As a product: on a CPU the sum over the short axis, and its derivative, took twice as long.
    rows = jax.lax.rsqrt(jnp.square(memory) @ jnp.ones(memory.shape[1], memory.dtype) + epsilon)
    own = jax.lax.rsqrt(jnp.sum(jnp.square(keys), axis=-1, keepdims=True) + epsilon)
    return (keys * own) @ memory.T * rows[None]


def content_weights(memory: Memory, keys: Vectors, strengths: Numbers, epsilon: float = EPSILON) -> Weights:
    r"""$w_i = \mathrm{softmax}_i(\beta \cos(k, M_i))$: the rows that look like the key, the sharper the larger β."""
    return jax.nn.softmax(strengths[:, None] * similarity(memory, keys, epsilon), axis=-1)


def interpolate(content: Weights, before: Weights, gates: Numbers) -> Weights:
    r"""$w = g\,w^c + (1 - g)\,w_{t-1}$: by content, or from where the head was."""
    return before + gates[:, None] * (content - before)


def shift(weights: Weights, kernel: Float[Array, "heads shifts"]) -> Weights:
    r"""$\tilde w_i = \sum_j w_j\, s_{i-j}$ round the circle of rows; the middle of the kernel is a shift of 0.

    As in the paper: a kernel with all its weight on the last entry moves a head to higher rows.

    ```python
    >>> import jax.numpy as jnp
    >>> shift(jnp.array([[0.0, 1.0, 0.0, 0.0]]), jnp.array([[0.0, 0.0, 1.0]])).tolist()
    [[0.0, 0.0, 1.0, 0.0]]

    ```
    """
    shifts = kernel.shape[-1]
    moved = [jnp.roll(weights, n - shifts // 2, axis=-1) * kernel[:, n, None] for n in range(shifts)]
    return sum(moved[1:], moved[0])


def sharpen(weights: Weights, powers: Numbers) -> Weights:
    r"""$w_i = \tilde w_i^\gamma / \sum_j \tilde w_j^\gamma$.

    Computed as $\mathrm{softmax}(\gamma \log \tilde w)$: no power underflows.
    """
    # The least number keeps a row with weight 0 there, with a derivative of 0 in the place of none.
    floor = jnp.asarray(jnp.finfo(weights.dtype).tiny, weights.dtype)
    return jax.nn.softmax(powers[:, None] * jnp.log(jnp.maximum(weights, floor)), axis=-1)


def read(memory: Memory, weights: Weights) -> Vectors:
    r"""$r = \sum_i w_i M_i$ for each head."""
    return weights @ memory


def write(memory: Memory, weights: Weights, erase: Vectors, add: Vectors) -> Memory:
    r"""$M \leftarrow M \odot \prod_h (1 - w^h {e^h}^\top) + \sum_h w^h {a^h}^\top$: all heads erase, then all add."""
    if len(weights) == 1:
        return memory + weights[0][:, None] * (add - memory * erase)
    return memory * jnp.prod(1 - weights[:, :, None] * erase[:, None, :], axis=0) + weights.T @ add
