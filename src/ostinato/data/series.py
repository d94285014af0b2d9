"""Series ready for a forecaster: targets, covariates and times, aligned, from a table in wide or long layout."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ostinato.errors import DataError, LeakError

from .frequency import Frequency, infer_frequency
from .table import Table


@dataclass(frozen=True)
class Series:
    """One or many series with the same columns, each with its own length; missing values are NaN.

    * `target`, `past`, `future`: for each series an array `(time, columns)`: what is forecast; what is known up to now;
      what is known ahead. Rows at the end whose target is missing are the time to be forecast.
    * `static`: `(series, columns)`, one value for each series.
    * `times`: for each series `(time,)`, `datetime64[s]` or numbers; `None` where the table has no time.
    * `dt`: for each series `(time,)`, time since the step before in units of the usual step (the first is 1); `None`
      where all steps are equal.
    * `frequency`: the usual step, where the times have one.
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
    * `time`: a column of times, or of numbers such as years; `None` takes the column of times if there is one only.
    * `series`: the column that says to which series a row belongs (long layout); `None` for a single series.
    * `past`, `future`: covariates known up to now, and known ahead. `static`: constant within a series.

    Rows out of order are sorted, which is noted. Uneven steps give `dt`, missing values stay NaN.

    Raises `LeakError` where a target, or a copy of it, stands among the future covariates; `DataError` for a missing
    column, text in a number, a time that is missing or occurs twice, a static column that changes, no target at all.

    ```python
    >>> table = Table({"month": ["2020-01", "2020-02", "2020-03"], "sold": [3, None, 5]})
    >>> series = to_series(table, "sold")
    >>> series.target[0][:, 0].tolist(), series.frequency.name, series.frequency.season
    ([3.0, nan, 5.0], 'monthly', 12)

    ```
    """
    table = Table.from_frame(table)
    notes: list[str] = []
    if not len(table):
        raise DataError(f"{table.source}: no rows")
    if time is None:
        dated = [n for n in table.names if table.kind(n) == "time" and n not in (*past, *future, *static, series)]
        time = dated[0] if len(dated) == 1 else None
        notes += [f"time: the column '{time}'"] if time else []
    targets = _targets(table, target, (time, series, *past, *future, *static), notes)
    _check_roles(table, targets, past, future)
    wanted, moments = _numbers(table, targets), _moments(table, time)
    extra = [_numbers(table, names) for names in (past, future, static)]
    ids, groups = _groups(table, series)
    groups = [_in_order(table, moments, rows, time, series, notes) for rows in groups]
    for i, rows in zip(ids, groups, strict=True):
        _check_static(table, extra[2], rows, static, i)
    _check_copies(table, wanted, extra[1], targets, future)
    frequency, times, dt = None, None, None
    if moments is not None:
        times = tuple(moments[rows] for rows in groups)
        frequency, dt = _steps(times, notes)
    return Series(
        target=tuple(wanted[rows] for rows in groups),
        past=tuple(extra[0][rows] for rows in groups),
        future=tuple(extra[1][rows] for rows in groups),
        static=np.stack([extra[2][rows[0]] for rows in groups]),
        times=times,
        dt=dt,
        ids=tuple(ids),
        target_names=tuple(targets),
        past_names=tuple(past),
        future_names=tuple(future),
        static_names=tuple(static),
        time_name=time,
        frequency=frequency,
        notes=tuple(dict.fromkeys(notes)),
    )


def _targets(table: Table, target: Any, others: tuple[Any, ...], notes: list[str]) -> list[str]:
    if target is not None:
        targets = [target] if isinstance(target, str) else [str(t) for t in target]
    else:
        targets = [n for n in table.names if table.kind(n) == "number" and n not in others]
        notes.append(f"target: {', '.join(targets)}")
    if not targets:
        raise DataError(f"{table.source}: no target: it has no column of numbers among {', '.join(table.names)}")
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
    return np.stack([table.number(n) for n in names], axis=1) if names else np.zeros((len(table), 0))


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
        raise DataError(f"{table.where(second)}: time {moments[second]} stands in {before} already{advice}")
    return rows


def _check_static(table: Table, values: np.ndarray, rows: np.ndarray, static: Sequence[str], name: str) -> None:
    for j, column in enumerate(static):
        own = values[rows, j]
        changed = np.flatnonzero(own != own[0])
        if np.isnan(own[0]) or changed.size:
            row = int(rows[changed[0]]) if changed.size else int(rows[0])
            raise DataError(f"{table.where(row)}: static column '{column}' must have one value in series '{name}'")


def _steps(times: tuple[np.ndarray, ...], notes: list[str]) -> tuple[Frequency | None, tuple[np.ndarray, ...] | None]:
    """The usual step of all series and, where steps differ, the length of each in its units."""
    frequency = None
    if np.issubdtype(times[0].dtype, np.datetime64):
        longest = max(times, key=len)
        frequency = infer_frequency(longest)
        if frequency is not None and any(not _fits(frequency, t) for t in times):
            frequency = None
    if frequency is not None:
        gaps = [frequency.gaps(t) for t in times]
        unit = frequency.name
    else:
        gaps = [np.diff(t).astype(np.float64) for t in times]
        middle = np.median(np.concatenate(gaps)) if any(map(len, gaps)) else 1.0
        gaps = [g / middle for g in gaps]
        unit = "the median step"
    uneven = sum(int((g != 1).sum()) for g in gaps)
    if not uneven:
        return frequency, None
    notes.append(f"{uneven} of {sum(map(len, gaps))} steps differ from {unit}; their lengths are in dt")
    return frequency, tuple(np.concatenate([np.ones(1), g])[: len(t)] for g, t in zip(gaps, times, strict=True))


def _fits(frequency: Frequency, times: np.ndarray) -> bool:
    gaps = frequency.gaps(times)
    return bool(((gaps > 0) & (gaps == np.round(gaps))).all())


def _repeat(arrays: tuple[np.ndarray, ...], count: int) -> tuple[np.ndarray, ...]:
    return tuple(a for a in arrays for _ in range(count))
