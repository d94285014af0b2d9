"""Patterns of +1 and -1, and what settling gives back."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, DTypeLike, Float, Int

from ostinato.errors import DataError, ShapeError


class Settled(NamedTuple):
    """Where a network came to rest: the state of each row, after how many rounds, and whether it is at rest.

    `steps` counts rounds in which every unit was asked once. `converged` is False where rounds ran out, or where a
    synchronous network swings between two states for ever.
    """

    state: Float[Array, "*batch units"]
    steps: Int[Array, ""]
    converged: Bool[Array, "*batch"]


def bipolar(bits: Any, dtype: DTypeLike = "float32") -> Float[Array, "..."]:
    """Patterns of 0 and 1 as -1 and +1; text such as `"1010"` is read as its digits.

    Raises `DataError` where something else stands among them.

    ```python
    >>> bipolar("1010").tolist()
    [1.0, -1.0, 1.0, -1.0]
    >>> bipolar(["10", "11"]).shape
    (2, 2)

    ```
    """
    if isinstance(bits, str):
        bits = list(bits)
    elif isinstance(bits, list | tuple) and bits and all(isinstance(row, str) for row in bits):
        if len({len(row) for row in bits}) > 1:
            raise ShapeError(f"bits: expected rows of one length, got {sorted({len(row) for row in bits})}")
        bits = [list(row) for row in bits]
    try:
        values = np.asarray(bits).astype(np.float64)
    except ValueError as error:
        raise DataError(f"bits: expected 0 and 1, got {error}") from error
    if not np.isin(values, (0, 1)).all():
        raise DataError(f"bits: expected 0 and 1, got {values[~np.isin(values, (0, 1))][0]:g}")
    return jnp.asarray(2 * values - 1, dtype)


def overlap(states: Float[Array, "*batch units"], patterns: Float[Array, "*batch units"]) -> Float[Array, "*batch"]:
    """The mean of the products unit by unit: 1 where a pattern is recalled, about 0 where nothing is left of it."""
    return jnp.mean(states * patterns, axis=-1)


def checked(patterns: Any, name: str, units: int | None = None) -> Float[Array, "*batch units"]:
    """The patterns as an array; raises `ShapeError` for a wrong number of units, `DataError` for other than ±1."""
    array = jnp.asarray(patterns)
    if not jnp.issubdtype(array.dtype, jnp.floating):
        array = array.astype(jnp.zeros(()).dtype)
    if array.ndim == 0 or (units is not None and array.shape[-1] != units):
        wanted = "units" if units is None else units
        raise ShapeError(f"{name}: expected (*batch, {wanted}), got {array.shape}")
    if not isinstance(array, Tracer):
        values = np.asarray(array)
        wrong = np.argwhere(np.abs(values) != 1)
        if len(wrong):
            where = tuple(int(i) for i in wrong[0])
            raise DataError(f"{name}: expected +1 and -1, got {values[where]:g} at index {where}; see `bipolar`")
    return array


def stored(patterns: Any, name: str = "patterns") -> Float[Array, "count units"]:
    """Patterns to store, `(count, units)`."""
    array = checked(patterns, name)
    if array.ndim != 2 or 0 in array.shape:
        raise ShapeError(f"{name}: expected (count, units) with one or more of each, got {array.shape}")
    return array


def sign(
    field: Float[Array, "..."], before: Float[Array, "..."], slack: Float[Array, "..."] | float = 0.0
) -> Float[Array, "..."]:
    """The sign of each field; where it is 0, or not further from 0 than `slack`, a unit stays as it was."""
    near = jnp.abs(field) <= jnp.broadcast_to(slack, field.shape)
    return jnp.where(near, before, jnp.sign(field))
