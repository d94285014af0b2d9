"""Time zones: how the clocks of a file stand to UTC, from a name or from the offsets that its times have."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from ostinato.errors import DataError

DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = (int((datetime(year, 1, 2, tzinfo=UTC) - _EPOCH).total_seconds()) for year in (2, 9999))
_SPAN = 366 * DAY
_MOST_CHANGES = 4
"""Offsets that change more often in a year than this are those of several places."""


@dataclass(frozen=True)
class Zone:
    """A time zone: its name in the IANA data base, or the offsets from UTC that were written beside the times.

    `name`: such as "Europe/Berlin"; `None` where only offsets are known. `offsets`: pairs of a second since 1970 in UTC
    and the offset from then on, in seconds east; the first holds before it too, the last for ever. A name has no
    `offsets`: they are looked up.

    ```python
    >>> berlin = Zone("Europe/Berlin")
    >>> moments = np.array(["2022-10-30T00:30", "2022-10-30T01:30"], "M8[s]")
    >>> berlin.local(moments).astype(str).tolist()
    ['2022-10-30T02:30:00', '2022-10-30T02:30:00']
    >>> berlin.written(moments)
    ['2022-10-30T02:30:00+02:00', '2022-10-30T02:30:00+01:00']

    ```
    """

    name: str | None = None
    offsets: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if self.name is not None:
            _named(self.name)

    @classmethod
    def of(cls, moments: np.ndarray, offsets: np.ndarray) -> "Zone":
        """From times in UTC and the offset of each, in seconds.

        Where the offsets change to and fro (several places in one file) this is UTC.
        """
        order = np.argsort(moments, kind="stable")
        seconds, offsets = moments[order].astype("datetime64[s]").astype(np.int64), offsets[order]
        new = np.flatnonzero(np.diff(offsets, prepend=offsets[:1] + 1))
        years = 1 + (seconds[-1] - seconds[0]) / (365 * DAY)
        if len(new) - 1 > _MOST_CHANGES * years:
            return cls(None, ((0, 0),))
        return cls(None, tuple((int(seconds[i]), int(offsets[i])) for i in new))

    @property
    def fixed(self) -> bool:
        """Whether there is one offset only."""
        return len(self.offsets) == 1 or self.name in ("UTC", "Etc/UTC", "GMT")

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        return " and ".join(_written(offset) for offset in sorted({offset for _, offset in self.offsets}))

    @property
    def later(self) -> str:
        """Which offset holds after the last time, in words, where the file has several and no name for them."""
        return f", after its end {_written(self.offsets[-1][1])}" if len(self.offsets) > 1 else ""

    def offsets_at(self, moments: np.ndarray) -> np.ndarray:
        """Seconds east of UTC at each of some times in UTC."""
        seconds = moments.astype("datetime64[s]").astype(np.int64)
        there = seconds[seconds != np.iinfo(np.int64).min]
        around = (int(there.min()) // _SPAN, int(there.max()) // _SPAN) if len(there) else (0, 0)
        since, offsets = np.array(self.offsets or _looked_up(self.name or "UTC", *around), np.int64).T
        return offsets[np.maximum(np.searchsorted(since, seconds, "right") - 1, 0)]

    def local(self, moments: np.ndarray) -> np.ndarray:
        """What the clocks show at some times in UTC."""
        return moments + self.offsets_at(moments).astype("timedelta64[s]")

    def moments(self, shown: np.ndarray) -> np.ndarray:
        """The times in UTC at which the clocks show something: the first where they do so twice.

        What they never show, because they were put forward, is read by the offset before.
        """
        day = np.timedelta64(1, "D")
        before, after = (shown - self.offsets_at(shown + d).astype("timedelta64[s]") for d in (-day, day))
        return np.where((self.local(before) != shown) & (self.local(after) == shown), after, before)

    def steady(self, moments: np.ndarray) -> np.ndarray:
        """What the clocks show, a time that they leave out on one day being where it is on all others."""
        shown = self.local(moments)
        days = shown.astype("datetime64[D]")
        clocks, counts = np.unique(shown - days, return_counts=True)
        usual = days + clocks[np.argmax(counts)] if len(clocks) else shown
        return np.where(self.moments(usual) == moments, usual, shown)

    def written(self, moments: Any) -> list[str]:
        """Times in UTC in ISO 8601, as the clocks show them and with the offset; a missing one is empty."""
        moments = exact(moments)
        there = ~np.isnat(moments)
        texts = np.full(len(moments), "", object)
        offsets = self.offsets_at(moments[there])
        shown = (moments[there] + offsets.astype("timedelta64[s]")).astype(str)
        texts[there] = [f"{time}{_written(int(offset))}" for time, offset in zip(shown, offsets, strict=True)]
        return texts.tolist()


def exact(times: Any) -> np.ndarray:
    """`datetime64` in the coarsest of seconds, milli-, micro- and nanoseconds that holds every one of them."""
    times = np.asarray(times)
    for unit in ("s", "ms", "us"):
        coarse = times.astype(f"datetime64[{unit}]")
        if ((coarse == times) | np.isnat(times)).all():
            return coarse
    return times.astype("datetime64[ns]")


@lru_cache(64)
def _looked_up(name: str, first: int, last: int) -> tuple[tuple[int, int], ...]:
    """The changes of a named zone in some stretches of time, each found by halving the day that it lies in."""
    zone = _named(name)
    low, high = (int(np.clip(stretch * _SPAN, _FIRST, _LAST)) for stretch in (first, last + 1))
    before = _offset(zone, low)
    found = [(low, before)]
    for start in range(low, high, DAY):
        stop = min(start + DAY, high)
        now = _offset(zone, stop)
        if now != before:
            earlier, later = start, stop
            while later - earlier > 1:
                middle = (earlier + later) // 2
                earlier, later = (middle, later) if _offset(zone, middle) == before else (earlier, middle)
            found.append((later, now))
            before = now
    return tuple(found)


def _named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DataError(f"time zone '{name}': not known on this machine; write an offset such as +02:00") from error


def _offset(zone: ZoneInfo, second: int) -> int:
    moment = _EPOCH + timedelta(seconds=second)
    return round((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def _written(offset: int) -> str:
    sign, rest = "-" if offset < 0 else "+", abs(offset)
    seconds = f":{rest % 60:02d}" if rest % 60 else ""
    return f"{sign}{rest // 3600:02d}:{rest // 60 % 60:02d}{seconds}"
