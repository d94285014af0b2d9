"""The hold-out: a share, a number or a file; the end of each series; rows of each class, or whole groups, by seed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from ostinato.errors import DataError, SettingsError

from .order import permutation
from .points import rows_of
from .series import Series

PARTS = ("target", "past", "future", "times", "dt")
"""The fields of a `Series` that hold an array for each series."""

NAMED = 3
"""So many series are named where something is said of several."""


def read_amount(name: str, text: str, *, file: bool = False) -> int | float | str:
    """How much is to be held out, from text: a number, a share, or where `file` allows it the name of a file.

    Raises `SettingsError`, which begins with `name`, for anything else: text, a share of 1 or more, a file that is not
    there.

    ```python
    >>> read_amount("--test", "30"), read_amount("--test", "0.2")
    (30, 0.2)
    >>> read_amount("--test", "20%", file=True)
    Traceback (most recent call last):
    ostinato.errors.SettingsError: --test: expected a share below 1, a number, or a file, got '20%'

    ```
    """
    for kind in (int, float):
        try:
            return check_amount(name, kind(text), file=file)
        except ValueError as error:
            if isinstance(error, SettingsError):
                raise
    if file and Path(text).is_file():
        return text
    raise SettingsError(f"{name}: expected {_expected(file)}, got {text!r}")


def check_amount(name: str, amount: Any, *, file: bool = False) -> Any:
    """The amount itself; raises `SettingsError` unless it is a share below 1, a number, or with `file` a file name."""
    plain = isinstance(amount, (int, float)) and not isinstance(amount, bool)
    if plain and amount >= 0 and (isinstance(amount, int) or amount < 1):
        return amount
    if file and isinstance(amount, str):
        return amount
    raise SettingsError(f"{name}: expected {_expected(file)}, got {amount!r:.80}")


def count_of(amount: int | float, count: int) -> int:
    """How many of so many an amount is: a share is rounded, a number is itself."""
    return round(amount * count) if isinstance(amount, float) else amount


def held_stops(amount: int | float, rows: Sequence[int], *, name: str = "test") -> list[int]:
    """For each series of so many rows the row where its held-out end begins.

    Of a series that would have no row left nothing is held out. Raises `DataError` where that is so for all of them.

    ```python
    >>> held_stops(0.25, [8, 2]), held_stops(3, [8, 2])
    ([6, 2], [5, 2])

    ```
    """
    held = [count_of(check_amount(name, amount), n) for n in rows]
    stops = [n - h if h < n else n for n, h in zip(rows, held, strict=True)]
    if amount and all(h >= n for n, h in zip(rows, held, strict=True)):
        raise DataError(
            f"{name}: {amount} rows held out leave none to train on; the longest series has {max(rows, default=0)}"
        )
    return stops


def split_series(series: Series, amount: int | float | str, *, name: str = "test") -> tuple[Series, list[int]]:
    """The rows to train on, and for each series the row where its held-out end begins.

    `amount`: a share, a number of rows, or a point (`points.rows_of`). Series that are too short to hold anything out
    are trained on whole, which is noted by their names. Raises `SettingsError`, `DataError`.
    """
    if isinstance(amount, str):
        stops = rows_of(series, amount, name=name)
    else:
        stops = held_stops(amount, series.history, name=name)
    train = cut_series(series, stops=stops)
    short = [i for i, n, s in zip(series.ids, series.history, stops, strict=True) if s == n]
    if amount and len(short) < len(series) and short:
        train = replace(train, notes=(*train.notes, f"{name}: nothing is held out of {named(short)}: too few rows"))
    return train, stops


def cut_series(series: Series, starts: Sequence[int] | None = None, stops: Sequence[int] | None = None) -> Series:
    """Each series from its own first row on, and cut off at its own row."""
    begin = [0] * len(series) if starts is None else starts
    end: Sequence[Any] = [None] * len(series) if stops is None else stops
    cut = lambda parts: None if parts is None else tuple(p[a:b] for p, a, b in zip(parts, begin, end, strict=True))
    return replace(series, **{part: cut(getattr(series, part)) for part in PARTS})


def held_rows(
    amount: int | float,
    seed: int,
    count: int,
    *,
    classes: Any = None,
    groups: Any = None,
    keep: int = 1,
    name: str = "validation",
    streams: tuple[str, str] = ("validation", "validation groups"),
) -> Int[np.ndarray, " held"]:
    """Which of `count` rows are held out, in their order: a function of the seed.

    * `classes (count,)`: that share of each class, and one of each always stays; a number is shared out among them.
    * `groups (count,)`: whole groups, a share or a number of these; at least one, and never all.
    * `keep`: so many rows always stay. `streams`: the random streams of rows and groups (see `data.stream`).

    Raises `SettingsError`, and `DataError` where nothing is held out, or too few rows stay.

    ```python
    >>> held = held_rows(0.5, 0, 8, classes=list("aaaaaabb"))
    >>> [int((held < 6).sum()), int((held >= 6).sum())]
    [3, 1]

    ```
    """
    check_amount(name, amount)
    if groups is not None:
        return _held_groups(amount, seed, groups, name, streams[1])
    codes = np.zeros(count, int) if classes is None else np.unique(np.asarray(classes), return_inverse=True)[1].ravel()
    rows = [np.flatnonzero(codes == k) for k in range(codes.max(initial=-1) + 1)]
    held = []
    for i, (own, wanted) in enumerate(zip(rows, _shared_out(amount, rows, name), strict=True)):
        order = permutation(len(own), seed, i, name=streams[0])
        held.append(own[order[: min(wanted, len(own) - 1)]])
    chosen = np.sort(np.concatenate([np.zeros(0, int), *held]))
    if not len(chosen) or count - len(chosen) < keep:
        raise DataError(
            f"{name}: {amount} of {count} leaves {count - len(chosen)} to train on and {len(chosen)} to judge by"
        )
    return chosen


def named(names: Sequence[str]) -> str:
    """Series by their names, in words; of many the first ones.

    ```python
    >>> named(["a"]), named(list("abcde"))
    ("series 'a'", "series 'a', 'b', 'c' and 2 more")

    ```
    """
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"series {', '.join(map(repr, names[:NAMED]))}{more}"


def _shared_out(amount: int | float, rows: Sequence[np.ndarray], name: str) -> list[int]:
    """How many rows of each class: a share of it, or parts of a number in proportion, largest remainders first."""
    sizes = np.array([len(own) for own in rows], int)
    if isinstance(amount, float):
        return [round(amount * int(size)) for size in sizes]
    if amount > (sizes - 1).sum():
        raise DataError(f"{name}: {amount} of {sizes.sum()}, of which one of each class must stay, are too many")
    exact = amount * sizes / max(sizes.sum(), 1)
    found = np.minimum(np.floor(exact).astype(int), sizes - 1)
    while found.sum() < amount:
        free = found < sizes - 1
        found[int(np.argmax(np.where(free, exact - found, -np.inf)))] += 1
    return found.tolist()


def _held_groups(amount: int | float, seed: int, groups: Any, name: str, stream: str) -> np.ndarray:
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < 2:
        raise DataError(f"{name}: expected two or more groups to hold one out, got {names.tolist()}")
    order = permutation(len(names), seed, name=stream)
    wanted = min(max(count_of(amount, len(names)), 1), len(names) - 1)
    return np.flatnonzero(np.isin(group.ravel(), order[:wanted]))


def _expected(file: bool) -> str:
    return "a share below 1, a number, or a file" if file else "a share below 1, or a number of rows"
