"""Covariates known for all time: where a moment lies in its day, week and year, as waves."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ostinato.errors import DataError


def calendar(times: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    """`sin(2 pi k p)` and `cos(2 pi k p)` for k = 1 to K, where p in [0, 1) is the place of each time in a period.

    `names` are `"hour"` (place in the day), `"weekday"` (day of the week, Monday first), `"month"` (month of the year)
    and `"yearday"` (day and time in the year, leap years included), each with an optional number of waves K:
    `"yearday:2"`. The result is named `yearday_sin1`, `yearday_cos1`, and so on, `(time,)` each.

    Raises `DataError` for another name, a K below 1, or a missing time.

    ```python
    >>> waves = calendar(np.array(["2020-01-01T06:00"], "M8[s]"), ["hour"])
    >>> {name: round(float(wave[0]), 6) for name, wave in waves.items()}
    {'hour_sin1': 1.0, 'hour_cos1': 0.0}

    ```
    """
    times = np.asarray(times)
    if not np.issubdtype(times.dtype, np.datetime64) or np.isnat(times).any():
        raise DataError(f"calendar: expected times without gaps (datetime64), got {times.dtype}")
    waves = {}
    for name in names:
        kind, _, count = name.partition(":")
        if kind not in _PLACES or not (count or "1").isdigit() or int(count or "1") < 1:
            raise DataError(f"calendar: expected one of {', '.join(_PLACES)}, with an optional ':2', got '{name}'")
        place = _PLACES[kind](times)
        for k in range(1, int(count or "1") + 1):
            waves[f"{kind}_sin{k}"] = np.sin(2 * np.pi * k * place)
            waves[f"{kind}_cos{k}"] = np.cos(2 * np.pi * k * place)
    return waves


def _day(times: np.ndarray) -> np.ndarray:
    return (times - times.astype("datetime64[D]")) / np.timedelta64(1, "D")


def _week(times: np.ndarray) -> np.ndarray:
    # 1970-01-01, day 0, was a Thursday.
    return (times.astype("datetime64[D]").astype(np.int64) + 3) % 7 / 7


def _month(times: np.ndarray) -> np.ndarray:
    return times.astype("datetime64[M]").astype(np.int64) % 12 / 12


def _year(times: np.ndarray) -> np.ndarray:
    years = times.astype("datetime64[Y]")
    begin, end = years.astype("datetime64[s]"), (years + 1).astype("datetime64[s]")
    return (times - begin) / (end - begin)


_PLACES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "hour": _day,
    "weekday": _week,
    "month": _month,
    "yearday": _year,
}
