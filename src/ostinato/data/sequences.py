"""Sequences of any lengths with a label each, from and to a file."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.checks import check_finite, check_lengths
from ostinato.errors import CorruptFile, DataError, ShapeError

from .archives import read_arff, read_ts
from .files import LARGEST
from .read import read_table
from .series import to_series
from .table import Table
from .values import check_size

ARCHIVES = {".ts": read_ts, ".arff": read_arff}
"""By their endings, the formats of the time-series archives."""


@dataclass(frozen=True)
class LabelledSequences:
    """`values`: one array `(time, features)` for each sequence, NaN where missing; `labels (n, ...)`, if there are any.

    Labels of a table are text, as they stand there, or numbers where they were asked for; one that is missing is empty,
    or NaN. Where each step has a label of its own, `labels` is an array of n arrays `(time,)`.

    `names` are those of the features; `dt` holds for each sequence the time since the step before, where steps differ;
    `groups (n,)` says what sequences have in common (a speaker, say) and must not be torn apart by a split; `ids (n,)`
    are their names, in the order of the file, and `series_name` is the column that held them; `notes` say what was done
    on the way.
    """

    values: list[np.ndarray]
    labels: np.ndarray | None = None
    names: tuple[str, ...] = ()
    dt: tuple[np.ndarray, ...] | None = None
    groups: np.ndarray | None = None
    ids: tuple[str, ...] | None = None
    series_name: str = "sequence"
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        lengths = f"{self.lengths.min()} to {self.lengths.max()} steps" if self.values else "no steps"
        features = self.values[0].shape[1] if self.values else 0
        labels = "no labels" if self.labels is None else "a label for each step" if self.per_step else "labels"
        return f"LabelledSequences({len(self)} sequences of {lengths}, {features} features, {labels})"

    def __len__(self) -> int:
        return len(self.values)

    @property
    def lengths(self) -> np.ndarray:
        return np.array([len(v) for v in self.values], int)

    @property
    def per_step(self) -> bool:
        """Whether each step has a label of its own."""
        return self.labels is not None and self.labels.dtype == object and isinstance(self.labels[0], np.ndarray)

    def id_columns(self, per_step: bool = False) -> dict[str, np.ndarray]:
        """Which sequence is which, as a column by name: the names of the file, or their numbers.

        With `per_step` a row for each step, in the order of time, whose number is the column `step`.
        """
        ids = np.arange(len(self)) if self.ids is None else np.array(self.ids, object)
        if not per_step:
            return {self.series_name: ids}
        steps = [np.arange(n) for n in self.lengths]
        return {self.series_name: np.repeat(ids, self.lengths), "step": np.concatenate(steps)}

    def check_labels(self) -> None:
        """Raise `DataError`, which names the sequence, where there are no labels or one is missing."""
        if self.labels is None:
            raise DataError("the file has no labels")
        for i, label in enumerate(self.labels):
            steps = np.atleast_1d(label)
            gone = steps == "" if steps.dtype.kind in "OUS" else np.isnan(steps) if steps.dtype.kind == "f" else None
            if gone is not None and gone.any():
                name = i if self.ids is None else f"'{self.ids[i]}'"
                at = f" in step {int(gone.argmax())}" if np.ndim(label) else ""
                raise DataError(f"sequence {name} has no label{at}")

    def take(self, rows: Sequence[int] | np.ndarray) -> "LabelledSequences":
        """The sequences of an index array or a boolean mask."""
        chosen = np.arange(len(self))[np.asarray(rows)]
        return replace(
            self,
            values=[self.values[i] for i in chosen],
            labels=None if self.labels is None else self.labels[chosen],
            dt=None if self.dt is None else tuple(self.dt[i] for i in chosen),
            groups=None if self.groups is None else self.groups[chosen],
            ids=None if self.ids is None else tuple(self.ids[i] for i in chosen),
        )


def read_sequences(
    path: str | Path,
    *,
    series: str = "id",
    time: str = "time",
    label: str = "label",
    numbers: bool = False,
    per_step: bool = False,
    header: bool | None = None,
    largest: int = LARGEST,
) -> LabelledSequences:
    """Read labelled sequences from `.npz`, `.ts`, `.arff`, or from a table in long layout (CSV, Parquet, Excel).

    A `.ts` file is as the time-series archives have it, an `.arff` file holds sequences of one feature.

    An `.npz` file holds `values`, `lengths`, `labels` and, if wanted, `names (features,)`, `groups (n,)` and
    `ids (n,)`, in one of two layouts:

    * ragged: `values (total, features)`, all sequences one after the other, and `lengths (n,)`;
    * padded: `values (n, time, features)`, and `lengths (n,)` unless all are full.

    `labels (n, ...)` may be left out where there are none. A table has a column `series` that says which rows belong
    together, a column `time` if the rows are not in order, a column `label`, constant within a sequence, and else
    features. With `header` as in `read_table`.

    Labels of a table come back as they stand in it (`01`, `True`, `NA`), or as `numbers`. With `per_step` each step has
    its own: the rows of the column, or as many labels as `values` has rows.

    Raises `CorruptFile` (truncated or damaged, an array of objects, more than `largest` bytes once expanded),
    `DataError` (a missing part, parts that do not match), `LengthError` (a length above time), `NonFiniteError`.
    """
    path = Path(path)
    if path.suffix == ".npz":
        return _from_npz(path, largest, per_step)
    if path.suffix.lower() in ARCHIVES:
        return _from_archive(path, numbers)
    return _from_table(path, header, series, time, label, numbers, per_step)


def _from_archive(path: Path, numbers: bool) -> LabelledSequences:
    """Sequences of a format of the time-series archives."""
    values, labels = ARCHIVES[path.suffix.lower()](path)
    for i, value in enumerate(values):
        check_size(value, lambda row, i=i: f"{path}: sequence {i}, step {row}")
    try:
        given = None if labels is None else np.array(labels, float if numbers else str)
    except ValueError as error:
        raise DataError(f"{path}: labels are to be numbers: {error}") from None
    return LabelledSequences(values, given)


def write_sequences(path: str | Path, sequences: LabelledSequences) -> None:
    """Write an `.npz` file in the ragged layout of `read_sequences`.

    Raises `ShapeError` for unequal feature counts; `DataError` for another ending, steps of unequal length, or objects.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise DataError(f"{path}: sequences are written as .npz")
    if sequences.dt is not None:
        raise DataError(f"{path}: the layout has no place for steps of unequal length (dt)")
    shapes = {v.shape[1:] for v in sequences.values}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ShapeError(f"values: expected (time, features) with one number of features, got {sorted(shapes)}")
    parts = {"values": np.concatenate(sequences.values), "lengths": sequences.lengths}
    for name in ("labels", "groups", "ids"):
        if getattr(sequences, name) is not None:
            parts[name] = _plain(getattr(sequences, name))
    if sequences.names:
        parts["names"] = np.array(sequences.names, str)
    for name, part in parts.items():
        if part.dtype == object:
            raise DataError(f"{path}: '{name}' must be numbers or strings, got an array of objects")
    np.savez_compressed(path, allow_pickle=False, **parts)


