"""Rows that have lengths: the continuous stack, queue and deque (Grefenstette et al., NIPS 2015)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Lengths = Float[Array, " rows"]


class Row(NamedTuple):
    """Vectors in a row, and how much of each is there: the first is the top, the last the bottom."""

    values: Float[Array, "rows width"]
    lengths: Lengths


def before(lengths: Lengths) -> Lengths:
    """How much lies before each: the sum of the lengths above it."""
    return jnp.cumsum(lengths) - lengths


def pop(lengths: Lengths, amount: Float[Array, ""]) -> Lengths:
    r"""$s_i \leftarrow \max\big(0, s_i - \max(0, u - \sum_{j<i} s_j)\big)$: the amount u is taken off from the top.

    ```python
    >>> import jax.numpy as jnp
    >>> pop(jnp.array([0.5, 0.75, 1.0]), jnp.array(1.0)).tolist()
    [0.0, 0.25, 1.0]

    ```
    """
    return jax.nn.relu(lengths - jax.nn.relu(amount - before(lengths)))


def peek(row: Row) -> Float[Array, " width"]:
    r"""$r = \sum_i \min\big(s_i, \max(0, 1 - \sum_{j<i} s_j)\big)\, v_i$: what the uppermost length of 1 holds.

    ```python
    >>> import jax.numpy as jnp
    >>> peek(Row(jnp.array([[2.0], [4.0], [8.0]]), jnp.array([0.5, 0.25, 1.0]))).tolist()
    [4.0]

    ```
    """
    return jnp.minimum(row.lengths, jax.nn.relu(1 - before(row.lengths))) @ row.values


def push(row: Row, value: Float[Array, " width"], amount: Float[Array, ""]) -> Row:
    """A vector of that length on top; all others move down by one place, and the last is lost."""
    values = jnp.concatenate([value[None], row.values[:-1]])
    return Row(values, jnp.concatenate([amount[None], row.lengths[:-1]]))


def turned(row: Row) -> Row:
    """The same row seen from its bottom."""
    return Row(row.values[::-1], row.lengths[::-1])
