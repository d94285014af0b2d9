"""Times as files write them: many forms, fractions of a second, offsets and zones."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from ostinato.errors import DataError

from .values import is_missing, to_number
from .zones import Zone, exact

_MONTH = re.compile(r"(\d{4})[-/](\d{1,2})")
_QUARTER = re.compile(r"(\d{4})[- ]?[Qq]([1-4])")
_FORMATS = (
    *("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"),
    *("%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%B %d %Y", "%B %d, %Y", "%d %B %Y", "%b %Y", "%B %Y", "%b-%Y"),
)
_DAY_FIRST = ("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S")
_MONTH_FIRST = ("%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S")

_COMPACT = re.compile(r"(?:(1[7-9]\d\d|2[01]\d\d)(\d\d))|(\d{8})(\d{4}(?:\d\d)?)")
_CLOCK = re.compile(r"[\dW-]+(?:[T ]|$)", re.IGNORECASE)
_FRACTION = re.compile(r"(.*:\d{2})[.,](\d+)(.*)")
_OFFSET = re.compile(r"(.*\d)\s*(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?", re.IGNORECASE)
_PLACE = re.compile(r"(.*[\dZz])\s*(?:\[([A-Za-z_+/0-9-]+)\]|\s([A-Za-z_]+(?:/[A-Za-z_+0-9-]+)+))")
_WORD = re.compile(r"(.*\d)\s*([A-Za-z]{1,5})")
_DATED = re.compile(r"\s*(\d{4}[-/.]\d{1,2}([-/. T]|$)|\d{1,2}[-/.](\d{1,2}|[A-Za-z]{3,9})[-/.]\d{2,4}\b)")

WORDS = {
    **dict.fromkeys(("Z", "UTC", "UT", "GMT", "WET"), 0),
    **{"CET": 1, "WEST": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9},
    **{"EDT": -4, "EST": -5, "CDT": -5, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8},
}
"""Hours east of UTC of the words that mean one zone only; IST, BST, CST and the like mean several."""


class Moments(NamedTuple):
    """Times `(rows,)`, `datetime64` in the coarsest unit that is exact, NaT where missing; with a zone in UTC."""

    values: np.ndarray
    zone: Zone | None


class Unread(NamedTuple):
    """The row of the first cell that cannot be read as a time, and why where that is not plain."""

    row: int
    why: str = ""


class _Read(NamedTuple):
    moment: datetime
    nanoseconds: int = 0
    offset: int | None = None
    place: str | None = None


def to_times(cells: Sequence[str]) -> Moments | Unread:
    """All times of a column, or the first cell that cannot be read as one.

    Read are: ISO 8601, `1949-01`, `1949Q1`, `2020/01/31`, `31.01.2020`, `Jan 31 2020`, `31 Jan 2020` and the like, each
    with an optional time of day, a fraction of a second down to nanoseconds, and an offset (`+02:00`), a word of
    `WORDS` (`UTC`, `CET`) or a zone (`Europe/Berlin`, `[Europe/Berlin]`); `01/31/2020` or `31/01/2020` where the column
    itself tells the day from the month; and digits alone (`202001`, `20200131`, `202001311530`). A missing entry is
    NaT. All cells have a zone or none has.
    """
    forms = [*_slashed(cells), *_FORMATS]
    read: list[_Read | None] = []
    for i, cell in enumerate(cells):
        moment = _plain(cell) or _any(cell.strip(), forms)
        if moment is None and not is_missing(cell):
            return Unread(i, _why(cell))
        read.append(moment)
    there = [m for m in read if m is not None]
    if not there:
        return Moments(np.full(len(cells), "NaT", "datetime64[s]"), None)
    zoned = [m.offset is not None or m.place is not None for m in there]
    if any(zoned) and not all(zoned):
        odd = zoned.index(not zoned[0])
        row = [i for i, m in enumerate(read) if m is not None][odd]
        what = "an offset" if zoned[odd] else "no offset"
        return Unread(row, f"it has {what}, unlike the times before it")
    return _moments(read, there, all(zoned))


def looks_typed(cell: str) -> bool:
    """Whether the cell holds a number or a time, and so cannot be a column's name."""
    if is_missing(cell):
        return False
    return to_number(cell) is not None or is_time(cell)


def is_time(cell: str) -> bool:
    """Whether the cell can be read as a time, by itself."""
    return (_plain(cell) or _any(cell.strip(), [*_DAY_FIRST, *_MONTH_FIRST, *_FORMATS])) is not None


def looks_dated(cell: str) -> bool:
    """Whether the cell begins like a date, readable or not."""
    return _DATED.match(cell) is not None


