r"""Intervals that follow the errors as they come: adaptive conformal inference (Gibbs and Candès 2021)."""

from collections.abc import Sequence

import numpy as np

from ostinato.models.forecast.calibration import Calibration, checked_levels, errors_of, ranked, shifted

RATE = 0.03
"""How much one miss moves the share of misses that is aimed at."""

WINDOW = 500
"""So many of the newest errors are the calibration set."""

LEAST = 1e-3
"""The bounds of the share of misses that is aimed at, from 0 and from 1."""

WORK = 3e8
"""Errors that are put in order in all; where there would be more, not at each origin."""


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
    the data do. `rate` is $\gamma$. Before the first error of a step has come, the interval is that of the calibration.

    `series`, `origins (n,)`: the number and the row of each forecast; `ids`: the name of each one's series; `scales (n,
    targets)` for series that are not calibrated. A truth that is NaN teaches nothing.
    """
    shares = checked_levels(levels)
    found = np.stack(calibration.intervals(values, levels, ids, scales), -1)
    sizes = {name: calibration.scales[i] for i, name in enumerate(calibration.ids)}
    errors = np.abs(errors_of(truth, values, calibration.log))
    for number in np.unique(series):
        rows = np.flatnonzero(series == number)
        rows = rows[np.argsort(origins[rows], kind="stable")]
        name = ids[int(rows[0])]
        own = calibration.relative
        if name in sizes:
            own = own[calibration.series == calibration.ids.index(name)]
        before = _continued(np.abs(own) * sizes.get(name, scales[rows[0]]), values.shape[1])
        first = np.diff(found[rows] if not calibration.log else np.log(found[rows]), axis=-1)[..., 0] / 2
        half = _half_widths(before, errors[rows], origins[rows], first, shares, rate)
        for side, sign in enumerate((-1, 1)):
            found[rows, ..., side] = shifted(values[rows][..., None], sign * half, calibration.log)
    return found


def _continued(errors: np.ndarray, horizon: int) -> np.ndarray:
    """Errors of so many steps ahead; those beyond the calibrated ones grow as the root."""
    known = errors.shape[1]
    steps = np.minimum(np.arange(horizon), known - 1)
    return errors[-WINDOW:, steps] * np.sqrt((np.arange(horizon) + 1) / (steps + 1))[:, None]


def _half_widths(
    before: np.ndarray, errors: np.ndarray, origins: np.ndarray, first: np.ndarray, shares: np.ndarray, rate: float
) -> np.ndarray:
    """Half widths `(n, horizon, targets, levels)` of one series, from errors that are old and errors that come."""
    count, horizon, targets = errors.shape
    half = first.copy()
    aims = np.broadcast_to(1 - shares, (horizon, targets, len(shares))).copy()
    # The newest errors of each step, NaN where there are none yet; `place` is where the next one goes.
    pool = np.full((WINDOW, horizon, targets), np.nan)
    pool[: len(before)] = before
    place = np.full(horizon, len(before) % WINDOW)
    said, started = np.zeros(horizon, int), np.zeros(horizon, bool)
    every = max(int(count * pool.size / WORK), 1)
    ordered = np.sort(np.abs(pool), 0)
    for row in range(count):
        while True:
            # The truth of origin o at step k is row o + k, known at every origin after it.
            due = said < row
            due[due] = origins[said[due]] + np.flatnonzero(due) < origins[row]
            if not due.any():
                break
            k = np.flatnonzero(due)
            new = errors[said[k], k]
            missed = new[..., None] > half[said[k], k]
            there = ~np.isnan(new)[..., None]
            aims[k] = np.where(there, np.clip(aims[k] + rate * (1 - shares - missed), LEAST, 1 - LEAST), aims[k])
            pool[place[k], k] = np.where(there[..., 0], new, pool[place[k], k])
            place[k], said[k], started[k] = (place[k] + 1) % WINDOW, said[k] + 1, True
        if started.any():
            ordered = np.sort(pool, 0) if row % every == 0 else ordered
            half[row, started] = ranked(ordered, 1 - aims)[started]
    return half
