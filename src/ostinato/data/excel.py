"""The first sheet of an Excel workbook as columns, through openpyxl where it is installed."""

import datetime
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.errors import CorruptFile, DataError


def read_excel(path: Path) -> dict[str, Any]:
    """The columns of the first sheet: numbers as float64, dates as `datetime64`, all else as text; formulas by value.

    The first row that is not empty holds the names. Raises `DataError` (openpyxl is not installed, nothing in the
    sheet, a name that is missing or occurs twice) and `CorruptFile`.
    """
    try:
        import openpyxl  # pyright: ignore[reportMissingModuleSource]
    except ImportError:
        raise DataError(f"{path}: an Excel file needs openpyxl (pip install openpyxl), or save it as .csv") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that hold no data
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
            book.close()
    except Exception as error:  # What damage makes the parser raise is not documented.
        raise CorruptFile(f"{path}: not a readable Excel file ({type(error).__name__}: {error})") from None
    rows = [row for row in rows if any(cell is not None for cell in row)]
    if len(rows) < 2:
        raise DataError(f"{path}: the first sheet has no rows below its names")
    width = max(i + 1 for row in rows for i, cell in enumerate(row) if cell is not None)
    rows = [(row + [None] * width)[:width] for row in rows]
    names = [str(cell if cell is not None else ("index" if i == 0 else "")).strip() for i, cell in enumerate(rows[0])]
    for i, name in enumerate(names):
        if not name:
            raise DataError(f"{path}: column {i + 1} of the first sheet has no name in its first row")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{path}: the name {twice[0]!r} stands over two columns; names must differ")
    return {name: _column([row[i] for row in rows[1:]]) for i, name in enumerate(names)}


def _column(cells: list[Any]) -> np.ndarray:
    there = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in there):
        return np.array([np.nan if cell is None else float(cell) for cell in cells])
    if all(isinstance(cell, datetime.datetime | datetime.date) for cell in there):
        return np.array(["NaT" if cell is None else cell.isoformat() for cell in cells], "datetime64[us]")
    return np.array(["" if cell is None else str(cell) for cell in cells], object)
