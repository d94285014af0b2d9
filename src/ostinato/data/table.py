"""Named columns from a file or a frame, typed, with errors that name the column, the line and the value."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np

from ostinato.errors import DataError

from .values import as_text, is_missing, looks_typed, to_numbers, to_times

FRAMES = frozenset({"pandas", "polars", "pyarrow", "narwhals"})
"""The libraries whose frames are read."""

Kind = Literal["number", "time", "text"]


class Table:
    """Columns of equal length by name; `table["Temp"]` is an array of the column's kind.

    A kind is `number` (float64, NaN where missing), `time` (`datetime64[s]`, NaT where missing) or `text` (strings). A
    column of strings has the first of these that all its entries can be read as; one without any entry is a number.
    Make one with `read_table(path)` or `Table.from_frame(frame)`.

    ```python
    >>> table = Table({"day": ["2020-01-01", "2020-01-02"], "sold": ["3", "NA"]})
    >>> table.names, table.kind("day"), table["sold"].tolist()
    (('day', 'sold'), 'time', [3.0, nan])

    ```
    """

    def __init__(self, columns: Mapping[str, Any], *, source: str = "table", lines: np.ndarray | None = None):
        self.source = source
        self._lines = lines
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
        return f"Table({self.source}, {len(self)} rows, {kinds})"

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
        times = to_times(cells.tolist()) if cells.dtype == object else 0
        if isinstance(times, np.ndarray):
            return times
        unclear = "; write days as 2020-01-31, the order of day and month is not clear"
        advice = unclear if "/" in str(cells[times]) else ""
        raise DataError(f"{self.where(times)}: '{cells[times]}' in column '{name}', expected a time{advice}")

    def text(self, name: str) -> np.ndarray:
        """A column as strings, as they stand in the file; whole numbers of a frame without their `.0`."""
        self._read(name)
        column = self._columns[name]
        if column.dtype == object:
            return column
        if np.issubdtype(column.dtype, np.datetime64):
            return column.astype(str).astype(object)
        return np.array([str(int(v)) if v.is_integer() else str(v) for v in column.tolist()], object)

    def take(self, rows: Any) -> "Table":
        """The rows of a slice, an index array or a boolean mask."""
        lines = self._lines if self._lines is None else self._lines[rows]
        table = Table({n: c[rows] for n, c in self._columns.items()}, source=self.source, lines=lines)
        table._typed = {name: (kind, values[rows]) for name, (kind, values) in self._typed.items()}
        return table

    def with_columns(self, columns: Mapping[str, Any]) -> "Table":
        """The table with columns added or replaced."""
        return Table({**self._columns, **columns}, source=self.source, lines=self._lines)

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
            raise DataError(f"{self.source}: no column '{name}'; {hint}it has {shown}")
        if name not in self._typed:
            self._typed[name] = _typed(self._columns[name])
        return self._typed[name]


def _as_column(column: Any, name: str, source: str) -> np.ndarray:
    """As float64, `datetime64[s]`, or an object array of strings."""
    array = np.asarray(column)
    if array.ndim != 1:
        raise DataError(f"{source}: column '{name}' must be (rows,), got shape {array.shape}")
    if np.issubdtype(array.dtype, np.datetime64):
        return array.astype("datetime64[s]")
    if array.dtype == bool or np.issubdtype(array.dtype, np.number):
        if np.issubdtype(array.dtype, np.complexfloating):
            raise DataError(f"{source}: column '{name}' holds complex numbers")
        return array.astype(np.float64)
    return np.array([v if isinstance(v, str) else as_text(v) for v in array.tolist()], object)


def _typed(column: np.ndarray) -> tuple[Kind, np.ndarray]:
    if column.dtype != object:
        return ("number" if column.dtype == np.float64 else "time"), column
    numbers = to_numbers(column)
    if isinstance(numbers, np.ndarray):
        return "number", numbers
    # A first entry that is no time settles it without a walk through a long column of words.
    first = next(cell for cell in column if not is_missing(cell))
    times = to_times(column.tolist()) if looks_typed(first) else 0
    return ("time", times) if isinstance(times, np.ndarray) else ("text", column)


def _first(position: np.ndarray | int) -> int:
    assert isinstance(position, int)
    return position
