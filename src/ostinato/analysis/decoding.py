"""What can be read from the states: cross-validated multinomial regression, tuning curves and the entropy of rates."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import logsumexp

from ostinato.errors import DataError, NonFiniteError, SettingsError, ShapeError


class Decoding(NamedTuple):
    """How well a label is read from the states of rows that were not fitted.

    `accuracy`, the share of the most frequent label as `chance`, the labels in the order of `confusion` (true by
    predicted), the `predicted` label of each row, and `folds`, the accuracy of each.
    """

    accuracy: float
    chance: float
    labels: np.ndarray
    confusion: np.ndarray
    predicted: np.ndarray
    folds: np.ndarray


def decode(
    states: Float[np.ndarray, "rows units"],
    labels: Any,
    *,
    groups: Any = None,
    folds: int = 5,
    penalty: float = 1e-2,
    seed: int = 0,
) -> Decoding:
    r"""Read labels from states by multinomial logistic regression, fitted and judged on different rows.

    $$p(k \mid s) \propto \exp(w_k \cdot s + b_k),\qquad
      \min\ -\tfrac1n \sum \ln p(k_i \mid s_i) + \tfrac{\gamma}{2} \sum_k |w_k|^2$$

    Units are standardised on the fitted rows. Rows of one group (a trial) are never on both sides: without `groups`
    neighbouring steps of one trial make any code look good. γ is `penalty`.

    Raises `ShapeError`, `NonFiniteError`, `DataError` (one label only, fewer rows or groups than folds),
    `SettingsError`.

    ```python
    >>> states = np.random.default_rng(0).normal(size=(200, 3))
    >>> decode(states, states[:, 0] > 0).accuracy > 0.9
    True

    ```
    """
    states, labels = np.asarray(states, np.float64), np.asarray(labels)
    if states.ndim != 2 or labels.shape != (len(states),):
        raise ShapeError(f"states, labels: expected (rows, units) and (rows,), got {states.shape} and {labels.shape}")
    if not np.isfinite(states).all():
        raise NonFiniteError("states: expected finite numbers")
    if folds < 2 or penalty < 0:
        raise SettingsError(f"folds, penalty: expected 2 and 0 or more, got {folds} and {penalty}")
    kinds, code = np.unique(labels, return_inverse=True)
    if len(kinds) < 2:
        raise DataError(f"labels: expected two or more to tell apart, got {kinds.tolist()}")
    group = np.arange(len(states)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    if group.shape != labels.shape or group.max() + 1 < folds:
        raise DataError(f"groups: expected one for each row and {folds} or more of them, got {int(group.max()) + 1}")
    part = np.random.default_rng(seed).permutation(int(group.max()) + 1) % folds
    fold = part[group]
    predicted = np.zeros(len(states), int)
    for i in range(folds):
        kept, held = fold != i, fold == i
        centre, spread = states[kept].mean(0), states[kept].std(0)
        scaled = (states - centre) / np.where(spread > 0, spread, 1)
        W, b = _fitted(scaled[kept], code[kept], len(kinds), penalty)
        predicted[held] = (scaled[held] @ W + b).argmax(1)
    confusion = np.zeros((len(kinds), len(kinds)), int)
    np.add.at(confusion, (code, predicted), 1)
    right = predicted == code
    by_fold = np.array([right[fold == i].mean() for i in range(folds)])
    chance = float(np.bincount(code).max() / len(code))
    return Decoding(float(right.mean()), chance, kinds, confusion, kinds[predicted], by_fold)


def _fitted(x: np.ndarray, code: np.ndarray, kinds: int, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    rows, units = x.shape
    wanted = np.eye(kinds)[code]

    def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
        W, b = flat[: units * kinds].reshape(units, kinds), flat[units * kinds :]
        logits = x @ W + b
        logp = logits - logsumexp(logits, axis=1, keepdims=True)
        error = (np.exp(logp) - wanted) / rows
        loss = -float((wanted * logp).sum()) / rows + penalty / 2 * float(np.square(W).sum())
        return loss, np.concatenate([(x.T @ error + penalty * W).ravel(), error.sum(0)])

    found = minimize(value, np.zeros((units + 1) * kinds), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return found.x[: units * kinds].reshape(units, kinds), found.x[units * kinds :]


def tuning_curves(
    states: Float[np.ndarray, "rows units"], values: Any, *, bins: int = 20, low: float = -np.pi, high: float = np.pi
) -> Float[np.ndarray, "bins units"]:
    """The mean activity of each unit in each bin of a variable, an angle by default; NaN where no row lies.

    ```python
    >>> tuning_curves(np.array([[1.0], [3.0], [5.0]]), np.array([-1.0, -2.0, 1.0]), bins=2).tolist()
    [[2.0], [5.0]]

    ```
    """
    states, place, count = _binned(states, values, bins, low, high)
    total = np.zeros((bins, states.shape[1]))
    np.add.at(total, place, states)
    with np.errstate(invalid="ignore"):
        return total / np.where(count > 0, count, np.nan)[:, None]


def binned_entropy(
    values: Any, *, bins: int = 6, low: float = -np.pi, high: float = np.pi, weights: Any = None
) -> Float[np.ndarray, " units"]:
    r"""The entropy in bits of each unit's values over equal bins, by default six from $-\pi$ to $\pi$.

    $$H = -\sum_b p_b \log_2 p_b$$

    `values` `(rows, units)`; values outside the bins are an error (`DataError`), because they would be left out without
    a word. `weights` `(rows,)` count rows more than once.

    ```python
    >>> binned_entropy(np.array([[-3.0, 0.1], [3.0, 0.1]])).tolist()
    [1.0, 0.0]

    ```
    """
    values = np.asarray(values, np.float64)
    values = values[:, None] if values.ndim == 1 else values
    heavy = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    found = []
    for unit in values.T:
        _, place, _ = _binned(values, unit, bins, low, high)
        p = np.bincount(place, heavy, minlength=bins)
        p = p / p.sum()
        found.append(-float(np.sum(p[p > 0] * np.log2(p[p > 0]))))
    return np.abs(np.array(found))


def correlation_preservation(first: Float[np.ndarray, "rows units"], second: Float[np.ndarray, "steps units"]) -> float:
    """How much of the correlations between pairs of units stays from one condition to another: their own correlation.

    Units that are constant in one of them are left out. Raises `ShapeError`, `DataError` (fewer than three such units).

    ```python
    >>> x = np.random.default_rng(0).normal(size=(100, 2)) @ np.ones((2, 5)) + np.arange(500).reshape(100, 5) % 7
    >>> round(correlation_preservation(x, x), 6)
    1.0

    ```
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ShapeError(f"first, second: expected (rows, units) of the same units, got {first.shape}, {second.shape}")
    alive = (np.ptp(first, axis=0) > 0) & (np.ptp(second, axis=0) > 0)
    if alive.sum() < 3:
        raise DataError(f"first, second: {int(alive.sum())} units vary in both; three or more are needed")
    pairs = np.triu_indices(int(alive.sum()), 1)
    a, b = (np.corrcoef(part[:, alive].T)[pairs] for part in (first, second))
    return float(np.corrcoef(a, b)[0, 1])


def _binned(states: Any, values: Any, bins: int, low: float, high: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    states, values = np.asarray(states, np.float64), np.asarray(values, np.float64)
    if states.ndim != 2 or values.shape != (len(states),):
        raise ShapeError(f"states, values: expected (rows, units) and (rows,), got {states.shape} and {values.shape}")
    if bins < 2 or not low < high:
        raise SettingsError(f"bins, low, high: expected 2 or more and low < high, got {bins}, {low}, {high}")
    if not len(values) or not np.isfinite(values).all() or values.min() < low or values.max() > high:
        raise DataError(f"values: expected finite numbers from {low:.6g} to {high:.6g}")
    place = np.minimum(((values - low) / (high - low) * bins).astype(int), bins - 1)
    return states, place, np.bincount(place, minlength=bins)
