"""Microbial communities that were measured over time: abundances of species and concentrations of metabolites."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ostinato.errors import DataError

from .read import read_table
from .table import Table
from .values import check_size, is_missing, to_number

TIME_NAMES = ("time", "hours", "hour", "h", "t", "time (h)", "time_h")
"""What a column of times is called, in any case."""

SHOWN = 5
"""Communities that an error lists."""


@dataclass(frozen=True)
class Communities:
    """Communities at common times: `values (communities, times, features)`, NaN where there was no sample.

    The features are first the `species` (abundances, such as OD), then the `metabolites` (concentrations, such as mM).
    `hours (times,)` increase; every community has all of its features at the first of them, its composition. `notes`
    say what is odd about the data.

    ```python
    >>> rows = {"community": ["a", "a", "b", "b"], "time": [0, 24, 0, 24], "X_OD": [0.1, 0.5, 0.0, 0.0]}
    >>> found = to_communities(rows | {"Y_OD": [0.1, 0.2, 0.1, 0.9], "acid": [0, 3, 0, 9]})
    >>> found.species, found.metabolites, found.values.shape, found.present.tolist()
    (('X_OD', 'Y_OD'), ('acid',), (2, 2, 3), [[True, True], [False, True]])

    ```
    """

    names: tuple[str, ...]
    species: tuple[str, ...]
    metabolites: tuple[str, ...]
    hours: Float[np.ndarray, "times"]
    values: Float[np.ndarray, "communities times features"]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def features(self) -> tuple[str, ...]:
        return self.species + self.metabolites

    @property
    def initial(self) -> Float[np.ndarray, "communities features"]:
        """What was put together at the first time."""
        return self.values[:, 0]

    @property
    def present(self) -> Bool[np.ndarray, "communities species"]:
        """Which species were put in."""
        return self.initial[:, : len(self.species)] > 0

    def take(self, rows: Any) -> "Communities":
        """The communities of an index array, a slice or a boolean mask."""
        chosen = np.arange(len(self))[rows]
        return replace(self, names=tuple(self.names[i] for i in chosen), values=self.values[chosen])


def read_communities(
    path: str | Path,
    species: Sequence[str] | None = None,
    metabolites: Sequence[str] | None = None,
    *,
    community: str | None = None,
    time: str | None = None,
) -> Communities:
    """The communities in a table (CSV, TSV, Parquet): `to_communities` of it."""
    return to_communities(read_table(path), species, metabolites, community=community, time=time)


def to_communities(
    given: Any,
    species: Sequence[str] | None = None,
    metabolites: Sequence[str] | None = None,
    *,
    community: str | None = None,
    time: str | None = None,
) -> Communities:
    """Communities from a wide table: a row for each sample, a column for each species and each metabolite.

    * `species`, `metabolites`: names of columns, or patterns such as `"*_OD"`. Without either, the columns that share
      an ending such as `_OD` are species and the other numbers metabolites; with one of them, the other numbers are
      the other kind. `metabolites=[]` says that there are none.
    * `community`: which community a sample is of; the only column of text. `time`: hours; the column of that name.

    The rows of a community stand in the order of time, but those of several may alternate. Samples and single
    concentrations may be missing; those of the first time may not. A metabolite that never varies is refused.

    Raises `DataError`, which names the line: a column that is not there or not clear, a missing community or time, a
    negative abundance, a community that was measured once, a sample that is there twice, times out of order, a
    community without a sample at the first time, a species that is missing in part of a sample.
    """
    table = Table.from_frame(given)
    community, time = _community_column(table, community), _time_column(table, time)
    chosen = _features(table, species, metabolites, {community, time})
    features = (*chosen[0], *chosen[1])
    names, hours, place = _samples(table, community, time)
    values = np.full((len(names), len(hours), len(features)), np.nan)
    lines = list(place.items())
    where = np.array([at for _, at in lines])
    rows = np.array([row for row, _ in lines])
    for j, name in enumerate(features):
        column = _amounts(table, name)
        values[where[:, 0], where[:, 1], j] = column[rows]
    found = Communities(names, chosen[0], chosen[1], hours, values)
    at = {(int(i), int(t)): row for row, (i, t) in lines}
    _check_samples(found, table, at)
    return replace(found, notes=_notes(found))


def compositions(
    given: Any,
    species: Sequence[str],
    metabolites: Sequence[str],
    *,
    medium: Mapping[str, float],
    community: str | None = None,
    time: str | None = None,
) -> Communities:
    """What somebody wants a prediction for: communities with their first sample only.

    A species without a column is absent from all of them; a metabolite without one has the concentration in `medium`.
    A table with times may hold later samples, which are not read. Its communities begin at the same time: what was put
    together is not known of one that was first measured later.

    Raises `DataError`: a column of numbers that is neither a known species nor a known metabolite, a community without
    a species, a negative or missing amount, a community that is there twice, a community that begins later than others.

    ```python
    >>> found = compositions({"name": ["a"], "X_OD": [0.1]}, ["X_OD", "Y_OD"], ["acid"], medium={"acid": 28.0})
    >>> found.initial.tolist()
    [[0.1, 0.0, 28.0]]

    ```
    """
    table = Table.from_frame(given)
    community = _community_column(table, community)
    if time not in table:
        time = None
    if time is not None or any(name.strip().lower() in TIME_NAMES for name in table.names):
        time = _time_column(table, time)
    known = [*species, *metabolites]
    unknown = [name for name in table.names if name not in (*known, community, time) and _holds_numbers(table, name)]
    if unknown:
        raise DataError(
            f"{table.source}: column '{unknown[0]}' is no species or metabolite of the model, "
            f"which knows {', '.join(known)}"
        )
    if time is not None:
        hours = table.number(time)
        _check_beginnings(table, _labels(table, community), hours)
        table = table.take(hours == hours.min())
    names = _labels(table, community)
    for i, name in enumerate(names):
        if name in names[:i]:
            raise DataError(f"{table.where(i)}: community '{name}' is there twice")
    columns = []
    for name in known:
        if name in table:
            amounts = _amounts(table, name)
            if np.isnan(amounts).any():
                row = int(np.isnan(amounts).argmax())
                raise DataError(f"{table.where(row)}: '{name}' of community '{names[row]}' is missing")
        else:
            amounts = np.full(len(table), 0.0 if name in species else medium[name])
        columns.append(amounts)
    values = np.stack(columns, axis=-1)
    empty = np.flatnonzero((values[:, : len(species)] <= 0).all(axis=1))
    if len(empty):
        raise DataError(f"{table.where(int(empty[0]))}: community '{names[empty[0]]}' has no species")
    return Communities(names, tuple(species), tuple(metabolites), np.zeros(1), values[:, None])


def _community_column(table: Table, given: str | None) -> str:
    if given is not None:
        table.text(given)
        return given
    texts = [name for name in table.names if table.kind(name) == "text" and not _holds_numbers(table, name)]
    if len(texts) != 1:
        found = f"there are {', '.join(texts)}" if texts else "there is no column of text"
        raise DataError(f"{table.source}: say which column names the communities (--community); {found}")
    return texts[0]


def _time_column(table: Table, given: str | None) -> str:
    if given is None:
        named = [name for name in table.names if name.strip().lower() in TIME_NAMES]
        if len(named) != 1:
            found = f"there are {', '.join(named)}" if named else f"there is none of {', '.join(TIME_NAMES)}"
            raise DataError(f"{table.source}: say which column holds the hours (--time); {found}")
        given = named[0]
    hours = table.number(given)
    if np.isnan(hours).any():
        raise DataError(f"{table.where(int(np.isnan(hours).argmax()))}: no time in column '{given}'")
    return given


def _features(
    table: Table, species: Sequence[str] | None, metabolites: Sequence[str] | None, taken: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of species and of metabolites, in the order of the table."""
    numbers = [n for n in table.names if n not in taken and _holds_numbers(table, n)]
    if species is None and metabolites is None:
        ends = [n.rpartition("_")[2] for n in numbers if "_" in n]
        common = [e for e in dict.fromkeys(ends) if ends.count(e) > 1]
        if len(common) != 1:
            found = f"endings {', '.join(common)}" if common else "no ending that columns share"
            raise DataError(
                f"{table.source}: it is not clear which columns are species; found {found} among {', '.join(numbers)}; "
                "say so with --species or --metabolites"
            )
        species = [n for n in numbers if n.rpartition("_")[::2] == (n[: -len(common[0]) - 1], common[0])]
    chosen = None if species is None else _matching(table, species, numbers)
    others = None if metabolites is None else _matching(table, metabolites, numbers)
    chosen = tuple(n for n in numbers if n not in (others or ())) if chosen is None else chosen
    others = tuple(n for n in numbers if n not in chosen) if others is None else others
    both = [n for n in chosen if n in others]
    if both:
        raise DataError(f"{table.source}: '{both[0]}' is among the species and among the metabolites")
    if not chosen:
        raise DataError(f"{table.source}: expected at least one column of a species, got none")
    return chosen, others


