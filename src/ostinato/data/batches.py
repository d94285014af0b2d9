"""Batches as a pure function of (seed, step): order, length buckets, filling up and weights."""

from collections.abc import Callable, Sequence
from functools import partial
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
from .sources import Rows, Source, StoredSource
from .stored import LARGEST, Stored, filled_up, on_device


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
        fill = lambda array: _fill(np.asarray(array), empty)
        dt = None if taken.dt is None else _fill(taken.dt, empty, 1)
        taken = jax.tree.map(fill, taken._replace(dt=None))._replace(dt=dt)
        parts = _parts(np, taken, fill(self._lengths[rows]), time, self._masked, self.weight)
        # All at once, and without a program for each shape that has to be compiled.
        inputs, targets, weight = on_device(parts)
        return Examples(SequenceBatch(*inputs), targets, weight)

    def stored(self) -> Stored | None:
        """The data on the device: as the source stores them, or else its examples padded; None where that is much."""
        used = [bucket for bucket in range(len(self._members)) if (self._bucket_of == bucket).any()]
        if isinstance(self.source, StoredSource):
            arrays, take = self.source.stored()
            data, place_of = [(arrays, filled_up(self._lengths.astype(np.int32)))], np.arange(len(self._lengths))
        else:
            data, place_of, take = self._padded(used), np.empty(len(self._lengths), int), _indexed
            for members in self._members:
                place_of[members] = np.arange(len(members))
        if data is None or sum(a.nbytes for a in jax.tree.leaves(data)) > LARGEST:
            return None
        gathers = []
        for place, b in enumerate(used):
            whole = not len(self._members[b]) % self.batch_size
            options = {"place": min(place, len(data) - 1), "time": self.edges[b], "whole": whole, "take": take}
            gathers.append(partial(_gather, masked=self._masked, weight=self.weight, **options))

        def rows(step: int) -> tuple[int, Any]:
            bucket, rows = self._find(step)
            return used.index(bucket), _fill(place_of[rows].astype(np.int32), self.batch_size - len(rows), -1)

        return Stored(on_device(tuple(data)), tuple(gathers), rows)

    def _padded(self, used: list[int]) -> list[tuple[Rows, np.ndarray]] | None:
        """All examples of each bucket, padded to its edge, and their lengths."""
        members = [(self._members[bucket], self.edges[bucket]) for bucket in used]
        ones = [jax.tree.leaves(self.source.take(rows[:1], time)) for rows, time in members]
        if sum(len(rows) * a.nbytes for (rows, _), one in zip(members, ones, strict=True) for a in one) > LARGEST:
            return None
        return [
            jax.tree.map(filled_up, (self.source.take(rows, time), self._lengths[rows].astype(np.int32)))
            for rows, time in members
        ]

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
        self._function, self._make = make, eqx.filter_jit(make)

    def __len__(self) -> int:
        return self.length

    def at(self, step: int) -> Examples:
        """The batch of a step, counted from 0 over all epochs."""
        return self._make(stream(self.seed, self.name, step))

    def stored(self) -> Stored:
        """The key of all batches: each is made inside the training step."""
        key = jax.random.key_data(stream(self.seed, self.name))
        return Stored(key, (partial(_made, make=self._function),), lambda step: (0, np.uint32(step)))


def _parts(xp: Any, taken: Rows, length: Any, time: int, masked: bool, weighted: str) -> tuple[Any, Any, Any]:
    """Inputs, targets and weight of a batch of what was taken, by NumPy or JAX."""
    mask = xp.arange(time, dtype=length.dtype)[None] < length[:, None]
    weight = xp.where(mask, taken.weight, 0) if taken.weight.ndim == 2 else taken.weight
    if weighted == "mean":
        total = weight.sum()
        weight = weight / xp.where(total > 0, total, 1)
    return (taken.values, mask if masked else None, taken.reset, taken.dt, taken.observed), taken.targets, weight


def _indexed(taken: Rows, rows: Any, time: int) -> Rows:
    del time
    return jax.tree.map(lambda a: a[rows], taken)


def _gather(
    data: Any, rows: Any, *, place: int, time: int, whole: bool, take: Any, masked: bool, weight: str
) -> Examples:
    """The batch of those rows; -1 is one that only fills up."""
    arrays, lengths = data[place]
    taken = take(arrays, rows, time)
    length = lengths[rows]
    if not whole:
        empty = rows < 0
        clear = lambda a, value=0: jnp.where(empty.reshape(-1, *(1,) * (a.ndim - 1)), jnp.asarray(value, a.dtype), a)
        dt = None if taken.dt is None else clear(taken.dt, 1)
        taken, length = jax.tree.map(clear, taken._replace(dt=None))._replace(dt=dt), clear(length)
    inputs, targets, counted = _parts(jnp, taken, length, time, masked, weight)
    return Examples(SequenceBatch(*inputs), targets, counted)


def _made(data: Any, step: Any, *, make: Callable[[Any], Examples]) -> Examples:
    """The batch that a function makes of the key of a step."""
    return make(jax.random.fold_in(jax.random.wrap_key_data(data), step))


def _fill(array: np.ndarray, rows: int, value: Any = 0) -> np.ndarray:
    """The array with `rows` more rows that hold `value`."""
    array = np.asarray(array)
    return np.concatenate([array, np.full((rows, *array.shape[1:]), value, array.dtype)]) if rows else array
