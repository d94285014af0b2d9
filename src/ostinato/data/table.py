"""Named columns from a file or a frame, typed, with errors that name the column, the line and the value."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np

from ostinato.errors import DataError

from .times import Moments, Unread, looks_typed, to_times
from .values import as_text, is_missing, to_numbers
from .zones import Zone, exact

FRAMES = frozenset({"pandas", "polars", "pyarrow", "narwhals"})
"""The libraries whose frames are read."""

Kind = Literal["number", "time", "text"]


class Table:
    """Columns of equal length by name; `table["Temp"]` is an array of the column's kind.

    A kind is `number` (float64, NaN where missing), `time` (`datetime64` in seconds, or finer where the times are; NaT
    where missing) or `text` (strings). A column of strings has the first of these that all its entries can be read as;
    one without any entry is a number. Times that were written with an offset or a zone are in UTC, and `zone(name)`
    tells how the clocks stood. `notes` say what was guessed on the way. Make one with `read_table(path)` or
    `Table.from_frame(frame)`.

    ```python
    >>> table = Table({"day": ["2020-01-01", "2020-01-02"], "sold": ["3", "NA"]})
    >>> table.names, table.kind("day"), table["sold"].tolist()
    (('day', 'sold'), 'time', [3.0, nan])

    ```
    """

    def __init__(
        self,
        columns: Mapping[str, Any],
        *,
        source: str = "table",
        lines: np.ndarray | None = None,
        notes: tuple[str, ...] = (),
    ):
        self.source = source
        self.notes = notes
        self._lines = lines
        self._zones = {str(name): c.zone for name, c in columns.items() if isinstance(c, Moments)}
        self._columns = {str(name): _as_column(column, str(name), source) for name, column in columns.items()}
        self._typed: dict[str, tuple[Kind, np.ndarray]] = {}
        sizes = {name: len(column) for name, column in self._columns.items()}
        if not sizes:
            raise DataError(f"{source}: no columns")
        if len(set(sizes.values())) > 1:
            raise DataError(f"{source}: columns of unequal length {sizes}")
        self._size = next(iter(sizes.values()))

    @classmethod
    def from_frame(cls, frame: Any) -> "Table":
        """From a frame or series (pandas, polars, Arrow), a mapping of arrays, an array `(rows, columns)`, or a table.

        The columns of an array are named "0", "1", and so on. The times in a pandas index become the column "index", or
        that of its name. Raises `DataError` for anything else, for duplicate names, and for a frame where the extra
        `frames` is absent.
        """
        if isinstance(frame, Table):
            return frame
        if isinstance(frame, Mapping):
            return cls(frame)
        if type(frame).__module__.split(".")[0] in FRAMES:
            from .frames import columns_of

            return cls(columns_of(frame), source="frame")
        array = np.asarray(frame)
        if array.ndim not in (1, 2) or array.dtype == object:
            raise DataError(
                "table: expected a frame, a mapping of arrays, or an array (rows, columns), "
                f"got {type(frame).__name__} of shape {array.shape}"
            )
        array = array.reshape(len(array), -1)
        return cls({str(i): array[:, i] for i in range(array.shape[1])})

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._columns)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __repr__(self) -> str:
        kinds = ", ".join(f"{name}: {self.kind(name)}" for name in self.names)
        return f"Table({self.source}, {len(self)} rows, {kinds}{''.join(f'; {note}' for note in self.notes)})"

    def kind(self, name: str) -> Kind:
        """`number`, `time` or `text`."""
        return self._read(name)[0]

    def __getitem__(self, name: str) -> np.ndarray:
        return self._read(name)[1]

    def number(self, name: str) -> np.ndarray:
        """A column of numbers; raises `DataError` with line and value where an entry is text or infinite."""
        kind, values = self._read(name)
        if kind == "time":
            raise DataError(f"{self.source}: column '{name}' holds times, expected numbers")
        if kind == "text":
            row = _first(to_numbers(values))
            raise DataError(f"{self.where(row)}: '{values[row]}' in column '{name}', expected a number")
        if np.isinf(values).any():
            row = int(np.flatnonzero(np.isinf(values))[0])
            raise DataError(f"{self.where(row)}: {values[row]} in column '{name}', expected a finite number")
        return values

    def time(self, name: str) -> np.ndarray:
        """A column of times; raises `DataError` with line and value where an entry cannot be read as one."""
        kind, values = self._read(name)
        if kind == "time":
            return values
        cells = self._columns[name]
        times = to_times(cells.tolist()) if cells.dtype == object else Unread(0)
        if isinstance(times, Moments):
            self._zones[name] = times.zone
            return times.values
        why = f"; {times.why}" if times.why else ""
        raise DataError(f"{self.where(times.row)}: '{cells[times.row]}' in column '{name}', expected a time{why}")

    def zone(self, name: str) -> Zone | None:
        """The time zone that a column of times was written in; `None` where it says nothing of one."""
        self.time(name)
        return self._zones.get(name)

    def text(self, name: str) -> np.ndarray:
        """A column as strings, as they stand in the file.

        Of a frame, whole numbers are without their `.0`, and what is missing is empty.
        """
        self._read(name)
        column = self._columns[name]
        if column.dtype == object:
            return column
        if np.issubdtype(column.dtype, np.datetime64):
            zone = self._zones.get(name)
            shown = np.where(np.isnat(column), "", column.astype(str)) if zone is None else zone.written(column)
            return np.array(shown, object)
        words = (str(int(v)) if v.is_integer() else str(v) for v in column.tolist())
        return np.array(["" if word == "nan" else word for word in words], object)

    def take(self, rows: Any) -> "Table":
        """The rows of a slice, an index array or a boolean mask."""
        lines = self._lines if self._lines is None else self._lines[rows]
        columns = {name: self._whole(name, column[rows]) for name, column in self._columns.items()}
        table = Table(columns, source=self.source, lines=lines, notes=self.notes)
        table._typed = {name: (kind, values[rows]) for name, (kind, values) in self._typed.items()}
        table._zones = dict(self._zones)
        return table

    def with_columns(self, columns: Mapping[str, Any]) -> "Table":
        """The table with columns added or replaced."""
        old = {name: self._whole(name, column) for name, column in self._columns.items()}
        return Table({**old, **columns}, source=self.source, lines=self._lines, notes=self.notes)

    def where(self, row: int) -> str:
        """The place of a row in words: file and line, or the number of the row."""
        place = f"row {row}" if self._lines is None else f"line {self._lines[row]}"
        return f"{self.source}, {place}"

    def _read(self, name: str) -> tuple[Kind, np.ndarray]:
        if name not in self._columns:
            near = get_close_matches(name, self.names, 3, 0.5)
            near += [other for other in self.names if other.lower() == name.lower() and other not in near]
            hint = f"did you mean {' or '.join(repr(n) for n in near)}? " if near else ""
            shown = ", ".join(self.names[:20]) + (", ..." if len(self.names) > 20 else "")
            guessed = "".join(f"; {note}" for note in self.notes)
            raise DataError(f"{self.source}: no column '{name}'; {hint}it has {shown}{guessed}")
        if name not in self._typed:
            kind, values = _typed(self._columns[name])
            if isinstance(values, Moments):
                self._zones[name], values = values.zone, values.values
            self._typed[name] = kind, values
        return self._typed[name]

    def _whole(self, name: str, column: np.ndarray) -> Any:
        """A column with its zone."""
        return Moments(column, self._zones[name]) if column.dtype.kind == "M" and name in self._zones else column


def _as_column(column: Any, name: str, source: str) -> np.ndarray:
    """As float64, `datetime64`, or an object array of strings."""
    array = np.asarray(column.values if isinstance(column, Moments) else column)
    if array.ndim != 1:
        raise DataError(f"{source}: column '{name}' must be (rows,), got shape {array.shape}")
    if np.issubdtype(array.dtype, np.datetime64):
        return exact(array)
    if array.dtype == bool or np.issubdtype(array.dtype, np.number):
        if np.issubdtype(array.dtype, np.complexfloating):
            raise DataError(f"{source}: column '{name}' holds complex numbers")
        return array.astype(np.float64)
    return np.array([v if isinstance(v, str) else as_text(v) for v in array.tolist()], object)


def _typed(column: np.ndarray) -> tuple[Kind, np.ndarray | Moments]:
    if column.dtype != object:
        return ("number" if column.dtype == np.float64 else "time"), column
    numbers = to_numbers(column)
    if isinstance(numbers, np.ndarray):
        return "number", numbers
    # A first entry that is no time settles it without a walk through a long column of words.
    first = next(cell for cell in column if not is_missing(cell))
    times = to_times(column.tolist()) if looks_typed(first) else None
    return ("time", times) if isinstance(times, Moments) else ("text", column)


def _first(position: np.ndarray | int) -> int:
    assert isinstance(position, int)
    return position
