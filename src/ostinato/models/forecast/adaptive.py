r"""Intervals that follow the errors as they come: adaptive conformal inference (Gibbs and Candès 2021)."""

from collections.abc import Sequence

import numpy as np

from ostinato.models.forecast.calibration import Calibration, checked_levels, conformal, errors_of, shifted

RATE = 0.02
"""How much one miss moves the share of misses that is aimed at."""

WINDOW = 500
"""So many of the newest errors are the calibration set."""

LEAST = 1e-3
"""The bounds of the share of misses that is aimed at, from 0 and from 1."""


def follow(
    calibration: Calibration,
    truth: np.ndarray,
    values: np.ndarray,
    series: np.ndarray,
    origins: np.ndarray,
    ids: Sequence[str],
    scales: np.ndarray,
    levels: Sequence[float],
    *,
    rate: float = RATE,
) -> np.ndarray:
    r"""Intervals `(n, horizon, targets, levels, 2)` at origins of which each knows the truths of the rows before it.

    At each origin the errors that have come since join the calibration set, the oldest leave it, and the share of
    misses that is aimed at moves by what was missed, $\alpha \leftarrow \alpha + \gamma (\alpha^* - \mathrm{miss})$,
    for each step ahead, target and level by itself, so that in the long run the share of misses is $\alpha^*$ whatever
    the data do. `rate` is $\gamma$. Arguments as `Backtest` has them; `scales (n, targets)` for series not calibrated.
    """
    shares = checked_levels(levels)
    found = np.empty((*values.shape, len(shares), 2))
    first = np.stack(calibration.intervals(values, levels, ids, scales), -1)
    sizes = {name: calibration.scales[i] for i, name in enumerate(calibration.ids)}
    errors = errors_of(truth, values, calibration.log)
    for number in np.unique(series):
        rows = np.flatnonzero(series == number)
        rows = rows[np.argsort(origins[rows], kind="stable")]
        name = ids[rows[0]]
        size = sizes.get(name, scales[rows[0]])
        mine = calibration.series == (calibration.ids.index(name) if name in sizes else -1)
        relative = calibration.relative[mine if mine.any() else slice(None)]
        found[rows] = _one(
            relative, errors[rows], values[rows], origins[rows], size, shares, first[rows], rate, calibration.log
        )
    return found


def _one(
    relative: np.ndarray,
    errors: np.ndarray,
    values: np.ndarray,
    origins: np.ndarray,
    size: np.ndarray,
    shares: np.ndarray,
    first: np.ndarray,
    rate: float,
    log: bool,
) -> np.ndarray:
    found = first.copy()
    _, horizon, targets = values.shape
    for k in range(horizon):
        for j in range(targets):
            old = np.abs(relative[:, min(k, relative.shape[1] - 1), j]) * size[j]
            past = list(old[~np.isnan(old)])[-WINDOW:]
            aims, said = 1 - shares, 0
            for row, origin in enumerate(origins):
                # The truth of origin o at step k is row o + k, known from the next origin on.
                while said < row and origins[said] + k < origin:
                    error = abs(errors[said, k, j])
                    if not np.isnan(error):
                        missed = error > _half(found[said, k, j], values[said, k, j], log)
                        aims = np.clip(aims + rate * (1 - shares - missed), LEAST, 1 - LEAST)
                        past = [*past[1 - WINDOW :], error]
                    said += 1
                if said and past:
                    half = np.array([conformal(np.array(past), float(1 - aim), float(len(past))) for aim in aims])
                    found[row, k, j, :, 0] = shifted(values[row, k, j], -half, log)
                    found[row, k, j, :, 1] = shifted(values[row, k, j], half, log)
    return found


def _half(ends: np.ndarray, value: float, log: bool) -> np.ndarray:
    """The half widths of intervals `(levels, 2)`, in the units of errors."""
    return np.log(ends[:, 1] / value) if log else ends[:, 1] - value
