"""Several models of the same targets as one: each calibrated on rows that it has not seen, then a convex mixture."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

SHARPEST, BLUNTEST = 200.0, 0.05
"""Temperatures are looked for between these."""

PRIOR, SHARE = 1.0, 0.05
"""So many rows, and such a share of the rows that judge, speak for each model beforehand: none is left out altogether,
and where new sequences are unlike the old ones, the pool does not hang on one model."""

ROUNDS = 300
"""Of expectation-maximisation, which has settled long before."""


@dataclass(frozen=True)
class OpinionPool:
    r"""The linear opinion pool (Stone 1961), its weights by stacking (Wolpert 1992): what each said of unseen rows.

    Classes: $p = \sum_m w_m \operatorname{softmax}(\tau_m s_m)$ of scores $s_m$, with the inverse temperature $\tau_m$
    that gives unseen rows the least cross-entropy (Guo et al., ICML 2017; targets smoothed as Platt 1999 does, so that
    few rows make no model too sure), and the weights of the largest likelihood on the same rows. A mixture of
    calibrated models is less sure than it is right (Ranjan and Gneiting 2010), so that it has a temperature of its own,
    found in the same way: `sharp` in $p^{\mathrm{sharp}}$, made to sum to 1. Numbers:
    $\hat y = \sum_m w_m s_m$ with the weights of the least squared error. In both $w_m \ge 0$, $\sum_m w_m = 1$, and
    `PRIOR` rows and a `SHARE` of them speak for each model beforehand.

    ```python
    >>> codes = np.arange(40) % 2
    >>> scores = {"right": 5.0 * np.eye(2)[codes], "guesses": np.zeros((40, 2))}
    >>> pool = OpinionPool.fit(scores, codes)
    >>> {name: round(weight, 2) for name, weight in pool.weights.items()}
    {'right': 0.88, 'guesses': 0.12}
    >>> pool = OpinionPool.fit({"high": np.full((9, 1), 2.0), "low": np.zeros((9, 1))}, np.ones((9, 1)))
    >>> {name: round(weight, 2) for name, weight in pool.weights.items()}
    {'high': 0.5, 'low': 0.5}

    ```
    """

    weights: dict[str, float]
    temperatures: dict[str, float]
    sharp: float = 1.0

    @classmethod
    def fit(cls, scores: Mapping[str, Float[np.ndarray, "n outputs"]], truth: np.ndarray) -> "OpinionPool":
        """From scores of unseen rows, and their classes `(n,)` or numbers `(n, outputs)`."""
        if truth.ndim == 2:
            found = _least_squares(list(scores.values()), truth)
            return cls(dict(zip(scores, found.tolist(), strict=True)), {})
        sharp = {name: sharpness(own, truth) for name, own in scores.items()}
        rows = np.arange(len(truth))
        likely = np.stack([softmax(sharp[name] * own)[rows, truth] for name, own in scores.items()], 1)
        pool = cls(dict(zip(scores, _most_likely(likely).tolist(), strict=True)), sharp)
        return replace(pool, sharp=sharpness(pool.mixed(scores), truth))

    def __call__(self, scores: Mapping[str, Float[np.ndarray, "n outputs"]]) -> Float[np.ndarray, "n outputs"]:
        """Logarithms of the probabilities of classes, or numbers."""
        if not self.temperatures:
            return self.mixed(scores)
        return np.log(np.maximum(softmax(self.sharp * self.mixed(scores)), 1e-300))

    def mixed(self, scores: Mapping[str, Float[np.ndarray, "n outputs"]]) -> Float[np.ndarray, "n outputs"]:
        """The same before the mixture's own temperature."""
        if not self.temperatures:
            return sum((w * scores[name] for name, w in self.weights.items()), start=np.zeros(()))
        shares = [w * softmax(self.temperatures[name] * scores[name]) for name, w in self.weights.items()]
        return np.log(np.maximum(sum(shares, start=np.zeros(())), 1e-300))

    def joined(
        self, name: str, scores: Float[np.ndarray, "n outputs"], others: Float[np.ndarray, "n outputs"], truth: Any
    ) -> "OpinionPool":
        """The pool with one model more, which shares with `others` (this pool `mixed`) by rows that none has seen."""
        # Logarithms of probabilities are scores as well; that they come out calibrated again does no harm.
        pair = OpinionPool.fit({"others": others, name: scores}, truth)
        kept = pair.weights["others"]
        weights = {other: kept * weight for other, weight in self.weights.items()} | {name: pair.weights[name]}
        if not self.temperatures:
            return OpinionPool(weights, {})
        made = OpinionPool({"others": kept, name: pair.weights[name]}, pair.temperatures | {"others": 1.0})
        overall = sharpness(made.mixed({"others": others, name: scores}), truth)
        return OpinionPool(weights, self.temperatures | {name: pair.temperatures[name]}, overall)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, in the order of the models."""
        plain = {"names": list(self.weights), "weights": list(self.weights.values())}
        return plain | {"temperatures": self.temperatures, "sharp": self.sharp}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> "OpinionPool":
        """The inverse of `to_dict`."""
        weights = {str(name): float(w) for name, w in zip(found["names"], found["weights"], strict=True)}
        temperatures = {str(name): float(t) for name, t in found["temperatures"].items()}
        return cls(weights, temperatures, float(found["sharp"]))


def sharpness(scores: Float[np.ndarray, "n classes"], truth: np.ndarray) -> float:
    """The inverse temperature with the least cross-entropy to smoothed targets; 1 without rows."""
    if not len(truth):
        return 1.0
    count, classes = scores.shape
    smoothed = np.full(scores.shape, 1 / (count + classes))
    smoothed[np.arange(count), truth] = (count + 1) / (count + classes)
    # Divided by their spread, so that the same grid suits logits and the outputs of a linear map.
    unit = max(float(scores.std()), 1e-9)
    tried = np.exp(np.linspace(np.log(BLUNTEST), np.log(SHARPEST), 80)) / unit
    errors = [-float((smoothed * np.log(np.maximum(softmax(t * scores), 1e-300))).sum()) for t in tried]
    return float(tried[int(np.argmin(errors))])


def softmax(scores: Float[np.ndarray, "n classes"]) -> Float[np.ndarray, "n classes"]:
    """Probabilities in float64."""
    shifted = np.exp(scores.astype(np.float64) - scores.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def _most_likely(likely: Float[np.ndarray, "n models"]) -> Float[np.ndarray, " models"]:
    """Weights of a mixture, by expectation-maximisation, from what each model gives the class that came."""
    weights = np.full(likely.shape[1], 1 / likely.shape[1])
    for _ in range(ROUNDS):
        share = np.maximum(likely, 1e-12) * weights
        weights = (share / share.sum(1, keepdims=True)).sum(0) + PRIOR + SHARE * len(likely)
        weights /= weights.sum()
    return weights


def _least_squares(
    scores: list[Float[np.ndarray, "n outputs"]], truth: Float[np.ndarray, "n outputs"]
) -> Float[np.ndarray, " models"]:
    """Weights of a mixture of numbers, of the least squared error."""
    from scipy.optimize import nnls  # slow to load

    models = len(scores)
    inputs = np.stack([own.ravel() for own in scores], 1)
    spread = np.sqrt((PRIOR + SHARE * len(truth)) * max(float(np.square(truth).mean()), 1e-12))
    sure = 1e3 * max(float(np.abs(inputs).max(initial=0.0)), 1.0) * np.sqrt(len(inputs) + 1)
    rows = np.concatenate([inputs, spread * np.eye(models), np.full((1, models), sure)])
    found, _ = nnls(rows, np.concatenate([truth.ravel(), np.full(models, spread / models), [sure]]))
    return found / found.sum()
