"""What an estimator of whole sequences accepts, read once into plain arrays."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ostinato.checks import check_finite
from ostinato.data import LabelledSequences, SequenceBatch
from ostinato.errors import DataError, NonFiniteError, SettingsError, ShapeError
from ostinato.models.reading import check_size

EXPECTED = (
    "a list of (time, features) arrays, an array (sequences, time, features), a SequenceBatch or LabelledSequences"
)


class Sequences(NamedTuple):
    """Arrays `(time, features)`, NaN where an entry is missing, and the time steps `(time,)` where there are any."""

    values: list[np.ndarray]
    dt: list[np.ndarray] | None = None

    @property
    def features(self) -> int:
        return self.values[0].shape[1]

    @property
    def lengths(self) -> list[int]:
        return [len(v) for v in self.values]

    def take(self, rows: Any) -> "Sequences":
        """Those rows."""
        return Sequences([self.values[i] for i in rows], None if self.dt is None else [self.dt[i] for i in rows])


def as_sequences(given: Any, *, features: int | None = None, missing: bool = False) -> Sequences:
    """Sequences of any lengths, 0 included; a list may hold 1-D arrays, which are sequences of one feature.

    `features`: how many each step must have; `missing`: a NaN, or an unobserved entry of a batch, is a missing value.

    Raises `ShapeError` (a 2-D array, no sequences, unequal feature counts), `DataError` (text), `NonFiniteError` (NaN
    without `missing`, an infinity), `SettingsError` (a batch with resets: a row is one sequence here).

    ```python
    >>> as_sequences([np.ones((3, 2)), np.ones((1, 2))]).features
    2
    >>> as_sequences([np.ones((3, 2)), np.ones((1, 4))])
    Traceback (most recent call last):
    ostinato.errors.ShapeError: X[1]: expected (time, 2), got (1, 4)

    ```
    """
    dt = None
    if isinstance(given, LabelledSequences):
        if not missing:
            _check_there(given)
        given, dt = given.values, None if given.dt is None else list(given.dt)
    elif isinstance(given, SequenceBatch):
        given, dt = _from_batch(given)
    elif hasattr(given, "ndim") and given.ndim != 3 and getattr(given.dtype, "kind", "") != "O":
        raise ShapeError(f"X: expected {EXPECTED}, got an array of {given.ndim} axes, shape {tuple(given.shape)}")
    elif not hasattr(given, "__len__") or isinstance(given, (str, bytes, dict)):
        raise ShapeError(f"X: expected {EXPECTED}, got {type(given).__name__}")
    values = [_numbers(a, f"X[{i}]") for i, a in enumerate(given)]
    if not values:
        raise ShapeError(f"X: expected {EXPECTED}, got no sequence")
    wanted = values[0].shape[-1] if features is None else features
    for i, a in enumerate(values):
        if a.ndim != 2 or a.shape[1] != wanted:
            raise ShapeError(f"X[{i}]: expected (time, {wanted}), got {a.shape}")
        check_finite(a, f"X[{i}]", allow_nan=missing)
        check_size(a, f"X[{i}]")
    if wanted == 0:
        raise ShapeError("X: expected (time, features) with at least one feature, got none")
    return Sequences(values, dt)


def in_order(given: Any, names: Sequence[str]) -> Any:
    """Sequences with the features of those names in that order, where the sequences have names; others as they are.

    Raises `DataError` where a feature is not there.
    """
    if not isinstance(given, LabelledSequences) or not given.names or not names or given.names == tuple(names):
        return given
    gone = [name for name in names if name not in given.names]
    if gone:
        raise DataError(f"X: no feature '{gone[0]}'; it has {', '.join(given.names)}, expected {', '.join(names)}")
    at = [given.names.index(name) for name in names]
    return replace(given, values=[v[:, at] for v in given.values], names=tuple(names))


def targets_of(given: Any, targets: Any, name: str = "y") -> Any:
    """The targets: those given, else the labels that the sequences bring. Raises `DataError` where there are none."""
    if targets is None and isinstance(given, LabelledSequences):
        given.check_labels()
        targets = given.labels
    if targets is None:
        raise DataError(f"{name}: expected one target for each sequence, got None")
    return targets


def stacked(values: list[np.ndarray], count: int) -> list[np.ndarray]:
    """Sequences of which `count` steps are one, with the features of all of them side by side (frame stacking).

    Steps that are left over stand at the beginning, before which the first one is repeated.

    ```python
    >>> stacked([np.array([[1.0], [2.0], [3.0]]), np.zeros((0, 1))], 2)[0].tolist()
    [[1.0, 1.0], [2.0, 3.0]]

    ```
    """
    if count == 1:
        return values
    whole = [np.concatenate([v[:1]] * (-len(v) % count) + [v]) if len(v) else v for v in values]
    return [v.reshape(-1, count * v.shape[1]) for v in whole]


def clusters_of(given: Any, sequences: Sequences, per_step: bool) -> tuple[np.ndarray | None, str]:
    """What belongs together in a test, and what it is called: groups, the steps of a sequence; None: nothing does."""
    groups = given.groups if isinstance(given, LabelledSequences) else None
    clusters = groups if groups is not None else np.arange(len(sequences.values)) if per_step else None
    unit = "sequences" if groups is None else "groups"
    return (np.repeat(clusters, sequences.lengths) if clusters is not None and per_step else clusters), unit


def _check_there(sequences: LabelledSequences) -> None:
    """Raise `NonFiniteError`, which names sequence, step and feature, for a missing value."""
    for i, values in enumerate(sequences.values):
        gone = np.argwhere(np.isnan(values)) if values.dtype.kind == "f" else np.zeros((0, 2), int)
        if len(gone):
            step, feature = (int(k) for k in gone[0])
            name = i if sequences.ids is None else f"'{sequences.ids[i]}'"
            of = sequences.names[feature] if sequences.names else feature
            raise NonFiniteError(
                f"sequence {name}, step {step}: feature '{of}' is missing; allow it with missing=True (--missing)"
            )


def _from_batch(batch: SequenceBatch) -> tuple[list[np.ndarray], list[np.ndarray] | None]:
    if len(batch.batch_shape) != 1:
        raise ShapeError(f"X: expected a batch (sequences, time, features), got shape {batch.values.shape}")
    if batch.reset is not None and bool(np.asarray(batch.reset)[:, 1:].any()):
        raise SettingsError("X: a row is one sequence here; cut the batch at its resets first")
    dt = None
    if batch.dt is not None:
        dt = [d[m] for d, m in zip(np.asarray(batch.dt), np.asarray(batch.steps), strict=True)]
    return batch.to_sequences(), dt


def _numbers(given: Any, name: str) -> np.ndarray:
    try:
        array = np.asarray(given)
        array = array.astype(float) if array.dtype.kind in "biuO" else array
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: expected numbers ({error})") from error
    if array.dtype.kind != "f":
        raise DataError(f"{name}: expected numbers, got {array.dtype}")
    return array[:, None] if array.ndim == 1 else array
