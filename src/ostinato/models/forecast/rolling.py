"""Forecasts of fitted models at rolling origins, with their intervals: how a backtest is made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ostinato.data import Series, moved
from ostinato.data.holdout import named
from ostinato.errors import LengthError, SettingsError
from ostinato.models import measures
from ostinato.models.forecast.adaptive import follow
from ostinato.models.forecast.backtest import Backtest, Scale
from ostinato.models.forecast.calibration import change_scale
from ostinato.models.forecast.forecast import point

LADDER = tuple((2 * i + 1) / 100 for i in range(50))
"""The quantiles of the calibrated errors that stand for their distribution where CRPS is taken."""

AT_ONCE = 1 << 22
"""Numbers that are held at once where CRPS is taken."""


def evaluate(
    models: Mapping[str, Any],
    series: Series,
    origins: Sequence[np.ndarray],
    horizon: int,
    *,
    level: Sequence[float] = (),
    scale: Scale | None = None,
    adapt: float | None = None,
) -> Backtest:
    """The backtest of fitted forecasters at these origins of each series.

    `level`: percent of the intervals of those that are calibrated; `adapt`: the rate at which these follow the errors
    of the backtest itself (`adaptive.follow`), None: not.
    """
    steps = np.arange(horizon)
    truth = np.concatenate([t[o[:, None] + steps] for t, o in zip(series.target, origins, strict=True)])
    said = {name: np.concatenate(model._forecasts(series, origins, horizon)) for name, model in models.items()}
    first = next(iter(models.values()))
    times = None
    if series.times is not None:
        shown = [moved(t, series.zone, None) for t in series.times]
        times = np.concatenate([t[o[:, None] + steps] for t, o in zip(shown, origins, strict=True)])
    left_out = [name for name, o in zip(series.ids, origins, strict=True) if not len(o)]
    test = Backtest(
        truth,
        {name: point(values, models[name]._levels) for name, values in said.items()},
        np.repeat(np.arange(len(origins)), [len(o) for o in origins]),
        np.concatenate(origins),
        series.target_names,
        times,
        first._levels,
        next(iter(said.values())) if first._levels else None,
        (f"{named(left_out)}: too few rows to be judged",) if left_out else (),
        tuple(level),
        scale=scale,
    )
    return with_intervals(test, models, series, adapt) if level else test


def with_intervals(test: Backtest, models: Mapping[str, Any], series: Series, adapt: float | None) -> Backtest:
    """The backtest with the intervals, and CRPS, of the models that are calibrated."""
    ids = [series.ids[i] for i in test.series]
    before = [target[:n] for target, n in zip(series.target, _firsts(test, series), strict=True)]
    intervals, scores = {}, {}
    for name, model in models.items():
        calibration, values = getattr(model, "calibration_", None), test.forecasts[name]
        if calibration is None:
            continue
        own = np.stack([change_scale(rows, calibration.log) for rows in before])[test.series]
        if adapt is None:
            intervals[name] = np.stack(calibration.intervals(values, test.level, ids, own), -1)
        else:
            rows = (test.truth, values, test.series, test.origins)
            intervals[name] = follow(calibration, *rows, ids, own, test.level, rate=adapt)
        scores[name] = _crps(test.truth, values, calibration, ids, own)
    return replace(test, intervals=intervals, crps=scores)


def joined(parts: Sequence[Backtest]) -> Backtest:
    """Backtests of the same models at different origins as one, in the order of series and origins."""
    order = np.lexsort([np.concatenate([getattr(p, name) for p in parts]) for name in ("origins", "series")])
    together = lambda pick: np.concatenate([pick(p) for p in parts])[order]
    first, counts = parts[0], [int((~np.isnan(p.truth)).sum()) for p in parts]
    mean = lambda name: float(np.average([p.crps[name] for p in parts], weights=counts))
    return replace(
        first,
        truth=together(lambda p: p.truth),
        forecasts={name: together(lambda p, n=name: p.forecasts[n]) for name in first.forecasts},
        series=together(lambda p: p.series),
        origins=together(lambda p: p.origins),
        times=None if first.times is None else together(lambda p: p.times),
        quantiles=None if first.quantiles is None else together(lambda p: p.quantiles),
        intervals={name: together(lambda p, n=name: p.intervals[n]) for name in first.intervals},
        crps={name: mean(name) for name in first.crps} if any(counts) else {},
        notes=tuple(dict.fromkeys(words for p in parts for words in p.notes)),
    )


def _crps(truth: np.ndarray, values: np.ndarray, calibration: Any, ids: Sequence[str], scales: np.ndarray) -> float:
    """CRPS of forecast plus calibrated error, in blocks."""
    size = max(AT_ONCE // max(values[0].size * len(LADDER), 1), 1) if len(values) else 1
    scores, counts = [], []
    for start in range(0, len(values), size):
        rows = slice(start, start + size)
        ladder = calibration.quantiles(values[rows], LADDER, ids[rows], scales[rows])
        count = int((~np.isnan(truth[rows]) & ~np.isnan(ladder).any(-1)).sum())
        if count:
            scores.append(measures.crps(truth[rows], ladder))
            counts.append(count)
    return float(np.average(scores, weights=counts)) if counts else float("nan")


def _firsts(test: Backtest, series: Series) -> list[int]:
    """The first origin of each series, or its end: what was known of it before."""
    found = [test.origins[test.series == i] for i in range(len(series))]
    return [int(o.min(initial=n)) for o, n in zip(found, series.history, strict=True)]


def origins_of(history: Sequence[int], starts: Sequence[int], step: int, need: int, horizon: int) -> list[np.ndarray]:
    """For each series every `step`-th row from its start on with `need` rows before it and `horizon` from it on.

    Raises `LengthError` where there is none at all.
    """
    if step < 1:
        raise LengthError(f"step: expected 1 or more, got {step}")
    origins = [np.arange(s, n - horizon + 1, step) for s, n in zip(starts, history, strict=True)]
    origins = [o[o >= need] for o in origins]
    if not any(len(o) for o in origins):
        most = max(n - s for s, n in zip(starts, history, strict=True))
        raise LengthError(
            f"backtest: no origin with {need} rows before it and {horizon} after it; the held-out ends have "
            f"{most} rows at most"
        )
    return origins


def reach_of(models: Mapping[str, Any]) -> int:
    """How many rows before an origin the models need."""
    return max((model._reach for model in models.values()), default=0)


def refits(refit: bool | int | str) -> int | None:
    """Before each so many-th origin a model is fitted again; 0: before the first only; None: never.

    ```python
    >>> refits(False), refits("once"), refits(True), refits(5)
    (None, 0, 1, 5)

    ```
    """
    if refit == "once":
        return 0
    if isinstance(refit, bool):
        return 1 if refit else None
    if not isinstance(refit, int) or refit < 1:
        raise SettingsError(f"refit: expected False, True, 'once' or a number of origins, got {refit!r}")
    return refit


def batches_of(
    origins: Sequence[np.ndarray], every: int, history: Sequence[int]
) -> Iterator[tuple[list[int], list[np.ndarray]]]:
    """So many origins of each series at a time, and the row of each series up to which may be learned for them."""
    for k in range(0, max(map(len, origins)), every):
        stops = [int(o[min(k, len(o) - 1)]) if len(o) else n for o, n in zip(origins, history, strict=True)]
        yield stops, [o[k : k + every] for o in origins]
