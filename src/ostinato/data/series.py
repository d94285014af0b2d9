"""Series ready for a forecaster: targets, covariates and times, aligned, from a table in wide or long layout."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ostinato.errors import DataError, LeakError

from .frequency import Frequency
from .steps import steps_of
from .table import Table
from .time_column import find_time
from .values import check_size
from .zones import Zone

_EXACT = 2.0**53


@dataclass(frozen=True)
class Series:
    """One or many series with the same columns, each with its own length; missing values are NaN.

    * `target`, `past`, `future`: for each series an array `(time, columns)`: what is forecast; what is known up to now;
      what is known ahead. Rows at the end whose target is missing are the time to be forecast.
    * `static`: `(series, columns)`, one value for each series.
    * `times`: for each series `(time,)`, `datetime64` (in UTC where there is a `zone`, the time zone of the file) or
      numbers; `None` where the table has no time.
    * `dt`: for each series `(time,)`, time since the step before in units of the usual step (the first is 1); `None`
      where all steps are equal.
    * `frequency`: the usual step, where the times have one; else `step` is the median one, in seconds or in the unit of
      the numbers.
    * `ids`: the names of the series, in the order of the table; `series_name`: the column that they stand in.
    * `notes`: what was done on the way that the user should know, in words.
    """

    target: tuple[np.ndarray, ...]
    past: tuple[np.ndarray, ...]
    future: tuple[np.ndarray, ...]
    static: np.ndarray
    times: tuple[np.ndarray, ...] | None
    dt: tuple[np.ndarray, ...] | None
    ids: tuple[str, ...]
    target_names: tuple[str, ...]
    past_names: tuple[str, ...] = ()
    future_names: tuple[str, ...] = ()
    static_names: tuple[str, ...] = ()
    time_name: str | None = None
    frequency: Frequency | None = None
    notes: tuple[str, ...] = ()
    series_name: str | None = None
    zone: Zone | None = None
    step: float | None = None

    def __repr__(self) -> str:
        rows, names = sum(self.lengths), ", ".join(self.target_names[:6])
        more = f" and {len(self.target_names) - 6} more" if len(self.target_names) > 6 else ""
        step = "" if self.frequency is None else f", {self.frequency.name}"
        return f"Series({len(self)} of {rows:,} rows{step}, target {names}{more})"

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(len(t) for t in self.target)

    @property
    def history(self) -> tuple[int, ...]:
        """For each series the number of steps up to the last that has a target."""
        return tuple(int(np.flatnonzero(~np.isnan(t).all(1)).max(initial=-1)) + 1 for t in self.target)

    @property
    def observed(self) -> tuple[np.ndarray, ...]:
        """For each series `(time, targets)`, False where a target is missing."""
        return tuple(~np.isnan(t) for t in self.target)

    def cut(self, start: int | None, stop: int | None) -> "Series":
        """The steps `start` to `stop` of each series, as in a slice; negative ones count from its end."""
        steps = slice(start, stop)
        return replace(
            self,
            target=tuple(a[steps] for a in self.target),
            past=tuple(a[steps] for a in self.past),
            future=tuple(a[steps] for a in self.future),
            times=None if self.times is None else tuple(a[steps] for a in self.times),
            dt=None if self.dt is None else tuple(a[steps] for a in self.dt),
        )

    def apart(self) -> "Series":
        """Each target of each series as a series of its own, with one target, so that one network serves them all."""
        names = self.target_names
        if len(names) == 1:
            return self
        each = len(names)
        ids = [f"{i}/{n}" if len(self) > 1 else n for i in self.ids for n in names]
        return replace(
            self,
            target=tuple(t[:, [k]] for t in self.target for k in range(each)),
            past=_repeat(self.past, each),
            future=_repeat(self.future, each),
            static=np.repeat(self.static, each, axis=0),
            times=None if self.times is None else _repeat(self.times, each),
            dt=None if self.dt is None else _repeat(self.dt, each),
            ids=tuple(ids),
            target_names=("value",),
        )


def to_series(
    table: Any,
    target: str | Sequence[str] | None = None,
    time: str | None = None,
    series: str | None = None,
    past: Sequence[str] = (),
    future: Sequence[str] = (),
    static: Sequence[str] = (),
) -> Series:
    """Series from a table or frame: in wide layout (a column for each target) or, with `series`, in long layout.

    * `target`: one or several columns; `None` takes every column of numbers that has no other part.
    * `time`: a column of times, or of numbers such as years; `None` takes the column of times, or one of numbers that
      is named like one (`year`, `step`, `t`) and has no number twice in a series. `""`: there is none.
    * `series`: the column that says to which series a row belongs (long layout); `None` for a single series.
    * `past`, `future`: covariates known up to now, and known ahead. `static`: constant within a series.

    Rows out of order are sorted, which is noted. Uneven steps give `dt`, missing values stay NaN. A series without any
    value of a target is left out, which is noted, as is one of a single row.

    Raises `LeakError` where a target, or a copy of it, stands among the future covariates; `DataError` for a missing
    column, text in a number, a number too large to compute with, a time that is missing, cannot be read or occurs
    twice, several columns of times, a static column that changes, no target at all.

    ```python
    >>> table = Table({"month": ["2020-01", "2020-02", "2020-03"], "sold": [3, None, 5]})
    >>> series = to_series(table, "sold")
    >>> series.target[0][:, 0].tolist(), series.frequency.name, series.frequency.season
    ([3.0, nan, 5.0], 'monthly', 12)

    ```
    """
    table = Table.from_frame(table)
    notes = list(table.notes)
    if not len(table):
        raise DataError(f"{table.source}: no rows")
    named = () if target is None else (target,) if isinstance(target, str) else tuple(map(str, target))
    counts: tuple[str, ...] = ()
    if time is None:
        time, counts = find_time(table, {*named, *past, *future, *static}, series, notes)
    targets = _targets(table, named, (time, series, *past, *future, *static, *counts), notes)
    _check_roles(table, targets, past, future)
    wanted, moments = _numbers(table, targets), _moments(table, time or None)
    extra = [_numbers(table, names) for names in (past, future, static)]
    ids, groups = _groups(table, series)
    ids, groups = _with_values(ids, groups, wanted, targets, notes)
    groups = [_in_order(table, moments, rows, time, series, notes) for rows in groups]
    for i, rows in zip(ids, groups, strict=True):
        _check_static(table, extra[2], rows, static, i)
    _check_copies(table, wanted, extra[1], targets, future)
    times = None if moments is None else tuple(moments[rows] for rows in groups)
    zone = table.zone(time) if time and moments is not None and moments.dtype.kind == "M" else None
    if zone is not None:
        notes.append(f"times: in the zone of the file ({zone}{zone.later})")
    steps = None if times is None else steps_of(times, zone, notes)
    return Series(
        target=tuple(wanted[rows] for rows in groups),
        past=tuple(extra[0][rows] for rows in groups),
        future=tuple(extra[1][rows] for rows in groups),
        static=np.stack([extra[2][rows[0]] for rows in groups]),
        times=times,
        dt=None if steps is None else steps.dt,
        ids=tuple(ids),
        target_names=tuple(targets),
        past_names=tuple(past),
        future_names=tuple(future),
        static_names=tuple(static),
        time_name=time or None,
        frequency=None if steps is None else steps.frequency,
        notes=tuple(dict.fromkeys(notes)),
        series_name=series,
        zone=zone,
        step=None if steps is None else steps.length,
    )


def _targets(table: Table, named: tuple[str, ...], others: tuple[Any, ...], notes: list[str]) -> list[str]:
    targets = list(named)
    if not named:
        targets = [n for n in table.names if table.kind(n) == "number" and n not in others]
        notes.append(f"target: {', '.join(targets)}")
    if not targets:
        guessed = "".join(f"; {note}" for note in table.notes)
        raise DataError(
            f"{table.source}: no target: it has no column of numbers among {', '.join(table.names)}{guessed}"
        )
    for name in targets:
        if np.isnan(table.number(name)).all():
            raise DataError(f"{table.source}: target '{name}' has no value at all")
    return targets


def _check_roles(table: Table, targets: list[str], past: Sequence[str], future: Sequence[str]) -> None:
    leaked = [n for n in future if n in targets]
    if leaked:
        raise LeakError(
            f"{table.source}: target '{leaked[0]}' stands among the future covariates; "
            "its future is what is to be forecast, its past is always an input"
        )
    for name, count in [(n, [*targets, *past, *future].count(n)) for n in (*targets, *past, *future)]:
        if count > 1:
            raise DataError(f"{table.source}: column '{name}' has {count} parts among target, past and future")


def _check_copies(table: Table, wanted: np.ndarray, ahead: np.ndarray, targets: list[str], future: Any) -> None:
    """A copy of the target under another name leaks as the target does."""
    for k, target in enumerate(targets):
        changes = np.nanmin(wanted[:, k]) < np.nanmax(wanted[:, k])
        seen = ~np.isnan(wanted[:, k])
        for j, name in enumerate(future):
            if changes and np.array_equal(wanted[seen, k], ahead[seen, j]):
                raise LeakError(f"{table.source}: the future covariate '{name}' is the target '{target}', row by row")


def _numbers(table: Table, names: Sequence[str]) -> np.ndarray:
    if not names:
        return np.zeros((len(table), 0))
    columns = [table.number(name) for name in names]
    for name, column in zip(names, columns, strict=True):
        check_size(column, lambda row, name=name: f"{table.where(row)}: column '{name}'")
    return np.stack(columns, axis=1)


def _moments(table: Table, time: str | None) -> np.ndarray | None:
    if time is None:
        return None
    if table.kind(time) != "number":
        moments = table.time(time)
        missing = np.isnat(moments)
    else:
        try:
            moments = table.time(time)
            missing = np.isnat(moments)
        except DataError:
            moments = table.number(time)
            missing = np.isnan(moments)
            if (np.abs(moments) > _EXACT).any():
                row = int(np.flatnonzero(np.abs(moments) > _EXACT)[0])
                raise DataError(
                    f"{table.where(row)}: {moments[row]:.17g} in column '{time}'; numbers are exact up to 2^53 only, "
                    "write the times in ISO 8601"
                ) from None
    if missing.any():
        raise DataError(f"{table.where(int(np.flatnonzero(missing)[0]))}: no time in column '{time}'")
    return moments


def _groups(table: Table, series: str | None) -> tuple[list[str], list[np.ndarray]]:
    """Names of the series, in the order of their first row, and the rows of each."""
    if series is None:
        return ["0"], [np.arange(len(table))]
    names = table.text(series)
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(str(name), []).append(row)
    if "" in rows:
        raise DataError(f"{table.where(rows[''][0])}: no name in the series column '{series}'")
    return list(rows), [np.array(r) for r in rows.values()]


def _with_values(
    ids: list[str], groups: list[np.ndarray], wanted: np.ndarray, targets: list[str], notes: list[str]
) -> tuple[list[str], list[np.ndarray]]:
    """The series that have a value of a target; the others are named, and so are those of one row."""
    there = [not np.isnan(wanted[rows]).all() for rows in groups]
    words = f"no value of {', '.join(targets)}"
    notes += [f"series '{i}': {words}, it is left out" for i, some in zip(ids, there, strict=True) if not some]
    kept = [(i, rows) for i, rows, some in zip(ids, groups, there, strict=True) if some]
    if len(groups) > 1:
        notes += [f"series '{i}': a single row" for i, rows in kept if len(rows) == 1]
    return [i for i, _ in kept], [rows for _, rows in kept]


def _in_order(
    table: Table, moments: np.ndarray | None, rows: np.ndarray, time: str | None, series: str | None, notes: list[str]
) -> np.ndarray:
    if moments is None:
        return rows
    order = np.argsort(moments[rows], kind="stable")
    if (np.diff(order) < 0).any():
        notes.append(f"rows were not in the order of '{time}' and were sorted")
    rows = rows[order]
    same = np.flatnonzero(moments[rows][1:] == moments[rows][:-1])
    if same.size:
        first, second = int(rows[same[0]]), int(rows[same[0] + 1])
        advice = "" if series else "; with several series in one table, name the column that tells them apart (series=)"
        before = table.where(first).removeprefix(f"{table.source}, ")
        zone = table.zone(time) if time and moments.dtype.kind == "M" else None
        if moments.dtype.kind == "M" and (zone is None or zone.name is not None) and _below(moments[rows], 86_400):
            advice += "; where clocks are put back an hour comes twice: write the offset from UTC beside it (+02:00)"
        moment = moments[second] if zone is None else zone.written(moments[[second]])[0]
        raise DataError(f"{table.where(second)}: time {moment} stands in {before} already{advice}")
    return rows


def _below(moments: np.ndarray, seconds: int) -> bool:
    """Whether the usual step, of those that are one, is shorter than that."""
    gaps = np.diff(np.unique(moments)) / np.timedelta64(1, "s")
    return len(gaps) > 0 and bool(np.median(gaps) < seconds)


def _check_static(table: Table, values: np.ndarray, rows: np.ndarray, static: Sequence[str], name: str) -> None:
    for j, column in enumerate(static):
        own = values[rows, j]
        changed = np.flatnonzero(own != own[0])
        if np.isnan(own[0]) or changed.size:
            row = int(rows[changed[0]]) if changed.size else int(rows[0])
            raise DataError(f"{table.where(row)}: static column '{column}' must have one value in series '{name}'")


def _repeat(arrays: tuple[np.ndarray, ...], count: int) -> tuple[np.ndarray, ...]:
    return tuple(a for a in arrays for _ in range(count))
