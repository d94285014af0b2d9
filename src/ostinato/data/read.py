"""A table from a file: delimited text, plain or gzip, or Parquet."""

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np

from ostinato.errors import DataError

from .files import read_text
from .table import Table
from .values import is_missing, looks_typed

DELIMITERS = "\t;,"
"""Tried in this order: a comma may be part of a number in a file that another character delimits."""

_SAMPLE = 50


def read_table(path: str | Path, *, header: bool | None = None) -> Table:
    """Read a table from delimited text (`.csv`, `.tsv`, `.txt`, each also with `.gz`) or from Parquet.

    The delimiter (comma, semicolon or tab) is found from the first lines; between semicolons `1,5` is a number. Cells
    may be quoted; a byte-order mark and empty lines are skipped. `header=None` takes the first line as names unless
    every cell in it is a number or a time; without names the columns are called "0", "1", and so on. An empty name
    becomes "index" in the first column.

    Raises `DataError` (no such file, empty, not text, duplicate names, a line with more or fewer cells than the first,
    Parquet without the extra `frames`) and `CorruptFile` (a damaged gzip or Parquet file).
    """
    path = Path(path)
    if path.suffix in (".parquet", ".pq"):
        if not path.is_file():
            raise DataError(f"{path}: no such file")
        from .frames import read_parquet

        return _filled(Table(read_parquet(path), source=str(path)), path)
    text = read_text(path)
    delimiter = _delimiter(text)
    rows, lines = _rows(text, delimiter, path)
    if not rows:
        raise DataError(f"{path}: the file is empty")
    if header is None:
        header = _has_header(rows)
    names = _names(rows.pop(0), path) if header else [str(i) for i in range(len(rows[0]))]
    lines = lines[1:] if header else lines
    if not rows:
        raise DataError(f"{path}: there are names but no rows below them")
    columns = [list(column) for column in zip(*rows, strict=True)]
    if delimiter == ";":
        columns = [_decimal_commas(column) for column in columns]
    named = {name: np.array(column, object) for name, column in zip(names, columns, strict=True)}
    return Table(named, source=str(path), lines=np.array(lines))


def _filled(table: Table, path: Path) -> Table:
    if not len(table):
        raise DataError(f"{path}: there are names but no rows below them")
    return table


def _rows(text: str, delimiter: str, path: Path) -> tuple[list[list[str]], list[int]]:
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    begin = 1
    try:
        for row in reader:
            if row and any(cell.strip() for cell in row):
                if rows and len(row) != len(rows[0]):
                    raise DataError(f"{path}, line {begin}: {len(row)} cells, where the first line has {len(rows[0])}")
                rows.append(row)
                lines.append(begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}, line {begin}: {error}") from error
    return rows, lines


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


def _has_header(rows: list[list[str]]) -> bool:
    first = rows[0]
    if is_missing(first[0]) and len(first) > 1 and len(rows) > 1 and not is_missing(rows[1][0]):
        return True
    named = [cell for cell in first if not is_missing(cell)]
    return not named or not all(looks_typed(cell) for cell in named)


def _names(cells: list[str], path: Path) -> list[str]:
    names = [cell.strip() or ("index" if i == 0 else f"column {i}") for i, cell in enumerate(cells)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        places = [i for i, name in enumerate(names) if name == twice[0]]
        raise DataError(f"{path}: the name '{twice[0]}' stands over columns {places}; names must differ")
    return names


def _decimal_commas(column: list[str]) -> list[str]:
    plain = [cell.strip().lstrip("+-").replace(",", "", 1).isdigit() for cell in column]
    return [cell.replace(",", ".") if ok else cell for cell, ok in zip(column, plain, strict=True)]
