"""The step of a series in time, the seasons that it suggests, and the times that follow."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .zones import Zone, exact

_DAY = 86_400
_YEAR = 365.25
_NAMES = {
    ("second", 60): "minutely",
    ("second", 3600): "hourly",
    ("second", _DAY): "daily",
    ("second", 7 * _DAY): "weekly",
    ("month", 1): "monthly",
    ("month", 3): "quarterly",
    ("month", 12): "yearly",
    ("business", 1): "business daily",
}


@dataclass(frozen=True)
class Frequency:
    """A step of `every` seconds, months (at one day, or at the last day, of the month) or business days.

    Seconds, and nanoseconds where a step holds no whole number of seconds, are those that pass. Local seconds are those
    of the clocks: a day from midnight to midnight, whatever hours it has where clocks change. Months and business days
    are always those of the clocks.

    ```python
    >>> monthly = Frequency("month", 1)
    >>> monthly.name, monthly.season
    ('monthly', 12)
    >>> monthly.ahead(np.datetime64("2020-11-30T00:00:00"), 3).astype("M8[D]").tolist()[-1].isoformat()
    '2021-02-28'

    ```
    """

    unit: Literal["second", "local second", "nanosecond", "month", "month end", "business"]
    every: int

    @property
    def name(self) -> str:
        if self.unit == "nanosecond":
            return f"every {self.every / 1e9:.9g} seconds"
        unit = "second" if self._in_seconds else self.unit.split()[0]
        days, rest = divmod(self.every, _DAY)
        plain = f"every {days} days" if self._in_seconds and not rest else f"every {self.every} {unit}s"
        return _NAMES.get((unit, self.every), plain)

    @property
    def _in_seconds(self) -> bool:
        return self.unit in ("second", "local second")

    @property
    def season(self) -> int | None:
        """The whole number of steps after which a value is best compared with itself; `None` where there is none.

        Below a day: one day. Daily: 7. Business days: 5. Several days: one year. Months: one year.
        """
        return round(self.seasons[0]) if self.seasons else None

    @property
    def seasons(self) -> tuple[float, ...]:
        """Steps in a day, a week and a year, as far as they hold more than one step; the shortest first."""
        if self.unit == "business":
            return (5.0, _YEAR * 5 / 7)
        if self.unit.startswith("month"):
            return (12 / self.every,) if self.every < 12 and 12 % self.every == 0 else ()
        if not self._in_seconds or self.every < 60 or (self.every < _DAY and _DAY % self.every):
            return ()
        lengths = (1, 7, _YEAR) if self.every <= _DAY else (_YEAR,)
        return tuple(days * _DAY / self.every for days in lengths if days * _DAY >= 2 * self.every)

    def gaps(self, times: Any, zone: Zone | None = None) -> np.ndarray:
        """How many steps lie between each time and the one before: `(time - 1,)`, 1 where nothing is left out.

        With a `zone` the times are in UTC.
        """
        times = exact(times)
        if zone is not None and self._by_clocks:
            times = zone.steady(times)
        if self.unit.startswith("month"):
            return np.diff(_months(times)) / self.every
        if self.unit == "business":
            days = times.astype("datetime64[D]")
            return np.busday_count(days[:-1], days[1:]) / self.every
        return np.diff(times) / self._step

    def ahead(self, last: np.datetime64, steps: int, zone: Zone | None = None) -> np.ndarray:
        """The `steps` times that follow `last`; a day that a month lacks becomes its last day.

        With a `zone` the times are in UTC.
        """
        if zone is not None and self._by_clocks:
            return zone.moments(self.ahead(zone.local(np.array([last]))[0], steps))
        ahead = np.arange(1, steps + 1) * self.every
        if self._in_seconds or self.unit == "nanosecond":
            return exact(last + np.arange(1, steps + 1) * self._step)
        day = last.astype("datetime64[D]")
        clock = last.astype("datetime64[s]") - day if last == last.astype("datetime64[s]") else last - day
        if self.unit == "business":
            return np.busday_offset(day, ahead, roll="preceding").astype("datetime64[s]") + clock
        months = last.astype("datetime64[M]") + ahead
        ends = (months + 1).astype("datetime64[D]") - 1
        same = months.astype("datetime64[D]") + (day - last.astype("datetime64[M]").astype("datetime64[D]"))
        return (ends if self.unit == "month end" else np.minimum(same, ends)).astype("datetime64[s]") + clock

    @property
    def _by_clocks(self) -> bool:
        return self.unit not in ("second", "nanosecond")

    @property
    def _step(self) -> np.timedelta64:
        return np.timedelta64(self.every, "ns" if self.unit == "nanosecond" else "s")


def infer_frequency(times: Any, zone: Zone | None = None) -> Frequency | None:
    """The step of most of the times, of which every gap must be a multiple; `None` where there is no such step.

    Months are found by the day of the month (the same everywhere, or always the last); Mondays to Fridays without any
    weekend (ten times at least) are business days. With a `zone` the times are in UTC: days, months and other steps
    that only the clocks have evenly are those of the clocks.

    ```python
    >>> infer_frequency(np.array(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06"], "M8[s]")).name
    'daily'

    ```
    """
    times = np.unique(exact(times))
    if len(times) < 2 or np.isnat(times).any():
        return None
    if zone is None:
        return _inferred(times)
    passed, shown = _inferred(times), _inferred(np.unique(zone.steady(times)))
    if shown is None or (shown.unit == "second" and (zone.fixed or (passed is not None and shown.every % _DAY))):
        return passed
    return Frequency("local second", shown.every) if shown.unit == "second" else shown


def _inferred(times: np.ndarray) -> Frequency | None:
    same_clock = len(np.unique(times - times.astype("datetime64[D]"))) == 1
    first_of_month = times.astype("datetime64[M]").astype("datetime64[D]")
    same_day = len(np.unique(times.astype("datetime64[D]") - first_of_month)) == 1
    months = np.diff(_months(times))
    at_end = (times + np.timedelta64(1, "D")).astype("datetime64[M]") != times.astype("datetime64[M]")
    if same_clock and (same_day or at_end.all()) and (months > 0).all():
        step = _main_step(months)
        return None if step is None else Frequency("month" if same_day else "month end", step)
    gaps = np.diff(times)
    step = _main_step(gaps.astype(np.int64))
    if step is None:
        return None
    length = np.timedelta64(step, np.datetime_data(gaps.dtype)[0])
    seconds, rest = divmod(length, np.timedelta64(1, "s"))
    if rest:
        return Frequency("nanosecond", int(length / np.timedelta64(1, "ns")))
    days = times.astype("datetime64[D]")
    if seconds == _DAY and len(times) >= 10 and np.is_busday(days).all():
        return Frequency("business", 1)
    return Frequency("second", int(seconds))


def _main_step(gaps: np.ndarray) -> int | None:
    """The commonest gap, where it makes up half of all and divides the rest."""
    sizes, counts = np.unique(gaps, return_counts=True)
    step = int(sizes[np.argmax(counts)])
    return step if counts.max() * 2 >= len(gaps) and not (sizes % step).any() else None


def _months(times: np.ndarray) -> np.ndarray:
    return times.astype("datetime64[M]").astype(np.int64)
