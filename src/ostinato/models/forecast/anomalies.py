"""How unlikely each new value is, by the one-step forecast and the errors that the forecaster makes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ostinato.data import moved
from ostinato.errors import DataError, SettingsError
from ostinato.models.forecast.calibration import change_scale, errors_of
from ostinato.models.forecast.forecast import point
from ostinato.models.forecast.unseen import unseen_rows

THRESHOLD = 0.01
"""The p-value at or below which a value is called an anomaly, where none is given."""


@dataclass(frozen=True)
class Anomalies:
    """One row for each value that was judged: what came, what was forecast a step before, and how unlikely it is.

    * `columns`: by name, `(rows,)` each: `series` and the time or the row; then for each target, such as `y`: `y`,
      `y_forecast`, `y_score` (the error over the root mean square of calibrated errors, with its sign), `y_p` (the
      p-value) and `y_anomaly` (1 where it is at most `threshold`).
    * `threshold`; `count`: how many values are anomalies.
    """

    columns: dict[str, np.ndarray]
    threshold: float
    count: int


def anomalies(model: Any, data: Any, threshold: float = THRESHOLD) -> Anomalies:
    r"""Anomaly scores of the rows that a fitted forecaster has not seen, from its one-step density.

    The p-value is the conformal one, $p = (1 + \#\{|e_i| \ge |e|\}) / (n + 1)$ over the n calibrated errors of one step
    ahead, each over the scale of its series: where nothing is wrong it is at most $\alpha$ in a share $\alpha$ of all
    rows. Its least value is $1 / (n + 1)$. Values that are missing get NaN.

    Raises `DataError` where no row is new to the model, or it was fitted with `calibrate=False`; `SettingsError` for a
    threshold that is not between 0 and 1.

    ```python
    >>> from ostinato.models import Persistence
    >>> calm = np.arange(400) % 2.0
    >>> found = anomalies(Persistence().fit(calm), np.concatenate([calm, [0.0, 9.0, 0.0]]))
    >>> found.columns["0_anomaly"].tolist(), found.columns["0_score"].round(2).tolist()
    ([0, 1, 1], [-1.0, 9.0, -9.0])

    ```
    """
    if isinstance(threshold, bool) or not 0 < threshold < 1:
        raise SettingsError(f"threshold: expected a p-value between 0 and 1, got {threshold!r}")
    model.check_fitted()
    calibration = model.calibration_
    if calibration is None:
        raise DataError("anomalies: the model was fitted with calibrate=False, so that its errors are not known")
    series = model._met(data)
    model._check_values(series)
    unseen = unseen_rows(model, series)
    starts = [max(n - new, model._reach) for n, new in zip(series.history, unseen, strict=True)]
    origins = [np.arange(min(start, n), n) for start, n in zip(starts, series.history, strict=True)]
    if not any(len(o) for o in origins):
        raise DataError(f"anomalies: no row after those of training with {model._reach} rows before it")
    said = [point(y, model._levels)[:, 0] for y in model._forecasts(series, origins, 1)]
    scales = {name: calibration.scales[i] for i, name in enumerate(calibration.ids)}
    names, times, parts = [], [], []
    for i, (o, y) in enumerate(zip(origins, said, strict=True)):
        size = scales.get(series.ids[i], change_scale(series.target[i][: starts[i]], calibration.log))
        truth = series.target[i][o]
        relative = errors_of(truth, y, calibration.log) / size
        judged = [_judged(relative[:, j], calibration.relative[:, 0, j]) for j in range(truth.shape[1])]
        parts.append((truth, y, np.stack([a for a, _ in judged], 1), np.stack([b for _, b in judged], 1)))
        names.append(np.repeat(series.ids[i], len(o)))
        times.append(o if series.times is None else moved(series.times[i], series.zone, None)[o])
    truth, y, score, p = (np.concatenate(part) for part in zip(*parts, strict=True))
    flags = p <= threshold
    columns: dict[str, np.ndarray] = {}
    if len(series) > 1 or series.series_name is not None:
        columns[series.series_name or "series"] = np.concatenate(names)
    columns["row" if series.times is None else series.time_name or "time"] = np.concatenate(times)
    for j, name in enumerate(series.target_names):
        found = {"": truth, "_forecast": y, "_score": score, "_p": p, "_anomaly": flags.astype(int)}
        columns |= {f"{name}{ending}": values[:, j] for ending, values in found.items()}
    return Anomalies(columns, threshold, int(flags.sum()))


def _judged(errors: np.ndarray, calibrated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores and p-values of errors beside those of the calibration."""
    known = np.sort(np.abs(calibrated[~np.isnan(calibrated)]))
    size = np.sqrt(np.mean(known**2)) if len(known) else 1.0
    above = len(known) - np.searchsorted(known, np.abs(errors), side="left")
    return errors / (size if size > 0 else 1.0), np.where(np.isnan(errors), np.nan, (1 + above) / (len(known) + 1))
