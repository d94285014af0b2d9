"""Which kinds of files are read where, and what to say of the others."""

from pathlib import Path

from ostinato.errors import DataError

TABLES = (".csv", ".tsv", ".txt", ".dat", ".gz", ".parquet", ".pq", ".xlsx", ".xlsm")
"""Endings of files that are read as tables; one without an ending is taken for text."""

_OTHERS = {
    ".npz": "arrays, which hold sequences for `fit classify` and `fit regress`; a table is CSV, Parquet or Excel",
    ".npy": "an array without names; write a table with named columns as CSV",
    ".ts": "sequences, for `fit classify` and `fit regress`; a table is CSV, Parquet or Excel",
    ".arff": "sequences, for `fit classify` and `fit regress`; a table is CSV, Parquet or Excel",
    ".xls": "the old form of Excel; save it as .xlsx or .csv",
    ".ods": "a sheet of LibreOffice; save it as .xlsx or .csv",
    ".json": "JSON; write a table with named columns as CSV",
    ".feather": "Feather; write it as Parquet or CSV",
    ".h5": "HDF5; write a table with named columns as CSV or Parquet",
    ".hdf5": "HDF5; write a table with named columns as CSV or Parquet",
    ".mat": "MATLAB's; write a table with named columns as CSV",
    ".zip": "an archive; unpack it first",
    ".pkl": "a pickle, which is a program and never read; write a table as CSV or Parquet",
    ".pickle": "a pickle, which is a program and never read; write a table as CSV or Parquet",
}


def check_table(path: Path) -> None:
    """Raise `DataError`, which says what the file is, where its ending is that of something else than a table.

    ```python
    >>> check_table(Path("digits.ts"))
    Traceback (most recent call last):
    ostinato.errors.DataError: digits.ts: expected a table, got sequences, for `fit classify` ...

    ```
    """
    words = _OTHERS.get(path.suffix.lower())
    if words is not None:
        raise DataError(f"{path}: expected a table, got {words}")
