"""A table from a file: delimited text, plain or gzip, or Parquet."""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.errors import DataError

from .files import read_text
from .kinds import check_table
from .table import Table
from .times import looks_typed
from .values import is_missing, to_number

DELIMITERS = "\t;,"
"""Tried in this order: a comma may be part of a number in a file that another character delimits."""

_SAMPLE = 50
_SAID = re.compile("sep=([;,\t])\r?\n", re.IGNORECASE)
_DECIMAL = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?|[+-]?\d+,", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def read_table(path: str | Path, *, header: bool | None = None) -> Table:
    """Read a table from delimited text (`.csv`, `.tsv`, `.txt`, each also with `.gz`), from Parquet or from Excel.

    Of Excel it is the first sheet, with names in its first row; this needs openpyxl.

    The delimiter (comma, semicolon or tab) is found from the first lines, or said by the first (`sep=;`, as spread
    sheets write it); between semicolons or tabs `1,5` is a number, and a column of such as `1,234` is noted. Cells may
    be quoted; a byte-order mark and empty lines are skipped, and so are empty cells without a name at the end of all
    lines. A space in front of a cell is kept unless the whole column has one, its name too.

    `header` says whether the first line holds names. `None` takes it as names unless every cell in it is a number or a
    time, which a note of the table says. Without names the columns are called "0", "1", and so on. An empty name
    becomes "index" in the first column.

    Raises `DataError` (no such file, another kind of file, empty, not text, duplicate names, a line with more or fewer
    cells than the first, a quote that is not closed, Parquet without the extra `frames`, Excel without openpyxl) and
    `CorruptFile` (a damaged gzip, Parquet or Excel file).
    """
    path = Path(path)
    check_table(path)
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        if not path.is_file():
            raise DataError(f"{path}: no such file")
        from .excel import read_excel

        return _filled(Table(read_excel(path), source=str(path)), path)
    if path.suffix in (".parquet", ".pq"):
        if not path.is_file():
            raise DataError(f"{path}: no such file")
        from .frames import read_parquet

        return _filled(Table(read_parquet(path), source=str(path)), path)
    text = read_text(path)
    said = _SAID.match(text)
    delimiter = said[1] if said else _delimiter(text)
    rows, lines = _rows(text, delimiter, path)
    if said:
        rows, lines = rows[1:], lines[1:]
    if not rows:
        raise DataError(f"{path}: the file is empty")
    rows = _without_empty_end(rows, lines, path)
    notes: tuple[str, ...] = ()
    if header is None:
        header, notes = _has_header(rows)
    names = _names(rows[0], path) if header else [str(i) for i in range(len(rows[0]))]
    columns = [_without_space(column)[int(header) :] for column in zip(*rows, strict=True)]
    lines = lines[int(header) :]
    if not lines:
        raise DataError(f"{path}: there are names but no rows below them{''.join(f'; {note}' for note in notes)}")
    if delimiter != ",":
        notes += tuple(
            f"column '{name}': the comma in cells such as {column[0].strip()} was read as that of decimals"
            for name, column in zip(names, columns, strict=True)
            if all(_THOUSANDS.fullmatch(cell.strip()) for cell in column)
        )
        columns = [_decimal_commas(column) for column in columns]
    named = {name: np.array(column, object) for name, column in zip(names, columns, strict=True)}
    return Table(named, source=str(path), lines=np.array(lines), notes=notes)


def _filled(table: Table, path: Path) -> Table:
    if not len(table):
        raise DataError(f"{path}: there are names but no rows below them")
    return table


def _rows(text: str, delimiter: str, path: Path) -> tuple[list[list[str]], list[int]]:
    rows: list[list[str]] = []
    lines: list[int] = []
    begin = 1
    try:
        reader = _reader(text, delimiter)
        for row in reader:
            if row and any(cell.strip() for cell in row):
                rows.append(row)
                lines.append(begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}, line {begin}: {error}") from error
    if rows and any("\n" in cell for cell in rows[-1]) and _is_open(text, lines[-1], delimiter):
        raise DataError(f"{path}, line {lines[-1]}: a quote that begins there is never closed")
    return rows, lines


def _is_open(text: str, line: int, delimiter: str) -> bool:
    """Whether the row that begins at a line goes on to the end of the text because its last quote is not closed."""
    end = itertools.islice(io.StringIO(text, newline=""), line - 1, None)
    try:
        list(csv.reader(end, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def _reader(text: str, delimiter: str) -> Any:
    # A quote counts as one at the beginning of a cell only, also where a space stands in front of it.
    spaced = re.search(rf'[{delimiter}\n][ ]+"', text) is not None
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=spaced)


def _without_empty_end(rows: list[list[str]], lines: list[int], path: Path) -> list[list[str]]:
    """The rows, all of one length, without what a delimiter at the end of each line leaves behind."""
    width = len(rows[0])
    for row, line in zip(rows, lines, strict=True):
        if (len(row) != width and any(cell.strip() for cell in row[width:])) or len(row) < width:
            raise DataError(f"{path}, line {line}: {len(row)} cells, where the first line has {width}")
    while width > 1 and not any(cell.strip() for row in rows for cell in row[width - 1 :]):
        width -= 1
    return [row[:width] for row in rows]


def _without_space(column: Sequence[str]) -> list[str]:
    """A column without the space that all of its cells, its name too, have in front: it belongs to the delimiter."""
    return [cell.lstrip(" ") for cell in column] if all(cell[:1] in (" ", "") for cell in column) else list(column)


def _delimiter(text: str) -> str:
    """The one that splits the most of the first lines into the same number of cells, above one."""
    best, chosen = 0.0, ","
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        try:
            sample = [len(row) for row, _ in zip(reader, range(_SAMPLE), strict=False) if row]
        except csv.Error:
            continue
        cells, count = Counter(sample).most_common(1)[0] if sample else (1, 0)
        if cells > 1 and count / len(sample) > best:
            best, chosen = count / len(sample), delimiter
    return chosen


def _has_header(rows: list[list[str]]) -> tuple[bool, tuple[str, ...]]:
    """Whether the first line holds names, and what to say where that was a guess."""
    first = rows[0]
    named = [cell for cell in first if not is_missing(cell)]
    shown = ", ".join(cell.strip() for cell in first[:4]) + (", ..." if len(first) > 4 else "")
    if named and not all(looks_typed(cell) for cell in named):
        return True, ()
    if not named or (is_missing(first[0]) and len(first) > 1 and len(rows) > 1 and not is_missing(rows[1][0])):
        guess = f"the first line ({shown}) was taken for names, --header no (header=False) takes it for data"
        return True, (guess,) if named else ()
    return False, (f"the first line ({shown}) was taken for data, --header yes (header=True) takes it for names",)


def _names(cells: list[str], path: Path) -> list[str]:
    names = [cell.strip() or ("index" if i == 0 else f"column {i}") for i, cell in enumerate(cells)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        places = [i for i, name in enumerate(names) if name == twice[0]]
        raise DataError(f"{path}: the name '{twice[0]}' stands over columns {places}; names must differ")
    return names


def _decimal_commas(column: list[str]) -> list[str]:
    """A column with points in the place of decimal commas, unless it has points already: those are then thousands."""
    commas = [_DECIMAL.fullmatch(cell.strip()) is not None for cell in column]
    if any("." in cell and to_number(cell) is not None for cell in column):
        return column
    return [cell.replace(",", ".") if comma else cell for cell, comma in zip(column, commas, strict=True)]
