"""The one sequence type: values with their mask, resets, time steps and missing entries, and what is wanted of them."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int, PyTree

from ostinato.checks import as_flags, check_finite, check_lengths, check_same
from ostinato.errors import ShapeError


class SequenceBatch(eqx.Module):
    """Sequences of any lengths, padded to one: batch first, then time, then features.

    Fields (all but `values` may be `None`, which means: nothing is masked, reset, uneven or missing)

    * `values`: `(*batch, time, features)`; what stands in the padding is never read.
    * `mask`: `(*batch, time)`, True where a step exists. It may have holes. A sequence of length 0 is legal.
    * `reset`: `(*batch, time)`, True where a new sequence begins inside the row: the state is replaced before it.
    * `dt`: `(*batch, time)`, time since the step before.
    * `observed`: `(*batch, time, features)`, False where an entry is missing.

    Flags may also be given as 0 and 1 of any type; `DataError` for anything else.

    ```python
    >>> import numpy as np
    >>> batch = SequenceBatch.from_sequences([np.ones((3, 2)), np.ones((1, 2))])
    >>> batch.values.shape, batch.lengths.tolist()
    ((2, 3, 2), [3, 1])

    ```
    """

    values: Float[Array, "*batch time features"]
    mask: Bool[Array, "*batch time"] | None = eqx.field(converter=partial(as_flags, name="mask"), default=None)
    reset: Bool[Array, "*batch time"] | None = eqx.field(converter=partial(as_flags, name="reset"), default=None)
    dt: Float[Array, "*batch time"] | None = None
    observed: Bool[Array, "*batch time features"] | None = eqx.field(
        converter=partial(as_flags, name="observed"), default=None
    )

    @classmethod
    def from_sequences(
        cls,
        sequences: Sequence[Any],
        *,
        dt: Sequence[Any] | None = None,
        pad_to: int | None = None,
        missing: bool = False,
        dtype: Any = None,
    ) -> "SequenceBatch":
        """Pad a list of `(time, features)` arrays to the longest of them, or to `pad_to`.

        With `missing=True` a NaN is a missing value and becomes False in `observed`.

        Raises `ShapeError` (other number of features), `NonFiniteError` (NaN without `missing`, or an infinity),
        `LengthError` (longer than `pad_to`).
        """
        arrays = [np.asarray(s) for s in sequences]
        arrays = [a[:, None] if a.ndim == 1 else a for a in arrays]
        if not arrays:
            raise ShapeError("sequences: expected at least one (time, features) array, got an empty list")
        for i, a in enumerate(arrays):
            if a.ndim != 2:
                raise ShapeError(f"sequences[{i}]: expected (time, features), got shape {a.shape}")
            if a.shape[1] != arrays[0].shape[1]:
                raise ShapeError(f"sequences[{i}]: expected (time, {arrays[0].shape[1]}), got {a.shape}")
            check_finite(a, f"sequences[{i}]", allow_nan=missing)
        lengths = np.array([len(a) for a in arrays])
        time = int(lengths.max()) if pad_to is None else pad_to
        check_lengths(lengths, time)
        dtype = np.dtype(jnp.result_type(float)) if dtype is None else np.dtype(dtype)
        values = np.zeros((len(arrays), time, arrays[0].shape[1]), dtype)
        steps = None if dt is None else np.ones((len(arrays), time), dtype)
        for i, a in enumerate(arrays):
            values[i, : len(a)] = a
            if steps is not None and dt is not None:
                given = np.asarray(dt[i])
                if given.shape != (len(a),):
                    raise ShapeError(f"dt[{i}]: expected ({len(a)},), one step for each time, got {given.shape}")
                steps[i, : len(a)] = given
        observed = None
        if missing:
            observed = ~np.isnan(values)
            values = np.where(observed, values, 0)
        mask = np.arange(time)[None, :] < lengths[:, None]
        return cls(
            jnp.asarray(values),
            jnp.asarray(mask),
            None,
            None if steps is None else jnp.asarray(steps),
            None if observed is None else jnp.asarray(observed),
        )

    @classmethod
    def from_padded(cls, values: Any, lengths: Any = None) -> "SequenceBatch":
        """A padded array `(*batch, time, features)` and the lengths `(*batch,)` of its rows, 0 to time."""
        values = jnp.asarray(values)
        if values.ndim < 2:
            raise ShapeError(f"values: expected (*batch, time, features), got {values.shape}")
        if lengths is None:
            return cls(values)
        lengths = np.asarray(lengths)
        check_same(lengths.shape, values.shape[:-2], "lengths", "(*batch,)")
        check_lengths(lengths, values.shape[-2])
        return cls(values, jnp.asarray(np.arange(values.shape[-2]) < lengths[..., None]))

    @property
    def batch_shape(self) -> tuple[int, ...]:
        return self.values.shape[:-2]

    @property
    def time_size(self) -> int:
        return self.values.shape[-2]

    @property
    def feature_size(self) -> int:
        return self.values.shape[-1]

    @property
    def steps(self) -> Bool[Array, "*batch time"]:
        """The mask, with ones where none was given."""
        return jnp.ones(self.values.shape[:-1], bool) if self.mask is None else self.mask

    @property
    def lengths(self) -> Int[Array, "*batch"]:
        """Number of steps that exist in each row."""
        return jnp.sum(self.steps, axis=-1)

    def to_sequences(self) -> list[np.ndarray]:
        """The rows without their masked steps, as numpy arrays; missing entries are NaN again."""
        rows = math.prod(self.batch_shape)
        values = np.asarray(self.values).reshape(rows, self.time_size, self.feature_size)
        if self.observed is not None:
            values = np.where(np.asarray(self.observed).reshape(values.shape), values, np.nan)
        mask = np.asarray(self.steps).reshape(rows, self.time_size)
        return [v[m] for v, m in zip(values, mask, strict=True)]

    def window(self, start: int, stop: int) -> "SequenceBatch":
        """Steps `start` to `stop` of every row."""
        mask, reset, dt = (None if f is None else f[..., start:stop] for f in (self.mask, self.reset, self.dt))
        observed = None if self.observed is None else self.observed[..., start:stop, :]
        return SequenceBatch(self.values[..., start:stop, :], mask, reset, dt, observed)

    def check(self) -> "SequenceBatch":
        """Check shapes, dtypes and finiteness on the host, once; gives the batch back.

        Raises `ShapeError` and `NonFiniteError` (a NaN at a step that exists and is not marked as unobserved).
        """
        lead = self.values.shape[:-1]
        for name, field in (("mask", self.mask), ("reset", self.reset), ("dt", self.dt)):
            if field is not None:
                check_same(field.shape, lead, name, "(*batch, time)")
        if self.observed is not None:
            check_same(self.observed.shape, self.values.shape, "observed", "(*batch, time, features)")
        if any(isinstance(field, Tracer) for field in (self.values, self.mask, self.observed)):
            return self
        # Not `steps`: inside a traced function even an array of ones is traced.
        steps = np.ones(lead, bool) if self.mask is None else np.asarray(self.mask)
        read = np.broadcast_to(steps[..., None], self.values.shape)
        if self.observed is not None:
            read = read & np.asarray(self.observed)
        check_finite(np.where(read, np.asarray(self.values), 0), "values", hint=self.observed is None)
        return self


class Examples(eqx.Module):
    """Inputs, what is wanted of them, and how much each step counts.

    `targets` is an array or PyTree with leading axes `(*batch, time)`, or `(*batch,)` for a model with one output per
    sequence; `weight` has exactly those axes. Losses are multiplied by it and summed: for a mean it carries 1/n.
    """

    inputs: SequenceBatch
    targets: PyTree[Any]
    weight: Float[Array, "..."]

    @property
    def per_sequence(self) -> bool:
        return self.weight.ndim == self.inputs.values.ndim - 2

    def window(self, start: int, stop: int) -> "Examples":
        """Steps `start` to `stop`; only where there is a target for each step."""
        if self.per_sequence:
            raise ShapeError("weight: a window needs one target per step, (*batch, time), got (*batch,)")
        axis = self.weight.ndim - 1
        cut = jax.tree.map(lambda t: jax.lax.slice_in_dim(t, start, stop, axis=axis), self.targets)
        return Examples(self.inputs.window(start, stop), cut, self.weight[..., start:stop])
