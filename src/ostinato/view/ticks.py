"""Where an axis has its marks, and what they say: round numbers, powers of ten, round dates."""

import math
from collections.abc import Sequence

import numpy as np

_DAY = 86400
_TIME_STEPS = (
    *((1, "%H:%M:%S"), (5, "%H:%M:%S"), (15, "%H:%M:%S"), (60, "%H:%M"), (300, "%H:%M"), (900, "%H:%M")),
    *((3600, "%H:%M"), (3 * 3600, "%b %d %H:%M"), (6 * 3600, "%b %d %H:%M"), (12 * 3600, "%b %d %H:%M")),
    *((_DAY, "%b %d"), (2 * _DAY, "%b %d"), (7 * _DAY, "%b %d"), (14 * _DAY, "%b %d")),
)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)


def number_ticks(low: float, high: float, count: int = 5, whole: bool = False) -> list[float]:
    """Round numbers inside `low..high`, about `count` of them, or fewer where they are to be `whole`.

    ```python
    >>> number_ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> number_ticks(-3.1, 44.0)
    [0.0, 10.0, 20.0, 30.0, 40.0]
    >>> number_ticks(0.0, 2.0, whole=True)
    [0.0, 1.0, 2.0]

    ```
    """
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return [low]
    power = 10.0 ** math.floor(math.log10(span / max(count, 1)))
    power = max(power, 1.0) if whole else power
    step = min((power * m for m in (1, 2, 5, 10)), key=lambda s: abs(span / s - count))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(k * step, digits) + 0.0 for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Values inside `low..high` for a logarithmic axis: powers of ten, with 2 and 5 between where there are few.

    ```python
    >>> log_ticks(0.05, 30.0)
    [0.1, 1.0, 10.0]
    >>> log_ticks(0.8, 6.0)
    [1.0, 2.0, 5.0]

    ```
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    inside = [10.0**k for k in range(first, last + 1) if low <= 10.0**k <= high]
    if len(inside) >= 3:
        return inside[:: math.ceil(len(inside) / 6)]
    between = [m * 10.0**k for k in range(first, last + 1) for m in (1, 2, 5)]
    found = [value for value in between if low <= value <= high]
    return found if len(found) >= 2 else number_ticks(low, high, 3)


def time_ticks(low: float, high: float, count: int = 5) -> list[tuple[float, str]]:
    """Round dates inside `low..high` (seconds since 1970) and their labels.

    ```python
    >>> [label for _, label in time_ticks(0.0, 3.2e7, 4)]
    ['1970-01', '1970-04', '1970-07', '1970-10', '1971-01']
    >>> [label for _, label in time_ticks(60.0, 61.0, 4)]
    ['00:01:00', '00:01:00.2', '00:01:00.4', '00:01:00.6', '00:01:00.8', '00:01:01']

    ```
    """
    span = high - low
    if 0 < span < 4:
        return [(at, _date(at, "%H:%M:%S")) for at in number_ticks(low, high, count)]
    span = max(span, 1.0)
    if span / count > 21 * _DAY:
        return _month_ticks(low, high, count)
    step, form = min(_TIME_STEPS, key=lambda s: abs(math.log(span / s[0] / count)))
    first, last = math.ceil(low / step), math.floor(high / step)
    return [(float(k * step), _date(k * step, form)) for k in range(first, last + 1)]


def number_label(value: float) -> str:
    """A number for people: up to four digits that count, no exponent where it can be avoided.

    ```python
    >>> [number_label(v) for v in (0.0, 2.0, 0.12345, 1234567.0, 3e-7, -12.5)]
    ['0', '2', '0.1235', '1,234,567', '3e-07', '-12.5']

    ```
    """
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    if 1e4 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    if abs(value) >= 1e9 or abs(value) < 1e-4:
        return f"{value:.3g}"
    return f"{value:.4g}"


def even_labels(values: Sequence[float]) -> list[str]:
    """Numbers of one column, all with the same digits after the point, four that count in the largest.

    One that would be 0 by that, and is not, is written as `number_label` does.

    ```python
    >>> even_labels([4.34, 3.6418, 2.9]), even_labels([0.5, 0.25]), even_labels([2000.0, 3.0, 1e-6])
    (['4.340', '3.642', '2.900'], ['0.50', '0.25'], ['2,000', '3', '1e-06'])

    ```
    """
    there = [abs(v) for v in values if math.isfinite(v)]
    top = max(there, default=0.0)
    if not 1e-4 <= top < 1e9:
        return [number_label(v) for v in values]
    most = min(max(3 - math.floor(math.log10(top)), 0), 6)
    digits = max(len(f"{v:.{most}f}".rstrip("0").partition(".")[2]) for v in there)
    lost = lambda v: not math.isfinite(v) or (v != 0 and float(f"{v:.{digits}f}") == 0)
    return [number_label(v) if lost(v) else f"{v + 0.0:,.{digits}f}" for v in values]


def time_label(seconds: float) -> str:
    """A date, with the time of day where it is not midnight, as finely as it is given.

    ```python
    >>> [time_label(t) for t in (0.0, 60.0, 61.0, 61.25)]
    ['1970-01-01', '1970-01-01 00:01', '1970-01-01 00:01:01', '1970-01-01 00:01:01.25']

    ```
    """
    if seconds % _DAY == 0:
        return _date(seconds, "%Y-%m-%d")
    return _date(seconds, "%Y-%m-%d %H:%M" if seconds % 60 == 0 else "%Y-%m-%d %H:%M:%S")


def _month_ticks(low: float, high: float, count: int) -> list[tuple[float, str]]:
    first, last = (int(np.datetime64(int(t), "s").astype("datetime64[M]").astype(int)) for t in (low, high))
    step = min(_MONTH_STEPS, key=lambda s: abs(math.log(max(last - first, 1) / s / count)))
    ticks = []
    for month in range(math.ceil(first / step) * step, last + 2):
        if month % step == 0:
            date = np.datetime64(month, "M")
            at = float(date.astype("datetime64[s]").astype(int))
            if low <= at <= high:
                ticks.append((at, str(date)[:4] if step >= 12 else str(date)))
    return ticks


def _date(seconds: float, form: str) -> str:
    """The time, with a fraction behind the seconds where there is one."""
    whole, fraction = divmod(round(1000 * seconds), 1000)
    text = np.datetime64(whole, "s").item().strftime(form)
    return f"{text}.{fraction:03d}".rstrip("0") if fraction and form.endswith("%S") else text