def _holds_numbers(table: Table, name: str) -> bool:
    """Whether a column is meant to be one of numbers; what else it holds is then found when it is read."""
    if table.kind(name) != "text":
        return table.kind(name) == "number"
    return any(to_number(cell) is not None and not is_missing(cell) for cell in table.text(name))


def _matching(table: Table, wanted: Sequence[str], numbers: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for pattern in wanted:
        names = [pattern] if pattern in table else [n for n in numbers if fnmatchcase(n, pattern)]
        if not names:
            if any(sign in pattern for sign in "*?["):
                raise DataError(f"{table.source}: no column of numbers is named like '{pattern}'")
            table.number(pattern)
        found += names
    return tuple(dict.fromkeys(found))


def _labels(table: Table, column: str) -> tuple[str, ...]:
    names = tuple(str(name).strip() for name in table.text(column))
    for row, name in enumerate(names):
        if not name or name == "nan":
            raise DataError(f"{table.where(row)}: no community in column '{column}'")
    return names


def _amounts(table: Table, name: str) -> np.ndarray:
    """A column of amounts: 0 or more, or missing."""
    column = table.number(name)
    check_size(column, lambda row: f"{table.where(row)}: column '{name}'")
    below = np.flatnonzero(column < 0)
    if len(below):
        row = int(below[0])
        raise DataError(f"{table.where(row)}: {column[row]:g} in column '{name}', expected an amount of 0 or more")
    return column


def _samples(table: Table, community: str, time: str) -> tuple[tuple[str, ...], np.ndarray, dict[int, tuple[int, int]]]:
    """The communities in the order of the table, the times, and which of both each row is."""
    labels, hours = _labels(table, community), table.number(time)
    names, times = tuple(dict.fromkeys(labels)), np.unique(hours)
    number = {name: i for i, name in enumerate(names)}
    last: dict[str, int] = {}
    for row, name in enumerate(labels):
        before = last.get(name)
        if before is not None and hours[row] == hours[before]:
            again = f"is there already at {hours[row]:g} h ({table.where(before).rpartition(', ')[2]})"
            raise DataError(f"{table.where(row)}: community '{name}' {again}")
        if before is not None and hours[row] < hours[before]:
            raise DataError(
                f"{table.where(row)}: community '{name}' at {hours[row]:g} h comes after {hours[before]:g} h"
                f" ({table.where(before).rpartition(', ')[2]}); the rows of a community stand in the order of time"
            )
        last[name] = row
    for name in names:
        if labels.count(name) == 1:
            raise DataError(f"{table.where(last[name])}: community '{name}' was measured once, expected twice or more")
    where = np.searchsorted(times, hours)
    return names, times, {row: (number[name], int(where[row])) for row, name in enumerate(labels)}


def _check_beginnings(table: Table, names: tuple[str, ...], hours: np.ndarray) -> None:
    """Raise `DataError` for communities that begin later than others, which says which these are."""
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if name not in first or hours[row] < hours[first[name]]:
            first[name] = row
    late = [row for row in first.values() if hours[row] > hours.min()]
    if late:
        listed = ", ".join(f"'{names[row]}' at {hours[row]:g} h" for row in late[:SHOWN])
        more = f" and {len(late) - SHOWN} more" if len(late) > SHOWN else ""
        raise DataError(
            f"{table.where(late[0])}: community '{names[late[0]]}' has no sample at {hours.min():g} h, where others "
            f"begin; later begin {listed}{more}. A prediction goes from what was put together: count the hours of each "
            "community from its own start, or leave it out"
        )


def _check_samples(found: Communities, table: Table, row_of: Mapping[tuple[int, int], int]) -> None:
    some = len(found.species)
    first = {i: row for (i, t), row in sorted(row_of.items(), reverse=True)}
    for i, name in enumerate(found.names):
        if (i, 0) not in row_of:
            raise DataError(
                f"{table.where(first[i])}: community '{name}' has no sample at {found.hours[0]:g} h, where others begin"
            )
    for (i, t), row in row_of.items():
        gaps = np.isnan(found.values[i, t])
        if t == 0 and gaps.any():
            raise DataError(f"{table.where(row)}: '{found.features[int(gaps.argmax())]}' is missing at the first time")
        if gaps[:some].any() and not gaps[:some].all():
            raise DataError(
                f"{table.where(row)}: '{found.species[int(gaps[:some].argmax())]}' is missing where other species are "
                "there; write 0 for an absent species"
            )
        if t == 0 and not (found.values[i, 0, :some] > 0).any():
            raise DataError(f"{table.where(row)}: community '{found.names[i]}' has no species")
    for j, name in enumerate(found.metabolites):
        later = found.values[:, 1:, some + j]
        if np.isnan(later).all():
            raise DataError(f"{table.source}: metabolite '{name}' has no value after the first time")
        if not np.nanstd(later) > 0:
            row = row_of[min(at for at in row_of if at[1] > 0)]
            raise DataError(
                f"{table.where(row)}: metabolite '{name}' is {np.nanmean(later):g} in every sample after the first "
                "time; what does not vary cannot be learned"
            )


def _notes(found: Communities) -> tuple[str, ...]:
    some = len(found.species)
    notes = []
    later = np.nan_to_num(found.values[:, 1:, :some]) * ~found.present[:, None, :]
    if (later > 0).any():
        notes.append(
            f"{int((later > 0).any(-1).sum())} samples hold a species that was not put in, up to {later.max():.3g} of "
            f"{found.species[int(later.max((0, 1)).argmax())]}: contamination, or reads that were assigned wrongly."
        )
    missing = np.isnan(found.values[..., :some]).all(-1).sum()
    if missing:
        notes.append(f"{int(missing)} of {len(found) * len(found.hours)} samples are missing.")
    return tuple(notes)
