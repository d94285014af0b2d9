"""Series on a regular grid of times: a date that is left out is a row whose values are missing."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ostinato.data import Frequency, Series
from ostinato.data.holdout import named
from ostinato.errors import DataError

MOST = 10
"""A grid with more than so many times the rows is none: the series is left as it is, with steps of unequal length."""


def regular(series: Series) -> tuple[Series, tuple[np.ndarray, ...]]:
    """The series with a row for every step of its frequency, and for each series the places of its rows among them.

    Targets and past covariates of a row that is put in are missing; covariates known ahead are those of the row before.
    A series without dates, without a common step, or with hardly any of them, is left as it is.

    ```python
    >>> from ostinato.data import to_series
    >>> days = np.array(["2024-01-01", "2024-01-02", "2024-01-05"], "M8[D]")
    >>> filled, places = regular(to_series({"day": days, "y": [1.0, 2.0, 3.0]}, "y"))
    >>> filled.target[0][:, 0].tolist(), places[0].tolist(), filled.dt
    ([1.0, 2.0, nan, nan, 3.0], [0, 1, 4], None)

    ```
    """
    same = tuple(np.arange(n) for n in series.lengths)
    frequency = series.frequency
    if frequency is None or series.times is None or series.dt is None:
        return series, same
    places = tuple(_places(frequency, times) for times in series.times)
    rows, steps = sum(series.lengths), sum(int(p[-1]) + 1 for p in places if len(p))
    if steps > MOST * rows or any((p != np.round(p)).any() or (np.diff(p) < 1).any() for p in places):
        return series, same
    places = tuple(p.astype(int) for p in places)
    count = steps - rows
    return replace(
        series,
        target=_spread(series.target, places),
        past=_spread(series.past, places),
        future=tuple(f[_row_before(p)] for f, p in zip(series.future, places, strict=True)),
        times=tuple(_times(frequency, t, p) for t, p in zip(series.times, places, strict=True)),
        dt=None,
        notes=(*series.notes, f"{count} of {steps} steps are left out; they count as missing values"),
    ), places


def by_frequency(series: Series, frequency: Frequency | None) -> Series:
    """The series in steps of the frequency that a model was trained with, whatever those of its own rows suggest.

    Raises `DataError` where a step is no whole number of these.
    """
    if frequency is None or series.times is None or series.frequency == frequency:
        return series
    if not np.issubdtype(series.times[0].dtype, np.datetime64):
        return series
    lengths = []
    for name, times in zip(series.ids, series.times, strict=True):
        gaps = frequency.gaps(times)
        wrong = np.flatnonzero((gaps != np.round(gaps)) | (gaps < 1))
        if wrong.size:
            row = int(wrong[0])
            raise DataError(
                f"series '{name}': from {times[row]} to {times[row + 1]} are {gaps[row]:g} steps; "
                f"the model was trained on {frequency.name} rows"
            )
        lengths.append(np.concatenate([np.ones(1), gaps])[: len(times)])
    uneven = any((own != 1).any() for own in lengths)
    return replace(series, frequency=frequency, dt=tuple(lengths) if uneven else None)


def refuse_gaps(series: Series) -> None:
    """Raise `DataError`, which names the first, where dates are left out."""
    assert series.dt is not None
    for name, dt, times in zip(series.ids, series.dt, series.times or [None] * len(series), strict=True):
        gaps = np.flatnonzero(dt[1:] != 1)
        if gaps.size:
            row = int(gaps[0]) + 1
            after = "" if times is None else f" after {times[row - 1]}"
            raise DataError(
                f"series '{name}': {dt[row] - 1:g} steps are left out before row {row}{after}, and the model was "
                "trained on rows without a gap; fill them, or fit with missing='observed'"
            )


def too_short(names: Sequence[str], rows: Sequence[int], need: int, what: str) -> str:
    """A note on series that are left out, by their names."""
    left = [name for name, n in zip(names, rows, strict=True) if n < need]
    return f"{named(left)}: fewer than {need} rows, {what}" if left else ""


def _places(frequency: Frequency, times: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros(min(len(times), 1)), np.cumsum(frequency.gaps(times))])


def _row_before(places: np.ndarray) -> np.ndarray:
    """For each place the last row at or before it."""
    steps = np.arange(places[-1] + 1 if len(places) else 0)
    return np.searchsorted(places, steps, side="right") - 1


def _spread(parts: tuple[np.ndarray, ...], places: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    spread = []
    for part, at in zip(parts, places, strict=True):
        wide = np.full((at[-1] + 1 if len(at) else 0, part.shape[1]), np.nan)
        wide[at] = part
        spread.append(wide)
    return tuple(spread)


def _times(frequency: Frequency, times: np.ndarray, places: np.ndarray) -> np.ndarray:
    if not len(times):
        return times
    whole = np.concatenate([times[:1], frequency.ahead(times[0], int(places[-1]))]).astype(times.dtype)
    whole[places] = times
    return whole
