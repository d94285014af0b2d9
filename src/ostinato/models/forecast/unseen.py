"""Which rows of a series a forecaster was not fitted to, and an error where it is judged on others."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ostinato.data import Series
from ostinato.errors import LeakError


def unseen_rows(model: Any, series: Series) -> list[int]:
    """For each series how many of its last rows with a target the forecaster was not fitted to.

    Where there are times, those after the last one of training; otherwise the rows after those of training, if the last
    of these are the same.
    """
    return [_unseen(model, series, i) for i in range(len(series))]


def check_unseen(model: Any, series: Series, starts: Sequence[int]) -> None:
    """Raise `LeakError` where the forecaster was fitted to rows from `starts[i]` on."""
    for name, start, rows, unseen in zip(series.ids, starts, series.history, unseen_rows(model, series), strict=True):
        if start < rows - unseen:
            raise LeakError(
                f"series '{name}': the held-out end begins with row {start}, but the model was fitted to rows in "
                "it; fit it to the rows before, or ask for refit='once'"
            )


def _unseen(model: Any, series: Series, index: int) -> int:
    rows, name = series.history[index], series.ids[index]
    if name not in model.rows_:
        return rows
    k = model.tail_.ids.index(name)
    seen, stop = model.rows_[name], model.tail_.history[k]
    if series.times is not None and model.tail_.times is not None:
        if not stop:
            return rows
        return int((series.times[index][:rows] > model.tail_.times[k][stop - 1]).sum())
    tail = model.tail_.target[k][:stop]
    there = series.target[index][max(seen - len(tail), 0) : seen]
    return rows - seen if there.shape == tail.shape and np.array_equal(there, tail, equal_nan=True) else rows
