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

from .files import LARGEST
from .read import read_table
from .series import to_series


@dataclass(frozen=True)
class LabelledSequences:
    """`values`: one array `(time, features)` for each sequence, NaN where missing; `labels (n, ...)`, if there are any.

    `names` are those of the features; `dt` holds for each sequence the time since the step before, where steps differ;
    `groups (n,)` says what sequences have in common (a speaker, say) and must not be torn apart by a split.
    """

    values: list[np.ndarray]
    labels: np.ndarray | None = None
    names: tuple[str, ...] = ()
    dt: tuple[np.ndarray, ...] | None = None
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def lengths(self) -> np.ndarray:
        return np.array([len(v) for v in self.values], int)

    def take(self, rows: Sequence[int] | np.ndarray) -> "LabelledSequences":
        """The sequences of an index array or a boolean mask."""
        chosen = np.arange(len(self))[np.asarray(rows)]
        return replace(
            self,
            values=[self.values[i] for i in chosen],
            labels=None if self.labels is None else self.labels[chosen],
            dt=None if self.dt is None else tuple(self.dt[i] for i in chosen),
            groups=None if self.groups is None else self.groups[chosen],
        )


def read_sequences(
    path: str | Path, *, series: str = "id", time: str = "time", label: str = "label", largest: int = LARGEST
) -> LabelledSequences:
    """Read labelled sequences from `.npz`, or from a table in long layout (CSV, Parquet).

    An `.npz` file holds `values`, `lengths`, `labels` and, if wanted, `names (features,)` and `groups (n,)`, in one of
    two layouts:

    * ragged: `values (total, features)`, all sequences one after the other, and `lengths (n,)`;
    * padded: `values (n, time, features)`, and `lengths (n,)` unless all are full.

    `labels (n, ...)` may be left out where there are none. A table has a column `series` that says which rows belong
    together, a column `time` if the rows are not in order, a column `label`, constant within a sequence, and else
    features.

    Raises `CorruptFile` (truncated or damaged, an array of objects, more than `largest` bytes once expanded),
    `DataError` (a missing part, parts that do not match), `LengthError` (a length above time), `NonFiniteError`.
    """
    path = Path(path)
    return _from_npz(path, largest) if path.suffix == ".npz" else _from_table(path, series, time, label)


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
    for name in ("labels", "groups"):
        if getattr(sequences, name) is not None:
            parts[name] = np.asarray(getattr(sequences, name))
    if sequences.names:
        parts["names"] = np.array(sequences.names, str)
    for name, part in parts.items():
        if part.dtype == object:
            raise DataError(f"{path}: '{name}' must be numbers or strings, got an array of objects")
    np.savez_compressed(path, allow_pickle=False, **parts)


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


def _from_npz(path: Path, largest: int) -> LabelledSequences:
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
    for name in ("labels", "groups"):
        if name in parts and parts[name].shape[:1] != (len(sequences),):
            raise DataError(f"{path}: '{name}' of shape {parts[name].shape} for {len(sequences)} sequences")
    if names is not None and names.shape != values.shape[-1:]:
        raise DataError(f"{path}: 'names' of shape {names.shape} for {values.shape[-1]} features")
    sequences = [np.asarray(s, np.float64) for s in sequences]
    for i, s in enumerate(sequences):
        check_finite(s, f"{path}: sequence {i}", allow_nan=True)
    named = () if names is None else tuple(str(n) for n in names)
    return LabelledSequences(sequences, parts.get("labels"), named, groups=parts.get("groups"))


def _from_table(path: Path, series: str, time: str, label: str) -> LabelledSequences:
    table = read_table(path)
    owners = table.text(series)
    names = tuple(n for n in table.names if n not in (series, time, label))
    if not names:
        raise DataError(f"{path}: no features beside '{series}', '{time}' and '{label}'")
    timed = time in table
    if not timed:
        # Positions in place of times keep the order of the rows, whatever other columns look like times.
        time = "row"
        table = table.with_columns({time: np.arange(len(table))})
    found = to_series(table, names, time, series)
    labels = None
    if label in table:
        given = table.number(label) if table.kind(label) == "number" else table.text(label)
        first: dict[str, Any] = {}
        for row, (owner, value) in enumerate(zip(owners, given, strict=True)):
            begun = first.setdefault(owner, value)
            if begun != value:
                raise DataError(f"{table.where(row)}: label '{value}' in sequence '{owner}', begun with '{begun}'")
        labels = np.array([first[i] for i in found.ids])
    return LabelledSequences(list(found.target), labels, names, found.dt if timed else None)


def _is_real(array: np.ndarray) -> bool:
    return np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer) or array.dtype == bool


def _say(array: np.ndarray) -> Any:
    return f"{array.dtype} of shape {array.shape}"
