"""Series on a regular grid of times, where a date that is left out is a row whose values are missing."""

from collections.abc import Sequence

import numpy as np

from ostinato.data import Series
from ostinato.data.holdout import named
from ostinato.data.steps import on_grid, places

MOST = 10
"""A grid of more than so many times the rows is none: the series is left as it is, with steps of unequal length."""


def regular(series: Series) -> tuple[Series, tuple[np.ndarray, ...]]:
    """The series with a row for every step of its frequency (`data.on_grid`), and the places of its rows among them.

    A series without dates, without a common step, or with hardly any of the steps, is left as it is.

    ```python
    >>> from ostinato.data import to_series
    >>> days = np.array(["2024-01-01", "2024-01-02", "2024-01-05"], "M8[D]")
    >>> filled, at = regular(to_series({"day": days, "y": [1.0, 2.0, 3.0]}, "y"))
    >>> filled.target[0][:, 0].tolist(), at[0].tolist(), filled.dt
    ([1.0, 2.0, nan, nan, 3.0], [0, 1, 4], None)

    ```
    """
    same = tuple(np.arange(n) for n in series.lengths)
    if series.frequency is None or series.times is None or series.dt is None:
        return series, same
    at = places(series)
    if sum(int(p[-1]) + 1 for p in at if len(p)) > MOST * sum(series.lengths):
        return series, same
    return on_grid(series), at


def too_short(names: Sequence[str], rows: Sequence[int], need: int, what: str) -> str:
    """A note on series that are left out, by their names."""
    left = [name for name, n in zip(names, rows, strict=True) if n < need]
    return f"{named(left)}: fewer than {need} rows, {what}" if left else ""
