"""Batches as a pure function of (seed, step): order, length buckets, filling up and weights."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from ostinato.errors import LengthError

from .batch import Examples, SequenceBatch
from .buckets import bucket_edges
from .order import permutation, stream
from .sources import Source


class Batches:
    """Batches of one size, padded to few lengths: `len(batches)` per epoch, `batches.at(step)` any of them, any time.

    `at` depends on (seed, step) alone, where step counts over all epochs; nothing has to be saved to go on where a run
    stopped. Sequences are sorted into buckets of similar length and padded to the edge of theirs; the last batch of a
    bucket is filled up with rows of length 0 and weight 0, so that there is exactly one shape per bucket and hence one
    compilation. The order of the examples within the buckets, and that of the batches, changes from epoch to epoch.

    * `source`: a `SequenceSource`, a `WindowSource`, or anything with `lengths` and `take`.
    * `buckets`: how many at most (see `bucket_edges`), or the edges themselves.
    * `shuffle=False`: the order of the source within each bucket, shortest bucket first.
    * `drop_last`: leaves incomplete batches out instead of filling them up.
    * `weight`: `"mean"` divides the weights of each batch by their sum, so that a loss is the mean over what counts;
      `"given"` leaves them as the source has them.

    Raises `LengthError` (no example, edges below the longest sequence, nothing left after `drop_last`).

    ```python
    >>> import numpy as np
    >>> from ostinato.data import Batches, SequenceSource
    >>> source = SequenceSource([np.ones((n, 1)) for n in (2, 3, 3, 9)], np.arange(4))
    >>> batches = Batches(source, 2, buckets=[3, 9], shuffle=False)
    >>> [batches.at(step).inputs.values.shape for step in range(len(batches))]
    [(2, 3, 1), (2, 3, 1), (2, 9, 1)]
    >>> [batches.rows(step).tolist() for step in range(len(batches))]
    [[0, 1], [2, -1], [3, -1]]

    ```
    """

    def __init__(
        self,
        source: Source,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        buckets: int | Sequence[int] = 4,
        drop_last: bool = False,
        weight: Literal["mean", "given"] = "mean",
    ):
        self.source, self.batch_size, self.seed, self.shuffle, self.weight = source, batch_size, seed, shuffle, weight
        lengths = self._lengths = np.asarray(source.lengths)
        if not lengths.size or batch_size < 1:
            got = f"{lengths.size} and {batch_size}"
            raise LengthError(f"batches: expected an example and a batch size of at least 1, got {got}")
        if isinstance(buckets, int):
            self.edges = bucket_edges(lengths, buckets, batch_size)
        else:
            self.edges = tuple(sorted(int(edge) for edge in buckets))
        if not self.edges or self.edges[-1] < lengths.max():
            raise LengthError(f"buckets: the last edge must reach the longest length {lengths.max()}, got {self.edges}")
        place = np.searchsorted(self.edges, lengths)
        self._members = [np.flatnonzero(place == b) for b in range(len(self.edges))]
        counts = [len(m) // batch_size if drop_last else -(-len(m) // batch_size) for m in self._members]
        self._bucket_of = np.repeat(np.arange(len(counts)), counts)
        self._part_of = np.concatenate([np.arange(c) for c in counts])
        if not len(self):
            raise LengthError(f"batches: drop_last leaves none of {lengths.size} examples in batches of {batch_size}")
        # One structure for all batches: a mask in some and none in others would be two compilations of one shape.
        short = lengths != np.asarray(self.edges)[place]
        self._masked = bool(short.any()) or (not drop_last and any(len(m) % batch_size for m in self._members))
        self._plan: tuple[int, list[np.ndarray], np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self._bucket_of)

    def rows(self, step: int) -> np.ndarray:
        """Which examples of the source batch `step` holds, `(batch_size,)`; -1 for a row that only fills up."""
        _, rows = self._find(step)
        return np.concatenate([rows, np.full(self.batch_size - len(rows), -1)])

    def at(self, step: int) -> Examples:
        """The batch of a step, counted from 0 over all epochs."""
        bucket, rows = self._find(step)
        time, empty = self.edges[bucket], self.batch_size - len(rows)
        taken = self.source.take(rows, time)
        length = np.concatenate([self._lengths[rows], np.zeros(empty, int)])
        mask = np.arange(time) < length[:, None]
        weight = _fill(taken.weight, empty)
        weight = np.where(mask, weight, 0) if weight.ndim == 2 else weight
        if self.weight == "mean":
            weight = weight / max(weight.sum(), np.finfo(float).tiny)
        inputs = (
            _number(_fill(taken.values, empty)),
            mask if self._masked else None,
            None if taken.reset is None else _fill(taken.reset, empty),
            None if taken.dt is None else _number(_fill(taken.dt, empty, 1)),
            None if taken.observed is None else _fill(taken.observed, empty),
        )
        targets = jax.tree.map(lambda t: _number(_fill(t, empty)), taken.targets)
        # All at once, and without a program for each shape that has to be compiled.
        inputs, targets, weight = jax.device_put((inputs, targets, _number(weight)))
        return Examples(SequenceBatch(*inputs), targets, weight)

    def _find(self, step: int) -> tuple[int, np.ndarray]:
        epoch, index = divmod(step, len(self))
        if self._plan is None or self._plan[0] != epoch:
            self._plan = (epoch, *self._order(epoch))
        _, members, order = self._plan
        batch = order[index]
        bucket, part = int(self._bucket_of[batch]), int(self._part_of[batch])
        return bucket, members[bucket][part * self.batch_size : (part + 1) * self.batch_size]

    def _order(self, epoch: int) -> tuple[list[np.ndarray], np.ndarray]:
        if not self.shuffle:
            return self._members, np.arange(len(self))
        members = [
            m[permutation(len(m), self.seed, epoch, bucket, name="examples")] for bucket, m in enumerate(self._members)
        ]
        return members, permutation(len(self), self.seed, epoch, name="batches")


class FunctionBatches:
    """Batches that a pure function makes from a key: `at(step) = make(stream(seed, name, step))`, compiled once.

    For problems that are generated rather than stored; `length` says how many batches count as one epoch.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> def make(key):
    ...     values = jax.random.uniform(key, (2, 5, 1))
    ...     return Examples(SequenceBatch(values), values.sum((1, 2)), jnp.full(2, 0.5))
    >>> batches = FunctionBatches(make, 10)
    >>> len(batches), batches.at(3).targets.shape
    (10, (2,))

    ```
    """

    def __init__(self, make: Callable[[Key[Array, ""]], Examples], length: int, *, seed: int = 0, name: str = "task"):
        if length < 1:
            raise LengthError(f"batches: expected a length of at least 1, got {length}")
        self.length, self.seed, self.name = length, seed, name
        self._make = eqx.filter_jit(make)

    def __len__(self) -> int:
        return self.length

    def at(self, step: int) -> Examples:
        """The batch of a step, counted from 0 over all epochs."""
        return self._make(stream(self.seed, self.name, step))


def _fill(array: np.ndarray, rows: int, value: Any = 0) -> np.ndarray:
    """The array with `rows` more rows that hold `value`."""
    array = np.asarray(array)
    return np.concatenate([array, np.full((rows, *array.shape[1:]), value, array.dtype)]) if rows else array


def _number(array: np.ndarray) -> np.ndarray:
    """Numbers in the default precision, whatever the data were stored in; anything else as it is."""
    number = np.issubdtype(array.dtype, np.inexact)
    return array.astype(np.dtype(jnp.result_type(float)), copy=False) if number else array
