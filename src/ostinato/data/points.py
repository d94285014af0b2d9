"""Where a part of a series begins, as people say it: from or after a date, or a row."""

import re
from typing import Any

import numpy as np

from ostinato.errors import DataError, SettingsError

from .series import Series
from .steps import moved

POINT = re.compile(r"(from|after) (\S.*)")


def is_point(amount: Any) -> bool:
    """Whether it is a text such as "from 2015-03" or "after 299"."""
    return isinstance(amount, str) and POINT.fullmatch(amount) is not None


def rows_of(series: Series, point: str, *, name: str = "test") -> list[int]:
    """For each series the first row from, or after, a date or a row; its length where there is none.

    A date may be shorter than those of the data: "from 2015" begins with the first row of 2015, "after 2015" with the
    first one of 2016; it is read on the clocks of the file. Rows count from 0. Where the times are dates, four digits
    are a year and other whole numbers rows; where they are numbers, the text is one of these; without times a row.

    Raises `SettingsError` for a text that is neither, `DataError` where all of the data lie on one side.

    ```python
    >>> from ostinato.data import to_series
    >>> days = to_series({"day": ["2015-01-30", "2015-01-31", "2015-02-01"], "y": [1.0, 2.0, 3.0]}, "y")
    >>> rows_of(days, "from 2015-01-31"), rows_of(days, "after 2015-01"), rows_of(days, "after 0")
    ([1], [2], [1])

    ```
    """
    found = POINT.fullmatch(point)
    if found is None:
        raise SettingsError(f"{name}: expected 'from' or 'after' and a date or a row, got {point!r}")
    after, text = found[1] == "after", found[2].strip()
    times = series.times
    dated = times is not None and np.issubdtype(times[0].dtype, np.datetime64)
    if times is None or (dated and text.isdigit() and len(text) != 4):
        rows = _rows(text, after, series, name)
    else:
        shown = [moved(t, series.zone, None) if dated else np.asarray(t, float) for t in times]
        limit, side = (
            (_date(text, after, name), "left") if dated else (_number(text, name), "right" if after else "left")
        )
        rows = [int(np.searchsorted(t, limit, side=side)) for t in shown]
    if all(row <= 0 for row in rows) or all(row >= n for row, n in zip(rows, series.history, strict=True)):
        raise DataError(f"{name}: no series has rows on both sides of {text!r}{_span(series)}")
    return [min(row, n) for row, n in zip(rows, series.history, strict=True)]


def _rows(text: str, after: bool, series: Series, name: str) -> list[int]:
    if not text.isdigit():
        raise SettingsError(f"{name}: the data have no times: expected a row, counted from 0, got {text!r}")
    return [int(text) + after] * len(series)


def _date(text: str, after: bool, name: str) -> np.datetime64:
    try:
        moment = np.datetime64(text.replace(" ", "T"))
    except ValueError as error:
        raise SettingsError(f"{name}: expected a date such as 2015, 2015-03 or 2015-03-31, got {text!r}") from error
    if np.isnat(moment):
        raise SettingsError(f"{name}: expected a date such as 2015, 2015-03 or 2015-03-31, got {text!r}")
    return moment + 1 if after else moment


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise SettingsError(f"{name}: the times of the data are numbers, got {text!r}") from error


def _span(series: Series) -> str:
    if series.times is None:
        return f"; the longest has {max(series.history)} rows"
    shown = [moved(t, series.zone, None) for t in series.times if len(t)]
    return f"; the data go from {min(t[0] for t in shown)} to {max(t[-1] for t in shown)}"
