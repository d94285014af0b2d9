"""Linear forecasts of every kind: a naive base, and a ridge regression on past values of what the base misses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ostinato.models.forecast.auto.panel import Panel, at_origins

BASES = ("none", "last", "season", "change")
MOST = 40_000
"""A regression is fitted to so many windows at most, evenly taken."""


@dataclass(frozen=True)
class Linear:
    r"""A linear forecast of each target from its own past.

    $$\hat y_{o+k} = b_k(o) + \sum_{i=1}^{p} a_{ki}\, x_{o-i} + \sum_f d_{kf}\, z_f + c_k$$

    * `base` b, and what the regression sees as x:

      | base | $b_k(o)$ | $x_{o-i}$ |
      | --- | --- | --- |
      | `none` | 0 | $y_{o-i}$ |
      | `last` | $y_{o-1}$ | $y_{o-i} - y_{o-1}$ |
      | `season` | the season before, $s_k$ | $g_{o-i} = y_{o-i} - y_{o-i-m}$ |
      | `change` | $s_k + g_{o-1}$ | $g_{o-i} - g_{o-1}$ |

    * `order` p; `season` m; `penalty` of the ridge, on inputs of variance 1; `waves`: z has those of the calendar at
      the origin; covariates known for step k are always in it. A penalty of infinity leaves the base alone.
    """

    base: str
    order: int
    season: int
    penalty: float
    waves: bool = False

    @property
    def seasonal(self) -> bool:
        return self.base in ("season", "change")

    @property
    def need(self) -> int:
        """Rows before an origin that it looks at."""
        lags = self.order + (self.base in ("last", "change"))
        return max(lags + (self.season if self.seasonal else 0), 1)

    @property
    def name(self) -> str:
        """In words."""
        if self.penalty == np.inf:
            return {"last": "persistence", "season": f"season before ({self.season})"}.get(self.base, self.base)
        of = {"none": "", "last": " of changes", "season": f" of changes over {self.season}"}
        words = of.get(self.base, f" of changes of changes over {self.season}")
        kind = f"linear({self.order})" if self.order else "mean"
        return f"{kind}{words}{' with the calendar' if self.waves else ''}"

    def inputs(self, panel: Panel, origins: Sequence[np.ndarray], horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """The base `(n, horizon, targets)` and the lags `(n, order, targets)`, the last one first."""
        filled, m, order = panel.filled, self.season, self.order
        ahead = np.arange(horizon)
        if self.seasonal:
            flat = [np.concatenate([np.zeros_like(f[:m]), f[m:] - f[:-m] if len(f) > m else f[:0]]) for f in filled]
            base = at_origins(filled, origins, ahead - m * (ahead // m + 1))
        else:
            flat = filled
            base = np.zeros((sum(len(o) for o in origins), horizon, panel.targets))
        relative = self.base in ("last", "change")
        back = -np.arange(1, order + 1) - int(relative)
        lags = at_origins(flat, origins, back)
        if relative:
            last = at_origins(flat, origins, np.array([-1]))
            base, lags = base + last, lags - last
        return base, lags

    def columns(self, panel: Panel, origins: Sequence[np.ndarray]) -> np.ndarray:
        """The waves at each origin, `(n, waves)`."""
        count = sum(len(o) for o in origins)
        if not self.waves:
            return np.zeros((count, 0))
        # An origin behind the last row has none of its own in arrays that end there.
        near = [np.minimum(o, len(w) - 1) for o, w in zip(origins, panel.waves, strict=True)]
        return at_origins(panel.waves, near, np.zeros(1, int))[:, 0]

    def fit(self, panel: Panel, stops: Sequence[int], horizon: int, penalties: Sequence[float]) -> list[np.ndarray]:
        """For each penalty the weights `(targets, horizon, order + waves + known + 1)`, from the rows before stops."""
        whole = sum(max(s - self.need - horizon + 1, 0) for s in stops)
        # Windows that end after the stop count for the steps that lie before it, where whole ones are few.
        extra = horizon - 1 if whole < 20 * (self.order + 1) else 0
        origins = [np.arange(self.need, max(s - horizon + 1 + extra, self.need)) for s in stops]
        stride = max(sum(len(o) for o in origins) // MOST, 1)
        origins = [o[(len(o) - 1) % stride :: stride] for o in origins]
        truth = panel.truth(origins, horizon, stops)
        base, lags = self.inputs(panel, origins, horizon)
        waves = self.columns(panel, origins)
        known = _known(panel, origins, horizon)
        width = self.order + waves.shape[1] + panel.width + 1
        found = [np.zeros((panel.targets, horizon, width)) for _ in penalties]
        for j in range(panel.targets):
            x = np.concatenate([lags[..., j], waves], 1)
            miss = truth[..., j] - base[..., j]
            for use, steps in _groups(miss, panel.width):
                for k in steps if panel.width else (steps,):
                    k = np.atleast_1d(k)
                    inner = np.concatenate([x, known[:, k[0]]], 1)[use]
                    for w, solution in zip(found, ridge(inner, miss[use][:, k], penalties), strict=True):
                        w[j, k] = solution
        return found

    def at(self, panel: Panel, weights: np.ndarray, origins: Sequence[np.ndarray], horizon: int) -> np.ndarray:
        """The forecasts `(n, horizon, targets)` at the origins, in the scale of the panel."""
        base, lags = self.inputs(panel, origins, horizon)
        w = weights[:, :horizon]
        waves, p, q = self.columns(panel, origins), self.order, weights.shape[-1] - 1 - panel.width
        made = base + np.einsum("jkp,npj->nkj", w[..., :p], lags, optimize=True) + w[..., -1].T
        if waves.shape[1]:
            made = made + np.einsum("jkf,nf->nkj", w[..., p:q], waves)
        if panel.width:
            made = made + np.einsum("jkf,nkf->nkj", w[..., q:-1], _known(panel, origins, horizon))
        return made


def ridge(x: np.ndarray, y: np.ndarray, penalties: Sequence[float]) -> list[np.ndarray]:
    """For each penalty the weights `(outputs, inputs + 1)`, the last one free, of inputs brought to variance 1."""
    if not len(x):
        return [np.zeros((y.shape[1], x.shape[1] + 1)) for _ in penalties]
    centre, middle = x.mean(0), y.mean(0)
    x, y = x - centre, y - middle
    size = np.sqrt(np.mean(x**2, 0))
    size = np.where(size > 1e-9, size, np.inf)
    x = x / size
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    cross = vectors.T @ (x.T @ y) / len(x)
    found = []
    for penalty in penalties:
        if penalty == np.inf:
            found.append(np.zeros((y.shape[1], x.shape[1] + 1)))
            continue
        slope = (vectors @ (cross / (np.maximum(values, 0) + penalty)[:, None])).T / size
        found.append(np.concatenate([slope, (middle - slope @ centre)[:, None]], 1))
    return found


def _groups(miss: np.ndarray, width: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Windows to fit by, and the steps ahead that they are known for: together where nearly all windows are whole."""
    there = np.isnan(miss) == np.False_
    whole = there.all(1)
    if whole.sum() >= 0.9 * there.any(1).sum() or (width and whole.all()):
        return [(whole, np.arange(miss.shape[1]))]
    return [(there[:, k], np.array([k])) for k in range(miss.shape[1])]


def _known(panel: Panel, origins: Sequence[np.ndarray], horizon: int) -> np.ndarray:
    """The covariates known for each step ahead, `(n, horizon, columns)`; those of the last row after the end."""
    if not panel.width:
        return np.zeros((sum(len(o) for o in origins), horizon, 0))
    rows = [
        np.minimum(np.asarray(o)[:, None] + np.arange(horizon), len(k) - 1)
        for o, k in zip(origins, panel.known, strict=True)
    ]
    return np.concatenate([k[r] for k, r in zip(panel.known, rows, strict=True)])
