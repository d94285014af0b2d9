r"""How alike are two representations: centred kernel alignment and Procrustes distance.

Kornblith, Norouzi, Lee and Hinton, "Similarity of neural network representations revisited", ICML 2019; Song, Smola,
Gretton, Bedo and Borgwardt, JMLR 13 (2012), for the estimate without bias; Williams, Kunz, Kornblith and Linderman,
"Generalized shape metrics on neural representations", NeurIPS 2021.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ostinato.errors import DataError, NonFiniteError, ShapeError


def cka(x: Float[np.ndarray, "rows a"], y: Float[np.ndarray, "rows b"], *, debiased: bool = False) -> float:
    r"""Linear centred kernel alignment of two sets of activities on the same rows, from 0 to 1.

    $$\mathrm{CKA} = \frac{\lVert Y^\top X \rVert_F^2}{\lVert X^\top X \rVert_F\, \lVert Y^\top Y \rVert_F}$$

    with centred columns; it does not change with rotations and a common scale. Independent noise of p columns on n rows
    has about p / (n + p): with few rows ask for `debiased`, whose expectation there is 0 (and which may be below it).

    Raises `ShapeError`, `NonFiniteError`, `DataError` (all rows equal; fewer than four rows where `debiased`).

    ```python
    >>> x = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [2, 1], [-2, 1.0]])
    >>> y = np.array([[1], [2], [0], [-1], [3], [1.0]])
    >>> round(cka(x, y), 6), round(cka(x, y, debiased=True), 6)
    (0.474342, 0.320812)

    ```
    """
    x, y = _paired(x, y)
    if not debiased:
        return float(_square(y.T @ x) / np.sqrt(_square(x.T @ x) * _square(y.T @ y)))
    if len(x) < 4:
        raise DataError(f"x, y: the estimate without bias needs four rows or more, got {len(x)}")
    between, own_x, own_y = _hsic(x, y), _hsic(x, x), _hsic(y, y)
    if min(own_x, own_y) <= 0:
        raise DataError("x, y: too few rows for the estimate without bias: a kernel shows no structure of its own")
    return float(between / np.sqrt(own_x * own_y))


class Procrustes(NamedTuple):
    """Squared distance, angle in radians, and the orthogonal `rotation` `(b, a)` that takes y closest to x."""

    squared: float
    angle: float
    rotation: np.ndarray


def procrustes(x: Float[np.ndarray, "rows a"], y: Float[np.ndarray, "rows b"]) -> Procrustes:
    r"""The distance that is left between two sets of activities after the best rotation or reflection.

    $$d^2 = \lVert X \rVert^2 + \lVert Y \rVert^2 - 2 \lVert X^\top Y \rVert_*,\qquad
      \theta = \arccos \frac{\lVert X^\top Y \rVert_*}{\lVert X \rVert\, \lVert Y \rVert}$$

    with centred columns; where one set has fewer columns it counts as padded with zeros. The angle does not see a
    common scale. Raises `ShapeError`, `NonFiniteError`, `DataError`.

    ```python
    >>> x = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [2, 1], [-2, 1.0]])
    >>> y = np.array([[1], [2], [0], [-1], [3], [1.0]])
    >>> found = procrustes(x, y)
    >>> round(found.squared, 6), round(found.angle, 6)
    (9.191198, 0.911738)

    ```
    """
    x, y = _paired(x, y)
    u, nuclear, v = np.linalg.svd(y.T @ x, full_matrices=False)
    size_x, size_y = _square(x) ** 0.5, _square(y) ** 0.5
    cosine = min(1.0, float(nuclear.sum()) / (size_x * size_y))
    squared = max(0.0, size_x**2 + size_y**2 - 2 * float(nuclear.sum()))
    return Procrustes(squared, float(np.arccos(cosine)), u @ v)


def _paired(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centred, in float64; judged."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or len(x) < 2:
        raise ShapeError(f"x, y: expected (rows, units) with the same two rows or more, got {x.shape} and {y.shape}")
    for name, values in (("x", x), ("y", y)):
        if not np.isfinite(values).all():
            raise NonFiniteError(f"{name}: expected finite numbers")
        if (np.ptp(values, axis=0) == 0).all():
            raise DataError(f"{name}: all rows are equal; nothing to compare")
    return x - x.mean(0), y - y.mean(0)


def _square(x: np.ndarray) -> float:
    return float(np.square(x).sum())


def _hsic(x: np.ndarray, y: np.ndarray) -> float:
    """Song's estimate without bias, of kernels without their diagonal."""
    n = len(x)
    K, L = x @ x.T, y @ y.T
    np.fill_diagonal(K, 0)
    np.fill_diagonal(L, 0)
    ones = K.sum() * L.sum() / ((n - 1) * (n - 2)) - 2 * float(K.sum(0) @ L.sum(0)) / (n - 2)
    return (float((K * L).sum()) + ones) / (n * (n - 3))
