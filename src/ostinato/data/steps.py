"""The usual step of series, the rows that are left out, and rows counted by the steps of other series."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ostinato.errors import DataError

from .frequency import Frequency, infer_frequency
from .zones import DAY, Zone

if TYPE_CHECKING:
    from .series import Series

_LEFT_OUT = "times have no row"
_NEAR = 1e-6
"""Numbers that differ by less than this share of a step are one step apart."""


class Steps(NamedTuple):
    """The usual step of some series: its `frequency`, or its `length` (seconds, or the unit of numbers) without one.

    `dt`: for each series `(time,)`, the time since the row before in usual steps; `None` where all are 1.
    """

    frequency: Frequency | None
    length: float | None
    dt: tuple[np.ndarray, ...] | None


def steps_of(times: Sequence[np.ndarray], zone: Zone | None, notes: list[str]) -> Steps:
    """The usual step of all series, of the longest where they differ; where rows are uneven, a note says so."""
    frequency, length = None, None
    if times[0].dtype.kind == "M":
        frequency = infer_frequency(max(times, key=len), zone)
        if frequency is not None and not all(_whole(frequency.gaps(t, zone)) for t in times):
            frequency = None
    if frequency is None:
        passed = np.concatenate([_passed(t) for t in times])
        length = float(np.median(passed)) if len(passed) else None
    gaps = [_even(_gaps(t, frequency, length, zone), t, length) for t in times]
    uneven = sum(int((g != 1).sum()) for g in gaps)
    if not uneven:
        return Steps(frequency, length, None)
    unit = "the median step" if frequency is None else frequency.name
    words = f"{uneven} of {sum(map(len, gaps))} steps differ from {unit}; their lengths are in dt"
    if frequency is not None:
        words += f"; {sum(int((g - 1).sum()) for g in gaps)} {_LEFT_OUT}"
    notes.append(words)
    return Steps(frequency, length, tuple(_dt(g, len(t)) for g, t in zip(gaps, times, strict=True)))


def places(series: "Series") -> tuple[np.ndarray, ...]:
    """For each series the place `(time,)` of each row on the regular grid: 0, 1, 2, ... without gaps."""
    if series.dt is None:
        return tuple(np.arange(n) for n in series.lengths)
    return tuple(np.concatenate([np.zeros(1), np.cumsum(d[1:])])[: len(d)].round().astype(int) for d in series.dt)


def on_grid(series: "Series") -> "Series":
    """The series with a row for each time that has none: its targets and past covariates are missing (NaN).

    What is known ahead keeps the value of the row before. `dt` is `None` afterwards, and `places` of the series tells
    where its rows are now. Series without a frequency, or without a gap, stay as they are.

    ```python
    >>> from ostinato.data import to_series
    >>> days = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06"]
    >>> grid = on_grid(to_series({"day": days, "sold": [1, 2, 3, 6]}, "sold"))
    >>> grid.target[0][:, 0].tolist(), grid.dt
    ([1.0, 2.0, 3.0, nan, nan, 6.0], None)

    ```
    """
    if series.dt is None or series.frequency is None or series.times is None:
        return series
    at = places(series)
    times = []
    for old, rows in zip(series.times, at, strict=True):
        new = old
        if len(old) and len(old) <= rows[-1]:
            follow = series.frequency.ahead(old[0], int(rows[-1]), series.zone)
            new = np.concatenate([old[:1], follow]).astype(np.promote_types(old.dtype, follow.dtype))
            new[rows] = old
        times.append(new)
    sizes = [len(t) for t in times]
    spread = lambda parts: tuple(_spread(p, rows, n) for p, rows, n in zip(parts, at, sizes, strict=True))
    before = [np.searchsorted(rows, np.arange(n), "right") - 1 for rows, n in zip(at, sizes, strict=True)]
    future = tuple(f[rows] for f, rows in zip(series.future, before, strict=True))
    return replace(
        series, target=spread(series.target), past=spread(series.past), future=future, times=tuple(times), dt=None
    )


def counted_by(
    series: "Series", frequency: Frequency | None, length: float | None, zone: Zone | None, uneven: bool
) -> "Series":
    """The series with its rows counted by the steps of others (those that a model was trained on).

    Rows that are left out become missing rows (`on_grid`) or, where the model has seen steps of unequal length
    (`uneven`), are told in `dt`; a note says so in both cases. Times with a zone are put on the clocks of `zone`.

    Raises `DataError`, which names both steps, where the rows come in other steps.
    """
    series = on_clocks_of(series, zone)
    if series.times is None or (frequency is None and length is None):
        return series
    if (series.frequency, series.step, series.dt is not None) == (frequency, length, uneven):
        return series
    if frequency is not None and series.times[0].dtype.kind != "M":
        raise DataError(f"times: numbers, where those that the model was trained on were {frequency.name}")
    frequency = _of_clocks(frequency, series)
    gaps = [_gaps(t, frequency, length, series.zone) for t in series.times]
    every = np.concatenate(gaps)
    dt = tuple(_dt(g, len(t)) for g, t in zip(gaps, series.times, strict=True))
    counted = replace(series, frequency=frequency, step=length, dt=dt if uneven else None)
    if _ones(every) or (uneven and frequency is None):
        return counted
    usual = 2 * int((np.abs(every - 1) < _NEAR).sum()) >= len(every)
    if not all(_whole(g) for g in gaps) or not usual:
        found = infer_frequency(max(series.times, key=len), series.zone) if frequency is not None else None
        own = found.name if found is not None and found != frequency else f"{_odd(every):.6g} of these apart"
        raise DataError(
            f"times: the rows are {own}, those that the model was trained on were {_words(frequency, length)}; give it "
            "rows of that step"
        )
    note = _gap(counted, gaps)
    if uneven:
        return replace(counted, notes=(*series.notes, f"{note}; the lengths of the steps are in dt"))
    said = tuple(words for words in series.notes if not words.endswith(_LEFT_OUT))
    if frequency is None:
        raise DataError(f"times: {note}, and the model was trained without gaps; add these rows, with empty values")
    filled = on_grid(replace(counted, dt=dt))
    return replace(filled, notes=(*said, f"{note}; their values count as missing"))


def on_clocks_of(series: "Series", zone: Zone | None) -> "Series":
    """The series with its times on the clocks of a zone, or without one, as those that it is to be compared with.

    Offsets without a name say nothing of other years: those of the series itself go before them.
    """
    if series.times is None or series.zone == zone or series.times[0].dtype.kind != "M":
        return series
    own = series.zone
    if zone is not None and zone.name is None and own is not None and (own.name is not None or not own.fixed):
        return series
    return replace(series, times=tuple(moved(t, series.zone, zone) for t in series.times), zone=zone)


def moved(times: np.ndarray, old: Zone | None, new: Zone | None) -> np.ndarray:
    """Times of one zone as those of another; without a zone a time is what the clocks show."""
    if old is None and new is not None:
        return new.moments(times)
    return old.local(times) if old is not None and new is None else times


def _of_clocks(frequency: Frequency | None, series: "Series") -> Frequency | None:
    """Days that pass as days of the clocks, where a change of the clocks lies between the rows."""
    if frequency is None or series.zone is None or series.zone.fixed or frequency.unit != "second":
        return frequency
    local = Frequency("local second", frequency.every)
    fits = all(_whole(frequency.gaps(t, series.zone)) for t in series.times or ())
    return frequency if fits or frequency.every % DAY else local


def _passed(times: np.ndarray) -> np.ndarray:
    """What lies between each time and the one before: seconds, or numbers."""
    gaps = np.diff(times)
    return gaps / np.timedelta64(1, "s") if gaps.dtype.kind == "m" else gaps.astype(np.float64)


def _gaps(times: np.ndarray, frequency: Frequency | None, length: float | None, zone: Zone | None) -> np.ndarray:
    if frequency is not None:
        return frequency.gaps(times, zone)
    return _passed(times) / (length or 1.0)


def _even(gaps: np.ndarray, times: np.ndarray, length: float | None) -> np.ndarray:
    """The gaps, exactly 1 where they differ from it by no more than the rounding of numbers such as 0.1."""
    if times.dtype.kind == "M" or not length:
        return gaps
    rounding = 4 * float(np.spacing(np.abs(times).max(initial=0.0))) / length
    return np.where(np.abs(gaps - 1) <= max(_NEAR, rounding), 1.0, gaps)


def _dt(gaps: np.ndarray, rows: int) -> np.ndarray:
    return np.concatenate([np.ones(1), gaps])[:rows]


def _whole(gaps: np.ndarray) -> bool:
    return bool(((gaps > 0.5) & (np.abs(gaps - np.round(gaps)) < _NEAR)).all())


def _ones(gaps: np.ndarray) -> bool:
    return bool((np.abs(gaps - 1) < _NEAR).all())


def _odd(gaps: np.ndarray) -> float:
    """The usual gap, or the first that is no whole number where that is 1."""
    usual = float(np.median(gaps))
    return float(next((g for g in gaps if not _whole(np.array([g]))), usual)) if usual == 1 else usual


def _gap(series: "Series", gaps: list[np.ndarray]) -> str:
    """How many rows are left out, and after which the first."""
    assert series.times is not None
    count = sum(int(np.round(g - 1).sum()) for g in gaps)
    i = next(i for i, g in enumerate(gaps) if (g > 1 + _NEAR).any())
    before = series.times[i][[int(np.argmax(gaps[i] > 1 + _NEAR))]]
    time = before[0] if series.zone is None else series.zone.written(before)[0]
    return f"{count} {_LEFT_OUT}, the first of them after {time}"


def _words(frequency: Frequency | None, length: float | None) -> str:
    return frequency.name if frequency is not None else f"{length:.6g} apart"


def _spread(values: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    spread = np.full((size, *values.shape[1:]), np.nan)
    spread[rows] = values
    return spread
