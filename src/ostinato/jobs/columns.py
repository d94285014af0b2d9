"""Columns as a CSV file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ostinato.data.columns import as_csv
from ostinato.errors import SettingsError
from ostinato.runs import write_file


def write_columns(path: Path, columns: Mapping[str, Any]) -> None:
    """Write columns of equal length as `data.columns.as_csv` has them.

    Raises `SettingsError` for another ending than `.csv`, `StorageError` where the file cannot be written.
    """
    if path.suffix != ".csv":
        raise SettingsError(f"--out: expected a name that ends in .csv, got {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, as_csv(columns).encode())
