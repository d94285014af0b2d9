"""What a network gets in place of a value that was not observed."""

from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .batch import SequenceBatch


def filled(
    batch: SequenceBatch, how: Literal["zero", "forward", "mean"] = "zero", *, indicator: bool = False
) -> SequenceBatch:
    """The batch with every missing entry filled, and `observed` dropped; pure JAX.

    * `"zero"`: 0, which is the training mean after standardisation.
    * `"forward"`: the last observed value of that feature, 0 before the first.
    * `"mean"`: the mean of the values of that feature observed so far, 0 before the first.

    All look back only, within the row and since its last reset; masked steps count as not observed. With
    `indicator=True` as many features follow that are 1 where the entry was observed and 0 elsewhere.

    ```python
    >>> import numpy as np
    >>> batch = SequenceBatch.from_sequences([np.array([[2.0], [np.nan], [4.0], [np.nan]])], missing=True)
    >>> filled(batch, "forward").values[0, :, 0].tolist()
    [2.0, 2.0, 4.0, 4.0]

    ```
    """
    seen = jnp.broadcast_to(batch.steps[..., None], batch.values.shape)
    if batch.observed is not None:
        seen = seen & batch.observed
    zero = jnp.zeros((), batch.values.dtype)
    values = jnp.where(seen, batch.values, zero)
    if how == "forward":
        last = _latest(seen)
        found = last >= _begin(batch)[..., None]
        values = jnp.where(found, jnp.take_along_axis(values, jnp.maximum(last, 0), axis=-2), zero)
    elif how == "mean":
        before = _begin(batch)[..., None]
        total = _sum_since(values, before)
        count = _sum_since(seen.astype(values.dtype), before)
        values = jnp.where(seen, values, total / jnp.maximum(count, jnp.ones((), values.dtype)))
    elif how != "zero":
        raise ValueError(f"filled: expected 'zero', 'forward' or 'mean', got {how!r}")
    if indicator:
        values = jnp.concatenate([values, seen.astype(values.dtype)], axis=-1)
    return SequenceBatch(values, batch.mask, batch.reset, batch.dt, None)


def _latest(flags: Bool[Array, "*batch time features"]) -> Int[Array, "*batch time features"]:
    """At each step the last step up to it where the flag is set, -1 before the first."""
    steps = jnp.arange(flags.shape[-2]).reshape(*(1 for _ in flags.shape[:-2]), -1, 1)
    return jax.lax.cummax(jnp.where(flags, steps, -1), axis=flags.ndim - 2)


def _begin(batch: SequenceBatch) -> Int[Array, "*batch time"]:
    """At each step the step where its sequence began."""
    if batch.reset is None:
        return jnp.zeros(batch.values.shape[:-1], int)
    return jnp.maximum(_latest(batch.reset[..., None])[..., 0], 0)


def _sum_since(
    values: Float[Array, "*batch time features"], begin: Int[Array, "*batch time 1"]
) -> Float[Array, "*batch time features"]:
    total = jnp.cumsum(values, axis=-2)
    before = jnp.take_along_axis(total - values, jnp.broadcast_to(begin, values.shape), axis=-2)
    return total - before
