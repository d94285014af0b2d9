"""Weights of a convex mixture of forecasts, from errors that none of its members saw."""

import numpy as np


def convex_weights(errors: np.ndarray, count: float, steps: int = 400) -> np.ndarray:
    r"""Weights $w \ge 0$, $\sum w = 1$, of the least squared error of the mixture, shrunk to what each member earns.

    $$\min_w\; w^\top G w + \lambda |w - w^0|^2,\quad G_{cd} = \mathrm{mean}(e_c e_d),\quad
      w^0_c \propto G_{cc}^{-2}$$

    with $\lambda = 8 \min_c G_{cc} / n$, so that many independent errors (`count` n) decide by themselves and few leave
    $w^0$. `errors (members, entries)`, NaN where there is no truth. By projected gradients.

    ```python
    >>> e = np.random.default_rng(0).normal(size=(2, 4000))
    >>> convex_weights(np.stack([e[0], 3 * e[1]]), 4000.0).round(1).tolist()
    [0.9, 0.1]

    ```
    """
    good = ~np.isnan(errors).any(0)
    e = errors[:, good]
    members = len(errors)
    if members == 1 or not e.shape[1]:
        return np.full(members, 1 / members)
    gram = e @ e.T / e.shape[1]
    size = np.maximum(np.diag(gram), 1e-300)
    best = size.min()
    gram, ratio = gram / best, size / best
    prior = ratio**-2.0
    prior /= prior.sum()
    penalty = 8.0 / count
    w = prior.copy()
    rate = 1 / (np.linalg.eigvalsh(gram)[-1] + penalty)
    for _ in range(steps):
        w = _on_simplex(w - rate * (gram @ w + penalty * (w - prior)))
    return w


def _on_simplex(w: np.ndarray) -> np.ndarray:
    """The nearest point with entries of at least 0 that sum to 1."""
    falling = np.sort(w)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, len(w) + 1)
    return np.maximum(w - excess[np.flatnonzero(falling > excess)[-1]], 0)


def shown(gains: np.ndarray, blocks: int = 8) -> float:
    """How far a gain is shown, from 0 to 1: its mean over its standard error, by leaving out one of some blocks.

    `gains (n,)`: in the order of time, NaN where nothing is known.

    ```python
    >>> shown(np.array([1.0, 1.1, 0.9, 1.0])), shown(np.array([-1.0, 1.0, -1.0, 1.0]))
    (1.0, 0.0)

    ```
    """
    gains = gains[~np.isnan(gains)]
    groups = np.array_split(gains, min(blocks, len(gains))) if len(gains) > 1 else []
    if not groups:
        return 1.0
    n = len(groups)
    left = np.array([(gains.sum() - g.sum()) / (len(gains) - len(g)) for g in groups])
    error = np.sqrt((n - 1) / n * np.sum((left - left.mean()) ** 2))
    return float(np.clip(gains.mean() / max(error, 1e-300), 0, 1))


def kept(weights: np.ndarray, least: float = 0.03) -> np.ndarray:
    """The weights without those below a least one, brought to sum 1 again."""
    w = np.where(weights >= min(least, weights.max()), weights, 0)
    return w / w.sum()
