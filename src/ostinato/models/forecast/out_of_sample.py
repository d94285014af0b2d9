"""Errors of a forecaster at rolling origins whose rows it was not fitted to, in the cheapest honest way."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ostinato.data import Series
from ostinato.data.holdout import cut_series
from ostinato.errors import DataError, LengthError, NonFiniteError, SettingsError
from ostinato.models import measures
from ostinato.models.forecast.adaptive import WINDOW
from ostinato.models.forecast.calibration import Calibration, change_scale, errors_of, shifted
from ostinato.models.forecast.features import extended
from ostinato.models.forecast.forecast import point

SHARE = 0.25
"""The end of the training rows on which a copy, fitted to the rows before, makes its errors."""

MOST = 2000
"""Origins of all series together; where there are more, every so many-th is taken."""

FEW = 30
"""Errors from which their form is chosen; of fewer origins with a whole horizon, those with a part are taken too."""


def calibrated(model: Any, series: Series, stops: Sequence[int], starts: Sequence[int], horizon: int) -> Calibration:
    """The errors of a fitted forecaster from `starts[i]` on, which must lie after what it was fitted to.

    Raises `LengthError` where there is no origin at all.
    """
    rows = zip(starts, stops, strict=True)
    within = [_origins(model, series, start, stop, horizon) for start, stop in rows]
    stride = max(-(-sum(len(o) for o in within) // MOST), 1)
    # Counted from the end, so that the newest errors are among them.
    origins = [o[::-1][::stride][::-1] for o in within]
    if not any(len(o) for o in origins):
        raise LengthError(f"calibration: no origin with {model._reach} rows before it in the rows that are left for it")
    truth, said = [], []
    longer = _continued(cut_series(series, stops=stops), horizon)
    for target, o, y in zip(longer.target, origins, model._at(longer, origins, horizon), strict=True):
        padded = np.concatenate([target, np.full((horizon, target.shape[1]), np.nan)])
        truth.append(padded[o[:, None] + np.arange(horizon)])
        said.append(point(y, model._levels))
    numbers = np.repeat(np.arange(len(origins)), [len(o) for o in origins])
    came, made = np.concatenate(truth), np.concatenate(said)
    log = getattr(model, "log", False) is True or grows_with_level(came, made)
    scales = np.stack([change_scale(t[:n], log) for t, n in zip(series.target, stops, strict=True)])
    return replace(Calibration.of(came, made, numbers, series.ids, scales, log=log), stride=stride)


def newest(model: Any, series: Series, index: int, stop: int, unseen: int) -> np.ndarray:
    """Origins in the last rows of a series that the model was not fitted to, and the end of it: `stop`.

    Those of one window are kept, and none where a missing value that the model does not take lies among them.
    """
    first = max(stop - unseen, model._reach, stop - WINDOW)
    start = max(first - model._reach, 0)
    parts = (series.target[index][start:stop], series.past[index][start:stop])
    if not model._missing and any(np.isnan(part).any() for part in parts):
        return np.array([stop])
    return np.arange(min(first, stop), stop + 1)


def last_part(stops: Sequence[int], horizon: int) -> list[int]:
    """Where the last quarter of the rows begins, or the last horizon where that is longer."""
    return [min(n - round(SHARE * n), max(n - horizon, 0)) for n in stops]


def by_copy(model: Any, series: Series, stops: Sequence[int], horizon: int) -> Calibration:
    """The errors of a copy, fitted to the first three quarters of the rows, in the last one.

    Where these are too few for the copy, those of repeating the last value, which need no fit.
    """
    starts = last_part(stops, horizon)
    copy = model._blank()
    try:
        copy._learn(series, starts)
        return calibrated(copy, series, stops, starts, horizon)
    except (LengthError, DataError, SettingsError, NonFiniteError):
        return calibrated(LastValue(), series, stops, [1] * len(stops), horizon)


def of_search(found: Any, series: Series, stops: Sequence[int], horizon: int) -> Calibration:
    """The errors at the rolling origins of a search (`auto.search.Found`); where it made none, of the last value."""
    rolling = found.rolling
    if rolling is None:
        return calibrated(LastValue(), series, stops, [1] * len(stops), horizon)
    numbers, rows = rolling.series, rolling.rows
    order = np.lexsort((rows, numbers))
    order = order[::-1][:: max(-(-len(order) // MOST), 1)][::-1]
    came, made = found.truth[order], found.said[order]
    log = grows_with_level(came, made)
    scales = np.stack([change_scale(t[:n], log) for t, n in zip(series.target, stops, strict=True)])
    gaps = np.diff(rows[order])[np.diff(numbers[order]) == 0]
    made = Calibration.of(came, made, numbers[order], series.ids, scales, log=log)
    return replace(made, stride=max(int(np.median(gaps)), 1) if len(gaps) else 1)


def grows_with_level(truth: np.ndarray, forecasts: np.ndarray) -> bool:
    """Whether intervals of a factor have the better interval score than those of a difference, where all is positive.

    Compares both at 90 %, made of these errors, over the steps ahead that have 30; less than 2 % better is not better.

    ```python
    >>> level = np.arange(10.0, 100.0)[:, None, None]
    >>> swing = np.where(np.arange(90) % 4, 0.9, 1.2)[:, None, None]
    >>> grows_with_level(level * swing, level), grows_with_level(level + 10 * swing, level + 10)
    (True, False)

    ```
    """
    seen = ~(np.isnan(truth) | np.isnan(forecasts))
    if not seen.any() or (truth[seen] <= 0).any() or (forecasts[seen] <= 0).any():
        return False
    gain = []
    for k in range(truth.shape[1]):
        for j in range(truth.shape[2]):
            y, said = truth[seen[:, k, j], k, j], forecasts[seen[:, k, j], k, j]
            scores = [_score(y, said, log) for log in (False, True)] if len(y) >= FEW else [0.0]
            gain += [scores[1] / scores[0]] if scores[0] > 0 else []
    return bool(gain) and float(np.mean(gain)) < 0.98


def _score(truth: np.ndarray, forecasts: np.ndarray, log: bool) -> float:
    half = np.quantile(np.abs(errors_of(truth, forecasts, log)), 0.9)
    ends = (shifted(forecasts, sign * half, log) for sign in (-1, 1))
    return measures.interval_score(truth, *ends, 90)


class LastValue:
    """Each step ahead is as the last value that was observed: no model, but errors that any model can be given."""

    _reach = 1
    _levels: tuple[float, ...] = ()

    def _at(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        return [repeated(t, o, horizon) for t, o in zip(series.target, origins, strict=True)]


def repeated(target: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
    """The last observed value before each origin, so many times; NaN where there is none."""
    return np.repeat(forward_filled(target)[origins - 1][:, None], horizon, 1)


def forward_filled(values: np.ndarray) -> np.ndarray:
    """`(time, targets)` with each missing value replaced by the last one before it; NaN before the first."""
    rows = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(rows, 0), 0)


def _origins(model: Any, series: Series, start: int, stop: int, horizon: int) -> np.ndarray:
    first = max(start, model._reach)
    whole = np.arange(first, stop - horizon + 1)
    return whole if len(whole) >= FEW or series.future_names else np.arange(first, stop)


def _continued(series: Series, steps: int) -> Series:
    """The series with so many rows more whose targets are not known, where nothing has to be known of them."""
    if series.future_names:
        return series
    parts = [extended(series, i, steps) if series.history[i] else None for i in range(len(series))]
    pick = lambda name: tuple(
        getattr(series, name)[i] if part is None else getattr(part, name)[0] for i, part in enumerate(parts)
    )
    names = ["target", "past", "future", *(n for n in ("times", "dt") if getattr(series, n) is not None)]
    return replace(series, **{name: pick(name) for name in names})
