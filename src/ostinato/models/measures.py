r"""Measures of predictions, one definition each.

`truth` and `predicted` are `(n,)`, or `(n, targets)`: then a measure is the mean over the targets. Entries whose truth
is missing (NaN) are left out; where there is no truth at all, a measure is NaN.

**A target that does not vary** has no variance to explain. As in scikit-learn, R² is then 1 where it is met exactly and
0 otherwise, and accordingly NRMSE is 0 or 1, so that $R^2 = 1 - \mathrm{NRMSE}^2$ for every single target. Its
correlation with anything is 0.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int


def mse(truth: Any, predicted: Any) -> float:
    r"""Mean squared error, $\frac1n \sum (y - \hat y)^2$."""
    return _over_targets(truth, predicted, lambda y, p: np.mean(np.square(y - p)))


def rmse(truth: Any, predicted: Any) -> float:
    """Root of the mean squared error.

    ```python
    >>> rmse([1.0, np.nan, 3.0], [2.0, 9.0, 4.0]), rmse([[0.0, 0.0]], [[3.0, 4.0]])
    (1.0, 3.5)

    ```
    """
    return _over_targets(truth, predicted, lambda y, p: np.sqrt(np.mean(np.square(y - p))))


def mae(truth: Any, predicted: Any) -> float:
    r"""Mean absolute error, $\frac1n \sum |y - \hat y|$."""
    return _over_targets(truth, predicted, lambda y, p: np.mean(np.abs(y - p)))


def smape(truth: Any, predicted: Any) -> float:
    r"""Symmetric mean absolute percentage error, as in the M4 competition.

    $$\frac{200}{n} \sum \frac{|y - \hat y|}{|y| + |\hat y|}$$

    From 0 to 200; an entry where both are 0 counts as 0.

    ```python
    >>> smape([100.0, 0.0], [300.0, 0.0])
    50.0

    ```
    """
    return _over_targets(truth, predicted, _symmetric)


def mase(truth: Any, predicted: Any, history: Any, season: int = 1) -> float:
    r"""Mean absolute scaled error (Hyndman and Koehler 2006): MAE over that of the season before in the training rows.

    $$\mathrm{MAE} \,\big/\, \mathrm{mean}_t |y_t - y_{t-m}|$$

    `history (time[, targets])`: the training rows; `season`: m. NaN where the history does not change, or is too short.

    ```python
    >>> mase([4.0, 6.0], [5.0, 5.0], [1.0, 3.0, 5.0])
    0.5

    ```
    """
    return _over_targets(truth, predicted, lambda y, p: np.abs(y - p).mean(), naive_errors(history, season)[0])


def rmsse(truth: Any, predicted: Any, history: Any, season: int = 1) -> float:
    r"""Root mean squared scaled error (the M5 competition): as `mase`, with the roots of mean squares.

    ```python
    >>> rmsse([4.0, 6.0], [5.0, 5.0], [1.0, 3.0, 5.0])
    0.5

    ```
    """
    root = np.sqrt(naive_errors(history, season)[1])
    return _over_targets(truth, predicted, lambda y, p: np.sqrt(np.square(y - p).mean()), root)


def naive_errors(history: Any, season: int = 1) -> tuple[np.ndarray, np.ndarray]:
    r"""Mean absolute and mean squared change over a season, $|y_t - y_{t-m}|$, of each target of `(time[, targets])`.

    NaN where there is no pair, or no change.
    """
    values = np.asarray(history, np.float64)
    values = values.reshape(len(values), -1)
    change = values[season:] - values[:-season]
    seen = ~np.isnan(change)
    count = np.where(seen.any(0), seen.sum(0), 1)
    absolute, squared = (np.where(seen, part, 0).sum(0) / count for part in (np.abs(change), np.square(change)))
    return np.where(absolute > 0, absolute, np.nan), np.where(squared > 0, squared, np.nan)


def coverage(truth: Any, lower: Any, upper: Any) -> float:
    """The share of truths that lie within their interval, ends included.

    ```python
    >>> coverage([1.0, 2.0, np.nan, 5.0], [0.0, 2.0, 0.0, 0.0], [2.0, 3.0, 9.0, 4.0])
    0.6666666666666666

    ```
    """
    y, low, high = (np.asarray(a, np.float64) for a in (truth, lower, upper))
    seen = ~(np.isnan(y) | np.isnan(low) | np.isnan(high))
    inside = ((low <= y) & (y <= high))[seen]
    return float(inside.mean()) if inside.size else float("nan")


def interval_score(truth: Any, lower: Any, upper: Any, level: float) -> float:
    r"""Interval (Winkler) score of central intervals of `level` percent; less is better (Gneiting and Raftery 2007).

    $$(u - l) + \tfrac{2}{\alpha} (l - y)_+ + \tfrac{2}{\alpha} (y - u)_+,\qquad \alpha = 1 - \text{level}/100$$

    ```python
    >>> interval_score([0.0, 5.0], [-1.0, -1.0], [1.0, 1.0], 50)
    10.0

    ```
    """
    y, low, high = (np.asarray(a, np.float64) for a in (truth, lower, upper))
    missed = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    score = high - low + 2 / (1 - level / 100) * missed
    score = score[~np.isnan(score)]
    return float(score.mean()) if score.size else float("nan")


def crps(truth: Any, samples: Any) -> float:
    r"""Continuous ranked probability score of an ensemble `(..., samples)`.

    $$\mathrm{mean}_i |x_i - y| - \tfrac12\,\mathrm{mean}_{ij} |x_i - x_j|$$

    With one sample it is the absolute error. Gneiting and Raftery 2007, over all pairs i, j.

    ```python
    >>> crps([1.0], [[0.0, 2.0]]), crps([3.0], [[1.0]])
    (0.5, 2.0)

    ```
    """
    y, x = np.asarray(truth, np.float64), np.sort(np.asarray(samples, np.float64), -1)
    count = x.shape[-1]
    # In order, the sum over pairs of |x_i - x_j| is 2 sum_i (2 i - n + 1) x_i.
    spread = (x * (2 * np.arange(count) - count + 1)).sum(-1) / count**2
    score = np.abs(x - y[..., None]).mean(-1) - spread
    score = score[~np.isnan(score)]
    return float(score.mean()) if score.size else float("nan")


def r2(truth: Any, predicted: Any) -> float:
    r"""Coefficient of determination, $1 - \sum (y - \hat y)^2 / \sum (y - \bar y)^2$.

    1 is perfect, 0 as good as the mean of the truth, below 0 worse; for a target that does not vary see above.

    ```python
    >>> r2([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]), r2([5.0, 5.0], [5.0, 5.0]), r2([5.0, 5.0], [5.5, 4.5])
    (0.0, 1.0, 0.0)

    ```
    """
    return _over_targets(truth, predicted, lambda y, p: 1.0 - _unexplained(y, p))


def nrmse(truth: Any, predicted: Any) -> float:
    r"""Root of the mean squared error over the standard deviation of the truth, $\sqrt{1 - R^2}$.

    ```python
    >>> nrmse([1.0, 3.0], [2.0, 2.0]), nrmse([5.0, 5.0], [5.0, 5.0]), nrmse([5.0, 5.0], [5.5, 4.5])
    (1.0, 0.0, 1.0)

    ```
    """
    return _over_targets(truth, predicted, lambda y, p: np.sqrt(_unexplained(y, p)))


def pearson(truth: Any, predicted: Any) -> float:
    """The correlation coefficient of Pearson; 0 where one of both does not vary, or there are fewer than two entries.

    ```python
    >>> pearson([1.0, 2.0, np.nan, 3.0], [2.0, 4.0, 9.0, 6.0]), pearson([1.0, 2.0], [5.0, 5.0])
    (1.0, 0.0)

    ```
    """
    return _over_targets(truth, predicted, _correlation)


def accuracy(truth: Any, predicted: Any) -> float:
    """The share of labels that are predicted right; NaN where there are none.

    ```python
    >>> accuracy(["a", "b", "b", "a"], ["a", "b", "a", "a"])
    0.75

    ```
    """
    equal = np.asarray(truth) == np.asarray(predicted)
    return float(np.mean(equal)) if equal.size else float("nan")


def cross_entropy(truth: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n classes"]) -> float:
    r"""$-\frac1n \sum \ln p_{i, y_i}$ in nats; a probability of 0 counts as the least normal number.

    ```python
    >>> round(cross_entropy(np.array([0, 1]), np.array([[0.5, 0.5], [0.0, 1.0]])), 4)
    0.3466

    ```
    """
    chosen = np.maximum(probabilities[np.arange(len(truth)), truth], np.finfo(float).tiny)
    return float(-np.log(chosen).mean()) if len(truth) else float("nan")


def calibration_error(truth: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n classes"]) -> float:
    r"""Expected calibration error (Naeini et al., AAAI 2015): how far the share that is right is from what was said.

    $$\frac1n \sum_b \Big| \sum_{i \in b} [\hat y_i = y_i] - \sum_{i \in b} \hat p_i \Big|$$

    over ten bins of equal width of the probability $\hat p$ of the class that is predicted.

    ```python
    >>> calibration_error(np.array([0, 0, 0, 1]), np.tile([0.75, 0.25], (4, 1)))
    0.0
    >>> calibration_error(np.array([0, 1]), np.tile([0.95, 0.05], (2, 1)))
    0.45

    ```
    """
    sure, right = probabilities.max(-1), probabilities.argmax(-1) == truth
    bins = np.minimum((sure * 10).astype(int), 9)
    gaps = np.bincount(bins, right - sure, 10)
    return float(np.round(np.abs(gaps).sum() / max(len(truth), 1), 12))


def confusion(
    truth: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"], classes: int
) -> Int[np.ndarray, "classes classes"]:
    """How often class i was taken for class j: rows are true, columns predicted.

    ```python
    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]

    ```
    """
    table = np.zeros((classes, classes), int)
    np.add.at(table, (truth, predicted), 1)
    return table


def pinball(truth: Any, quantiles: Any, levels: Sequence[float]) -> float:
    r"""The mean pinball loss of quantiles `(..., levels)`, $\max(\tau e, (\tau - 1) e)$ with $e = y - q_\tau$.

    ```python
    >>> round(pinball([1.0, 1.0], [[0.0, 2.0], [0.0, 2.0]], (0.1, 0.9)), 6)
    0.1

    ```
    """
    error = np.asarray(truth, float)[..., None] - np.asarray(quantiles, float)
    tau = np.array(levels)
    lost = np.maximum(tau * error, (tau - 1) * error)[~np.isnan(error)]
    return float(lost.mean()) if lost.size else float("nan")


def _over_targets(
    truth: Any, predicted: Any, measure: Callable[[np.ndarray, np.ndarray], Any], over: np.ndarray | None = None
) -> float:
    """The mean of a measure over the targets, each without its missing entries, and `over (targets,)` something."""
    y, p = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    y, p = (a.reshape(-1, a.shape[-1] if a.ndim > 1 else 1) for a in (y, p))
    found = []
    for own, said in zip(y.T, p.T, strict=True):
        seen = ~np.isnan(own)
        found.append(float(measure(own[seen], said[seen])) if seen.any() else float("nan"))
    return float(np.mean(found if over is None else found / over))


def _symmetric(y: np.ndarray, p: np.ndarray) -> float:
    size = np.abs(y) + np.abs(p)
    return float(200 * np.mean(np.abs(y - p) / np.where(size > 0, size, 1.0)))


def _unexplained(y: np.ndarray, p: np.ndarray) -> float:
    """Squared error over squared deviation; of a target that does not vary 0 where it is met exactly, else 1."""
    # Asked of the values: the deviation of equal ones from their mean may be a rounding error.
    total = 0.0 if y.min() == y.max() else np.sum(np.square(y - y.mean()))
    return float(np.sum(np.square(y - p)) / total) if total > 0 else float((y != p).any())


def _correlation(y: np.ndarray, p: np.ndarray) -> float:
    if len(y) < 2 or y.min() == y.max() or p.min() == p.max():
        return 0.0
    y, p = y - y.mean(), p - p.mean()
    norm = np.sqrt(np.square(y).sum() * np.square(p).sum())
    return float(np.round((y * p).sum() / norm, 12)) if norm > 0 else 0.0
