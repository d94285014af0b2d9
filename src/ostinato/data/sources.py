"""Where batches get their rows from: ragged sequences, or windows of long series that are never all copied.

A source is anything with `lengths` and `take`; `Batches` does the rest (order, buckets, filling up, weights).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np

from ostinato.checks import check_finite, check_same
from ostinato.errors import LengthError, ShapeError

from .stored import filled_up


class Rows(NamedTuple):
    """Some examples as NumPy arrays, padded to one length; what lies beyond a sequence's end is never read.

    `values (rows, time, features)`; `targets` an array or PyTree with leading axes `(rows, time)` or `(rows,)`, or
    `None`; `weight` with exactly those axes; `dt (rows, time)`; `reset (rows, time)`; `observed` like `values`.
    """

    values: np.ndarray
    targets: Any
    weight: np.ndarray
    dt: np.ndarray | None = None
    reset: np.ndarray | None = None
    observed: np.ndarray | None = None


@runtime_checkable
class Source(Protocol):
    """`lengths (n,)` of all examples, and `take(rows, time)`: those examples, padded to `time` steps.

    The same fields must be present in every answer, so that every batch has the same structure.
    """

    @property
    def lengths(self) -> np.ndarray: ...

    def take(self, rows: np.ndarray, time: int) -> Rows: ...


@runtime_checkable
class StoredSource(Source, Protocol):
    """A source whose data go to the device as they are, instead of each example by itself: windows overlap.

    `stored()` gives its arrays and a pure function `(arrays, rows, time) -> Rows` in JAX that answers as `take` does.
    """

    def stored(self) -> tuple[Any, Callable[[Any, Any, int], Rows]]: ...


class SequenceSource:
    """Sequences of any lengths with a target each, or with a target at each step.

    * `values`: arrays `(time, features)`, or one array `(n, time, features)`.
    * `targets`: `(n, ...)`; with `per_step=True` one array `(time, ...)` for each sequence; or `None`.
    * `weight`: `(n,)`, or one array `(time,)` for each sequence; ones by default.
    * `dt`: one array `(time,)` for each sequence.
    * `missing=True`: a NaN in `values` is a missing entry.

    Raises `ShapeError` (unequal feature counts, targets that do not match) and `NonFiniteError`.

    ```python
    >>> import numpy as np
    >>> source = SequenceSource([np.ones((3, 2)), np.ones((1, 2))], np.array([0, 1]))
    >>> source.lengths.tolist(), source.take(np.array([1]), 2).values[0].tolist()
    ([3, 1], [[1.0, 1.0], [0.0, 0.0]])

    ```
    """

    def __init__(
        self,
        values: Sequence[Any] | np.ndarray,
        targets: Any = None,
        *,
        per_step: bool = False,
        weight: Any = None,
        dt: Sequence[Any] | None = None,
        missing: bool = False,
    ):
        self.values = _alike([_as_sequence(v, i, missing) for i, v in enumerate(values)])
        if not self.values:
            raise ShapeError("values: expected at least one (time, features) array, got none")
        self.features = self.values[0].shape[1]
        for i, v in enumerate(self.values):
            check_same(v.shape, (len(v), self.features), f"values[{i}]", "(time, features)")
        self.lengths = np.array([len(v) for v in self.values])
        self.per_step = per_step
        self.missing = missing
        self.targets = None if targets is None else self._check("targets", targets, per_step)
        self.weight = None if weight is None else self._check("weight", weight, per_step)
        self.dt = None if dt is None else self._check("dt", dt, True)

    def take(self, rows: np.ndarray, time: int) -> Rows:
        values = self._pad(self.values, rows, time)
        observed = None
        if self.missing:
            observed = ~np.isnan(values)
            values = np.where(observed, values, 0)
        if self.targets is None:
            targets = None
        else:
            targets = self._pad(self.targets, rows, time) if self.per_step else self.targets[rows]
        if self.weight is None:
            weight = np.ones((len(rows), time) if self.per_step else len(rows))
        else:
            weight = self._pad(self.weight, rows, time) if self.per_step else self.weight[rows]
        dt = None if self.dt is None else self._pad(self.dt, rows, time, fill=1)
        return Rows(values, targets, weight, dt, None, observed)

    def _check(self, name: str, given: Any, per_step: bool) -> Any:
        if not per_step:
            given = np.asarray(given)
            check_same(given.shape[:1], self.lengths.shape, name, "(n,)")
            check_finite(given, name)
            return given
        given = _alike([np.asarray(g) for g in given])
        check_same((len(given),), self.lengths.shape, name, "(n,)")
        for i, g in enumerate(given):
            check_same(g.shape[:1], (int(self.lengths[i]),), f"{name}[{i}]", "(time,)")
            check_same(g.shape[1:], given[0].shape[1:], f"{name}[{i}] at one step", "(...)")
            check_finite(g, f"{name}[{i}]")
        return given

    def _pad(self, arrays: list[np.ndarray], rows: np.ndarray, time: int, fill: int = 0) -> np.ndarray:
        padded = np.full((len(rows), time, *arrays[0].shape[1:]), fill, arrays[0].dtype)
        for i, row in enumerate(rows):
            padded[i, : len(arrays[row])] = arrays[row]
        return padded


class WindowSource:
    """Windows of one or many long series, gathered when asked for.

    The window that starts at `s` sees `values[s : s + context]`. Its target is the block `(horizon, ...)` of
    `targets[s + context : s + context + horizon]`; with `per_step=True` it is `targets[t + horizon]` at each step t.
    A window never crosses from one series into the next. Missing entries are NaN: in `values` they become False in
    `observed`; a target with a missing entry has weight 0.

    * `values`: arrays `(time, features)`, one for each series; `targets`: arrays `(time, ...)`, `None` for the values.
    * `stride`: steps from one start to the next.

    Raises `LengthError` where no series has `context + horizon` steps, `ShapeError`, `NonFiniteError` (an infinity).

    ```python
    >>> import numpy as np
    >>> source = WindowSource([np.arange(5.0)[:, None]], context=2, horizon=1)
    >>> rows = source.take(np.array([0, 2]), 2)
    >>> rows.values[..., 0].tolist(), rows.targets[..., 0].tolist()
    ([[0.0, 1.0], [2.0, 3.0]], [[2.0], [4.0]])

    ```
    """

    def __init__(
        self,
        values: Sequence[Any],
        context: int,
        targets: Sequence[Any] | None = None,
        *,
        horizon: int = 1,
        stride: int = 1,
        per_step: bool = False,
    ):
        if context < 1 or stride < 1 or horizon < (0 if per_step else 1):
            got = f"{context}, {horizon}, {stride}"
            raise LengthError(f"windows: expected context, horizon and stride of at least 1, got {got}")
        self.values = [_as_sequence(v, i, True) for i, v in enumerate(values)]
        self.targets = self.values if targets is None else [np.asarray(t) for t in targets]
        check_same((len(self.targets),), (len(self.values),), "targets", "(series,)")
        for i, (v, t) in enumerate(zip(self.values, self.targets, strict=True)):
            check_same(v.shape[1:], self.values[0].shape[1:], f"values[{i}]", "(features,)")
            check_same(t.shape[:1], v.shape[:1], f"targets[{i}]", "(time,)")
            check_finite(t, f"targets[{i}]", allow_nan=True)
        self.context, self.horizon, self.per_step = context, horizon, per_step
        starts = [np.arange(0, len(v) - context - horizon + 1, stride) for v in self.values]
        self.series = np.repeat(np.arange(len(starts)), [len(s) for s in starts])
        self.starts = np.concatenate([np.zeros(0, int), *starts])
        if not len(self.starts):
            longest = max((len(v) for v in self.values), default=0)
            need = f"context {context} and horizon {horizon} need {context + horizon} steps"
            raise LengthError(f"windows: {need}, the longest series has {longest}")
        self.missing = any(bool(np.isnan(v).any()) for v in self.values)

    @property
    def lengths(self) -> np.ndarray:
        return np.full(len(self.starts), self.context)

    def take(self, rows: np.ndarray, time: int) -> Rows:
        check_same((time,), (self.context,), "windows", "(context,)")
        shift, size = (self.horizon, self.context) if self.per_step else (self.context, self.horizon)
        pairs = [(int(self.series[r]), int(self.starts[r])) for r in rows]
        values = np.stack([self.values[i][s : s + time] for i, s in pairs])
        targets = np.stack([self.targets[i][s + shift : s + shift + size] for i, s in pairs])
        observed = None
        if self.missing:
            observed = ~np.isnan(values)
            values = np.where(observed, values, 0)
        known = ~np.isnan(targets) if np.issubdtype(targets.dtype, np.inexact) else np.ones(targets.shape, bool)
        weight = known.all(tuple(range(2 if self.per_step else 1, targets.ndim))).astype(float)
        return Rows(values, np.where(known, targets, 0), weight, None, None, observed)

    def stored(self) -> tuple[Any, Callable[[Any, Any, int], Rows]]:
        """The series one behind the other, and where each window begins; `take` in JAX."""
        first = np.concatenate([[0], np.cumsum([len(v) for v in self.values])])[self.series] + self.starts
        behind = lambda arrays: filled_up(np.concatenate(arrays))
        targets = None if self.targets is self.values else behind(self.targets)
        options = {"context": self.context, "horizon": self.horizon, "missing": self.missing}
        arrays = behind(self.values), targets, filled_up(first.astype(np.int32))
        return arrays, partial(_windows, per_step=self.per_step, **options)


def _windows(data: Any, rows: Any, time: int, *, context: int, horizon: int, missing: bool, per_step: bool) -> Rows:
    series, other, first = data
    start = first[rows][:, None]
    shift, size = (horizon, context) if per_step else (context, horizon)
    steps = lambda count: jnp.arange(count, dtype=start.dtype)[None]
    values = series[start + steps(time)]
    targets = (series if other is None else other)[start + shift + steps(size)]
    observed = None
    if missing:
        observed = ~jnp.isnan(values)
        values = jnp.where(observed, values, 0)
    known = ~jnp.isnan(targets) if jnp.issubdtype(targets.dtype, jnp.inexact) else jnp.ones(targets.shape, bool)
    weight = known.all(tuple(range(2 if per_step else 1, targets.ndim))).astype(values.dtype)
    found: Any = (values, jnp.where(known, targets, 0), weight, None, None, observed)
    return Rows(*found)


def _as_sequence(values: Any, index: int, missing: bool) -> np.ndarray:
    values = np.asarray(values)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2:
        raise ShapeError(f"values[{index}]: expected (time, features), got shape {values.shape}")
    check_finite(values, f"values[{index}]", allow_nan=missing)
    return values if np.issubdtype(values.dtype, np.inexact) else values.astype(float)


def _alike(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The arrays with one dtype that holds them all."""
    dtype = np.result_type(*{a.dtype for a in arrays}) if arrays else None
    return [a.astype(dtype, copy=False) for a in arrays]
