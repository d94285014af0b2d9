"""The linear baseline of sequences and trees: ridge regression (Hoerl and Kennard 1970) on simple summaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

STRENGTHS = tuple(10.0**k for k in range(-4, 5))
"""Ridge penalties to choose from, in units where the summaries have variance 1 and the penalty is divided by n."""

COEFFICIENTS = ("mean", "scale", "weights", "constant")
"""What is stored of a ridge, in the order of its fields."""


def summaries(values: Sequence[np.ndarray]) -> Float[np.ndarray, "sequences summaries"]:
    """Mean and standard deviation of each feature over time, `(sequences, 2 features)`; zeros for a length of 0.

    ```python
    >>> summaries([np.array([[1.0], [3.0]]), np.zeros((0, 1))]).tolist()
    [[2.0, 1.0], [0.0, 0.0]]

    ```
    """
    rows = np.zeros((len(values), 2 * values[0].shape[1]))
    for i, a in enumerate(values):
        seen = ~np.isnan(a)
        count = np.maximum(seen.sum(0), 1)
        mean = np.where(seen, a, 0).sum(0) / count
        rows[i] = np.concatenate([mean, np.sqrt((np.where(seen, a - mean, 0) ** 2).sum(0) / count)])
    return rows


@dataclass(frozen=True)
class RidgeRegression:
    r"""$\hat y = B\,(x - \mu)/s + c$, with the penalty that has the least leave-one-out error on the training data.

    $$\min_B \sum_i \|y_i - c - B z_i\|^2 + n\lambda\|B\|^2,\qquad
      e_{-i} = \frac{e_i}{1 - h_{ii}},\quad h_{ii} = \frac1n + \sum_k \frac{d_k^2}{d_k^2 + n\lambda} u_{ik}^2$$

    where $Z = U \operatorname{diag}(d)\, V^T$ holds the standardised rows. `left_out` is the mean
    square of that error for the chosen penalty.
    """

    mean: Float[np.ndarray, " inputs"]
    scale: Float[np.ndarray, " inputs"]
    weights: Float[np.ndarray, "inputs outputs"]
    constant: Float[np.ndarray, " outputs"]
    left_out: float = float("nan")

    @classmethod
    def fit(
        cls,
        x: Float[np.ndarray, "rows inputs"],
        y: Float[np.ndarray, "rows outputs"],
        strengths: Sequence[float] = STRENGTHS,
    ) -> "RidgeRegression":
        """Closed form, by one decomposition for all penalties."""
        return cls.fit_left_out(x, y, strengths)[0]

    @classmethod
    def fit_left_out(
        cls,
        x: Float[np.ndarray, "rows inputs"],
        y: Float[np.ndarray, "rows outputs"],
        strengths: Sequence[float] = STRENGTHS,
    ) -> tuple["RidgeRegression", Float[np.ndarray, "rows outputs"]]:
        """The same with, for each row, what a ridge of the same penalty without that row says of it, $y - e_{-i}$."""
        mean, scale = x.mean(0), x.std(0)
        scale = np.where(scale > 1e-12 * np.maximum(np.abs(mean), 1e-300), scale, 1.0)
        constant = y.mean(0)
        u, d, vt = _decomposed((x - mean) / scale)
        along = u.T @ (y - constant)
        best, chosen, said = np.inf, np.zeros((x.shape[1], y.shape[1])), np.broadcast_to(constant, y.shape)
        for strength in strengths:
            shrink = d**2 / (d**2 + len(x) * strength)
            left_out = (y - constant - u @ (shrink[:, None] * along)) / np.maximum(
                1 - 1 / len(x) - (u**2) @ shrink, 1e-12
            )[:, None]
            if (error := float((left_out**2).sum())) < best:
                best, said = error, y - left_out
                chosen = vt.T @ ((d / (d**2 + len(x) * strength))[:, None] * along)
        return cls(mean, scale, chosen, constant, best / y.size), said

    def predict(self, x: Float[np.ndarray, "rows inputs"]) -> Float[np.ndarray, "rows outputs"]:
        return (x - self.mean) / self.scale @ self.weights + self.constant

    def arrays(self) -> dict[str, Any]:
        """The coefficients by name, for a file."""
        return {name: getattr(self, name) for name in COEFFICIENTS}

    @classmethod
    def from_arrays(cls, found: Mapping[str, Any]) -> "RidgeRegression":
        """The inverse of `arrays`."""
        mean, scale, weights, constant = (np.asarray(found[name], np.float64) for name in COEFFICIENTS)
        return cls(mean, scale, weights, constant)


LARGE = 400
"""Above so many rows and inputs the decomposition is that of the smaller Gram matrix, which is many times cheaper."""


def _decomposed(z: Float[np.ndarray, "rows inputs"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular vectors and values of the inputs."""
    if min(z.shape) <= LARGE:
        return np.linalg.svd(z, full_matrices=False)
    wide = z.shape[1] > z.shape[0]
    square, vectors = np.linalg.eigh(z @ z.T if wide else z.T @ z)
    # Squares below the rounding of the largest one are none: their vectors say nothing.
    kept = square > 1e-12 * square[-1]
    d, vectors = np.sqrt(square[kept]), vectors[:, kept]
    return (vectors, d, (z.T @ vectors / d).T) if wide else (z @ vectors / d, d, vectors.T)