def _moments(read: list[_Read | None], there: list[_Read], zoned: bool) -> Moments | Unread:
    where = np.array([i for i, m in enumerate(read) if m is not None])
    shown = np.full(len(read), "NaT", "datetime64[us]")
    shown[where] = [m.moment for m in there]
    fine = np.array([m.nanoseconds for m in there])
    if fine.any():
        years = [m.moment.year for m in there]
        if not 1678 <= min(years) <= max(years) <= 2261:
            row = int(where[next(i for i, y in enumerate(years) if not 1678 <= y <= 2261)])
            return Unread(row, "with nanoseconds the years are 1678 to 2261")
        shown = shown.astype("datetime64[ns]")
        shown[where] += fine.astype("timedelta64[ns]")
    if not zoned:
        return Moments(exact(shown), None)
    places = list(dict.fromkeys(m.place for m in there if m.place is not None))
    values = shown.copy()
    for place in places:
        try:
            zone = Zone(place)
        except DataError as error:
            return Unread(int(where[next(i for i, m in enumerate(there) if m.place == place)]), str(error))
        rows = where[[m.place == place and m.offset is None for m in there]]
        values[rows] = zone.moments(shown[rows])
    given = where[[m.offset is not None for m in there]]
    values[given] -= np.array([m.offset for m in there if m.offset is not None], int).astype("timedelta64[s]")
    if len(places) == 1 and all(m.place is not None for m in there):
        return Moments(exact(values), Zone(places[0]))
    offsets = (shown[where] - values[where]).astype("timedelta64[s]").astype(int)
    return Moments(exact(values), Zone.of(values[where], offsets))


def _plain(cell: str) -> _Read | None:
    """ISO 8601, which nearly every file has, at once."""
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return None
    # Python takes any sign between day and clock, so that the offset behind a day (2020-01-31+02:00) were its clock.
    if _CLOCK.match(cell) is None:
        return None
    # It reads six places of a second and drops the rest.
    return None if len(cell) > 26 and _digits(cell) > 6 else _of(moment)


def _of(moment: datetime) -> _Read:
    offset = moment.utcoffset()
    if offset is None:
        return _Read(moment)
    return _Read(moment.replace(tzinfo=None), 0, round(offset.total_seconds()))


def _digits(cell: str) -> int:
    found = _FRACTION.fullmatch(cell)
    return len(found[2]) if found else 0


def _any(cell: str, forms: list[str]) -> _Read | None:
    """A time in any form, with a fraction and a zone."""
    # No written time is shorter, and words without a digit need not be tried in every form.
    if len(cell) < 6 or not any(c.isdigit() for c in cell):
        return None
    if (place := _PLACE.fullmatch(cell)) and (inner := _any(place[1], forms)) is not None:
        return inner._replace(place=place[2] or place[3])
    if (fraction := _FRACTION.fullmatch(cell)) and len(fraction[2].rstrip("0")) <= 9:
        inner = _any(fraction[1] + fraction[3], forms)
        if inner is None or inner.nanoseconds or inner.moment.microsecond:
            return None
        whole = int(fraction[2].ljust(9, "0")[:9])
        return inner._replace(moment=inner.moment + timedelta(microseconds=whole // 1000), nanoseconds=whole % 1000)
    if (word := _WORD.fullmatch(cell)) and word[2].upper() in WORDS and ":" in word[1]:
        inner = _any(word[1], forms)
        return (
            None if inner is None or inner.offset is not None else inner._replace(offset=3600 * WORDS[word[2].upper()])
        )
    if (plain := _plain(cell)) is not None:
        return plain
    if (ending := _OFFSET.fullmatch(cell)) and ":" in ending[1]:
        inner = _any(ending[1], forms)
        seconds = sum(int(part or 0) * unit for part, unit in zip(ending.groups()[2:], (3600, 60, 1), strict=True))
        if inner is None or inner.offset is not None or seconds >= 86_400:
            return None
        return inner._replace(offset=-seconds if ending[2] == "-" else seconds)
    moment = _in_forms(cell, forms)
    return None if moment is None else _Read(moment)


def _in_forms(cell: str, forms: list[str]) -> datetime | None:
    if match := _COMPACT.fullmatch(cell):
        return _compact(match)
    if match := _MONTH.fullmatch(cell):
        return datetime(int(match[1]), int(match[2]), 1) if 1 <= int(match[2]) <= 12 and int(match[1]) else None
    if match := _QUARTER.fullmatch(cell):
        return datetime(int(match[1]), 3 * int(match[2]) - 2, 1) if int(match[1]) else None
    for i, form in enumerate(forms):
        try:
            moment = datetime.strptime(cell, form)
        except ValueError:
            continue
        # A column is written in one form: the next cell finds it at once.
        forms.insert(0, forms.pop(i))
        return moment
    return None


def _compact(match: re.Match[str]) -> datetime | None:
    """A month, or a day with its clock, in digits alone: 202001 or 202001311530."""
    year, month, day, clock = match.groups()
    try:
        return datetime(int(year), int(month), 1) if year else datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        return None


def _why(cell: str) -> str:
    if "/" in cell:
        return "write days as 2020-01-31, the order of day and month is not clear"
    word = _WORD.fullmatch(cell.strip())
    if word and looks_dated(cell) and word[2].upper() not in ("AM", "PM"):
        return f"'{word[2]}' is no zone that has one meaning, write an offset such as +02:00"
    return ""


def _slashed(cells: Sequence[str]) -> tuple[str, ...]:
    """Forms of dates such as 03/04/2020: the order of day and month that all cells allow; none where it stays open."""
    largest = [0, 0]
    for cell in cells:
        parts = cell.strip().split("/")
        if len(parts) == 3 and parts[0].isdigit() and parts[1].isdigit() and len(parts[0]) <= 2:
            largest = [max(largest[0], int(parts[0])), max(largest[1], int(parts[1]))]
    if largest[0] > 12 >= largest[1]:
        return _DAY_FIRST
    return _MONTH_FIRST if largest[1] > 12 >= largest[0] else ()