def _plain(part: Any) -> np.ndarray:
    """An array of text in place of one of strings as objects, and labels of steps one after the other."""
    array = np.asarray(part)
    if array.dtype == object and array.size and all(isinstance(inner, np.ndarray) for inner in array):
        array = np.concatenate(array.tolist())
    return array.astype(str) if array.dtype == object and all(isinstance(v, str) for v in array) else array


def read_npz(path: Path, largest: int = LARGEST) -> dict[str, np.ndarray]:
    """All arrays of an `.npz` file; no pickle, and nothing is expanded that says it is larger than `largest` bytes."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
            size = sum(m.file_size for m in members)
            if size > largest:
                raise CorruptFile(f"{path}: expands to {size} bytes, above {largest}, refused")
            return {m.filename.removesuffix(".npy"): _array(archive.read(m)) for m in members}
    except CorruptFile:
        raise
    except Exception as error:  # What damage makes the parsers raise is not documented: struct.error, TypeError, ...
        raise CorruptFile(f"{path}: damaged, or not an .npz file of plain arrays ({error})") from error


def _array(content: bytes) -> np.ndarray:
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def _from_npz(path: Path, largest: int, per_step: bool) -> LabelledSequences:
    parts = read_npz(path, largest)
    if "values" not in parts:
        raise DataError(f"{path}: no array 'values'; it has {', '.join(parts) or 'nothing'}")
    values, lengths, names = parts["values"], parts.get("lengths"), parts.get("names")
    if values.ndim not in (2, 3) or not _is_real(values):
        raise DataError(
            f"{path}: 'values' must be numbers (total, features) or (n, time, features), got {_say(values)}"
        )
    if lengths is not None and (lengths.ndim != 1 or not np.issubdtype(lengths.dtype, np.integer)):
        raise DataError(f"{path}: 'lengths' must be whole numbers (n,), got {_say(lengths)}")
    if values.ndim == 2:
        if lengths is None:
            raise DataError(f"{path}: 'values' of shape {values.shape} need 'lengths', one for each sequence")
        if (lengths < 0).any() or int(lengths.sum()) != len(values):
            raise DataError(f"{path}: 'lengths' add up to {int(lengths.sum())}, 'values' has {len(values)} rows")
        sequences = np.split(values, np.cumsum(lengths)[:-1]) if len(lengths) else []
    else:
        lengths = np.full(len(values), values.shape[1]) if lengths is None else lengths
        if len(lengths) != len(values):
            raise DataError(f"{path}: {len(lengths)} 'lengths' for {len(values)} sequences")
        check_lengths(lengths, values.shape[1])
        sequences = [v[:n] for v, n in zip(values, lengths, strict=True)]
    if not sequences:
        raise DataError(f"{path}: no sequences")
    if per_step and "labels" in parts:
        parts["labels"] = _by_step(parts["labels"], sequences, path)
    for name in ("labels", "groups", "ids"):
        if name in parts and parts[name].shape[:1] != (len(sequences),):
            raise DataError(f"{path}: '{name}' of shape {parts[name].shape} for {len(sequences)} sequences")
    if names is not None and names.shape != values.shape[-1:]:
        raise DataError(f"{path}: 'names' of shape {names.shape} for {values.shape[-1]} features")
    sequences = [np.asarray(s, np.float64) for s in sequences]
    for i, s in enumerate(sequences):
        check_finite(s, f"{path}: sequence {i}", allow_nan=True)
        check_size(s, lambda row, i=i: f"{path}: sequence {i}, step {row}")
    labels = parts.get("labels")
    if labels is not None and labels.dtype.kind == "f":
        check_size(labels, lambda row: f"{path}: label of sequence {row}")
    named = () if names is None else tuple(str(n) for n in names)
    ids = None if "ids" not in parts else tuple(map(str, parts["ids"].tolist()))
    return LabelledSequences(sequences, labels, named, groups=parts.get("groups"), ids=ids)


def _by_step(labels: np.ndarray, sequences: list[np.ndarray], path: Path) -> np.ndarray:
    """One array `(time,)` for each sequence, from `(total,)` or, padded, `(n, time)`."""
    sizes = [len(s) for s in sequences]
    if labels.ndim == 2 and len(labels) == len(sequences) and labels.shape[1] >= max(sizes):
        return _ragged([row[:n] for row, n in zip(labels, sizes, strict=True)])
    if labels.shape != (sum(sizes),):
        raise DataError(f"{path}: 'labels' of shape {labels.shape} for {sum(sizes)} steps; each step has one")
    return _ragged(np.split(labels, np.cumsum(sizes)[:-1]))


def _ragged(parts: list[np.ndarray]) -> np.ndarray:
    array = np.empty(len(parts), object)
    array[:] = parts
    return array


def _from_table(
    path: Path, header: bool | None, series: str, time: str, label: str, numbers: bool, per_step: bool
) -> LabelledSequences:
    table = read_table(path, header=header)
    table.text(series)
    names = tuple(n for n in table.names if n not in (series, time, label))
    if not names:
        raise DataError(f"{path}: no features beside '{series}', '{time}' and '{label}'")
    timed = time in table
    place = "\0place"
    table = table.with_columns({place: np.arange(len(table)), **({} if timed else {"\0row": np.arange(len(table))})})
    # Positions in place of times keep the order of the rows, whatever other columns look like times; a sequence whose
    # values are all missing is one too.
    found = to_series(table, [*names, place], time if timed else "\0row", series)
    rows = [part[:, -1].astype(int) for part in found.target]
    notes = tuple(words for words in found.notes if words.startswith("rows")) + table.notes
    values = [part[:, :-1] for part in found.target]
    labels = _labels(table, label, rows, found.ids, numbers, per_step) if label in table else None
    return LabelledSequences(
        values, labels, names, found.dt if timed else None, ids=found.ids, series_name=series, notes=notes
    )


def _labels(
    table: Table, label: str, rows: list[np.ndarray], ids: tuple[str, ...], numbers: bool, per_step: bool
) -> np.ndarray | None:
    """The labels of the sequences or of their steps; `None` where all are missing."""
    given = table.number(label) if numbers else np.array([cell if cell.strip() else "" for cell in table.text(label)])
    missing = np.isnan(given) if numbers else given == ""
    if numbers:
        check_size(given, lambda row: f"{table.where(row)}: column '{label}'")
    if missing.all():
        return None
    if per_step:
        return _ragged([given[own] for own in rows])
    first = np.array([own.min() for own in rows])
    for own, begun, name in zip(rows, first, ids, strict=True):
        other = own[(given[own] != given[begun]) & ~(missing[own] & missing[begun])]
        if len(other):
            row = int(other.min())
            words = f"label '{given[row]}' in sequence '{name}', begun with '{given[begun]}'"
            raise DataError(f"{table.where(row)}: {words}; labels of single steps are per_step")
    return given[first]


def _is_real(array: np.ndarray) -> bool:
    return np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer) or array.dtype == bool


def _say(array: np.ndarray) -> Any:
    return f"{array.dtype} of shape {array.shape}"
