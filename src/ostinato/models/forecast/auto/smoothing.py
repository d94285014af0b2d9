"""Exponential smoothing with a damped trend and a season: a linear recurrent network of three kinds of state."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ostinato.models.forecast.auto.panel import Panel

TRIED, NEAR, WIDTHS = 60, 20, (0.6, 0.3, 0.15)
"""So many settings of the gains are drawn, then so many around the best of them, ever nearer."""

JUDGED = 400
"""Origins at which they are compared."""


@dataclass(frozen=True)
class Smoothing:
    r"""Level l, trend b damped by $\phi$, and a season s of m steps (1: none), corrected by the error e of one step.

    $$e_t = y_t - (l + \phi b + s_t),\quad l \leftarrow l + \phi b + \alpha e,\quad b \leftarrow \phi b + \beta e,\quad
      s_t \leftarrow s_t + \gamma e,\quad \hat y_{o+k} = l + \sum_{i=1}^{k+1} \phi^i b + s_{o+k}$$

    The gains are those of the least squared error over all steps ahead, the same for all series and targets. A missing
    value corrects nothing. (Holt 1957, Winters 1960; damped: Gardner and McKenzie 1985.)
    """

    season: int = 1

    @property
    def need(self) -> int:
        return 1 if self.season == 1 else 2 * self.season

    @property
    def name(self) -> str:
        return "smoothing" if self.season == 1 else f"smoothing, season of {self.season}"

    def fit(self, panel: Panel, stops: Sequence[int], horizon: int, seed: int = 0) -> np.ndarray:
        """The gains `(alpha, beta, gamma, phi)` from the rows before the stops."""
        rows, first = _stacked(panel.values, stops)
        draws = np.random.default_rng(seed)
        tried = _drawn(draws, TRIED, self.season > 1)
        errors = self._errors(rows, first, tried, horizon)
        for width in WIDTHS:
            best = tried[np.argmin(errors)]
            near = np.clip(best * np.exp(draws.normal(0, width, (NEAR, 4))), 0, 1)
            near[:, 3] = 1 - np.clip((1 - best[3]) * np.exp(draws.normal(0, width, NEAR)), 0.01, 1)
            tried = np.concatenate([best[None], near])
            errors = np.concatenate([errors.min(keepdims=True), self._errors(rows, first, near, horizon)])
        return tried[np.argmin(errors)]

    def at(self, panel: Panel, weights: np.ndarray, origins: Sequence[np.ndarray], horizon: int) -> np.ndarray:
        """The forecasts `(n, horizon, targets)` at the origins, in the scale of the panel."""
        ends = [int(np.max(o, initial=0)) for o in origins]
        rows, first = _stacked(panel.values, ends, most=None)
        wanted = np.zeros((len(rows) + 1, len(panel.values)), bool)
        for i, o in enumerate(origins):
            wanted[np.asarray(o, int), i] = True
        count, targets = len(panel.values), panel.targets
        place = np.cumsum(wanted.T.ravel()).reshape(count, -1).T - 1
        made = np.zeros((int(wanted.sum()), horizon, targets))
        for t, said in self._run(rows, first, weights[None], horizon, np.asarray(wanted.any(1))):
            here = np.flatnonzero(wanted[t])
            made[place[t, here]] = np.moveaxis(said[0].reshape(count, targets, horizon)[here], 1, 2)
        # Origins may come more than once and in any order.
        parts, at = [], 0
        for o in origins:
            unique, back = np.unique(np.asarray(o, int), return_inverse=True)
            parts.append(made[at : at + len(unique)][back])
            at += len(unique)
        return np.concatenate(parts)

    def _errors(self, rows: np.ndarray, first: np.ndarray, gains: np.ndarray, horizon: int) -> np.ndarray:
        start = min(max(2 * self.season, 4), max(len(rows) - horizon, 1))
        judged = np.zeros(len(rows) + 1, bool)
        judged[start : len(rows)] = True
        chosen = np.flatnonzero(judged)[:: max(int(judged.sum()) // JUDGED, 1)]
        judged = np.isin(np.arange(len(rows) + 1), chosen)
        padded = np.concatenate([rows, np.full((horizon, rows.shape[1]), np.nan)])
        total = np.zeros(len(gains))
        for t, said in self._run(rows, first, gains, horizon, judged):
            total += np.nansum((padded[t : t + horizon].T - said) ** 2, (1, 2))
        return np.where(np.isfinite(total), total, np.inf)

    def _run(self, rows: np.ndarray, first: np.ndarray, gains: np.ndarray, horizon: int, wanted: np.ndarray):
        """At each wanted row t, the forecasts `(gains, columns, horizon)` from the rows before t."""
        alpha, beta, gamma, phi = (g[:, None] for g in gains.T)
        m, count = self.season, (len(gains), rows.shape[1])
        level, trend, season = _start(rows, first, m)
        level, trend = np.broadcast_to(level, count).copy(), np.broadcast_to(trend, count).copy()
        season = np.broadcast_to(season[:, None], (m, *count)).copy()
        damp = np.cumsum(phi ** np.arange(1, horizon + 1), 1)[:, None]
        ahead, seen = np.arange(horizon), ~np.isnan(rows)
        values = np.where(seen, rows, 0)
        begun = np.arange(len(rows))[:, None] >= first
        for t in range(len(rows) + 1):
            if wanted[t]:
                yield t, (level[..., None] + damp * trend[..., None] + np.moveaxis(season[(t + ahead) % m], 0, -1))
            if t == len(rows):
                break
            error = np.where(seen[t] & begun[t], values[t] - level - phi * trend - season[t % m], 0)
            level = level + phi * trend + alpha * error
            trend = phi * trend + beta * error
            if m > 1:
                season[t % m] += gamma * error


def _drawn(draws: np.random.Generator, count: int, seasonal: bool) -> np.ndarray:
    """Gains `(count, 4)`; among them plain smoothing without a trend."""
    alpha = draws.uniform(0.02, 1.0, count) ** 1.3
    beta = alpha * draws.uniform(0, 0.4, count) ** 2 * (draws.uniform(size=count) < 0.7)
    gamma = (1 - alpha) * draws.uniform(0.01, 0.7, count) if seasonal else np.zeros(count)
    return np.stack([alpha, beta, gamma, draws.choice([0.8, 0.9, 0.95, 0.98, 0.99], count)], 1)


def _stacked(arrays: Sequence[np.ndarray], stops: Sequence[int], most: int | None = 2500) -> tuple[np.ndarray, ...]:
    """The rows before the stops as `(time, series * targets)`, NaN after the end, and where each column begins."""
    cut = [a[:s] for a, s in zip(arrays, stops, strict=True)]
    if most is not None:
        cut = [c[-most:] for c in cut]
    rows = np.full((max((len(c) for c in cut), default=0), len(cut), arrays[0].shape[1]), np.nan)
    for i, c in enumerate(cut):
        rows[: len(c), i] = c
    rows = rows.reshape(len(rows), len(cut) * arrays[0].shape[1])
    first = np.argmax(~np.isnan(rows), 0) if len(rows) else np.zeros(rows.shape[1], int)
    return rows, first


def _start(rows: np.ndarray, first: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level, trend and season before the first row.

    Without a season the first value, no trend. Otherwise those of the least-squares line with a season through the
    first two seasons of each column.
    """
    columns = np.arange(rows.shape[1])
    if not len(rows):
        return np.zeros(len(columns)), np.zeros(len(columns)), np.zeros((m, len(columns)))
    if m == 1:
        return np.nan_to_num(rows[first, columns]), np.zeros(len(columns)), np.zeros((1, len(columns)))
    level, trend, season = np.zeros(len(columns)), np.zeros(len(columns)), np.zeros((m, len(columns)))
    for c in columns:
        begin = int(first[c])
        t = np.arange(begin, min(begin + 2 * m, len(rows)))
        t = t[~np.isnan(rows[t, c])]
        if not len(t):
            continue
        design = np.concatenate([(t - begin + 1)[:, None], t[:, None] % m == np.arange(m)], 1)
        found = np.linalg.lstsq(design, rows[t, c], rcond=None)[0]
        trend[c], level[c] = found[0], found[1:].mean()
        season[:, c] = found[1:] - level[c]
    return level, trend, season
