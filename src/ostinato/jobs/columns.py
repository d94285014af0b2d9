"""Columns as a CSV file."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.errors import SettingsError
from ostinato.runs import write_file


def write_columns(path: Path, columns: Mapping[str, Any]) -> None:
    r"""Write columns of equal length as comma-separated text with a line of names.

    Numbers keep every digit, times are ISO 8601 (the day alone where all are at midnight), missing entries are empty.

    Raises `SettingsError` for another ending than `.csv`, `StorageError` where the file cannot be written.

    ```python
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> write_columns(path, {"day": np.array(["2020-01-31"], "M8[s]"), "sold, net": np.array([0.1])})
    >>> path.read_text()
    'day,"sold, net"\n2020-01-31,0.1\n'

    ```
    """
    if path.suffix != ".csv":
        raise SettingsError(f"--out: expected a name that ends in .csv, got {path.name}")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(as_text(column) for column in columns.values()), strict=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, text.getvalue().encode())


def as_text(column: Any) -> list[str]:
    """The entries as text."""
    array = np.asarray(column)
    if np.issubdtype(array.dtype, np.datetime64):
        days = array.astype("datetime64[D]")
        array = days if (days == array).all() else array.astype("datetime64[s]")
        return ["" if np.isnat(v) else str(v) for v in array]
    if np.issubdtype(array.dtype, np.floating):
        return ["" if np.isnan(v) else repr(float(v)).removesuffix(".0") for v in array]
    return [str(v) for v in array.tolist()]
