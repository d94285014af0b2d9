"""Columns as delimited text: the counterpart of reading a table."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from .zones import exact


def as_csv(columns: Mapping[str, Any]) -> str:
    r"""Columns of equal length as comma-separated text with a line of names.

    Numbers keep every digit, times are ISO 8601 (the day alone where all are at midnight) with every fraction of a
    second, missing entries are empty.

    ```python
    >>> as_csv({"day": np.array(["2020-01-31"], "M8[s]"), "sold, net": np.array([0.1])})
    'day,"sold, net"\n2020-01-31,0.1\n'

    ```
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(as_text(column) for column in columns.values()), strict=True))
    return text.getvalue()


def as_text(column: Any) -> list[str]:
    """The entries as text."""
    array = np.asarray(column)
    if np.issubdtype(array.dtype, np.datetime64):
        days = array.astype("datetime64[D]")
        array = days if ((days == array) | np.isnat(array)).all() else exact(array)
        return ["" if np.isnat(v) else str(v) for v in array]
    if np.issubdtype(array.dtype, np.floating):
        return ["" if np.isnan(v) else repr(float(v)).removesuffix(".0") for v in array]
    return [str(v) for v in array.tolist()]
