r"""Fixed and slow points of a network's dynamics.

Sussillo and Barak, "Opening the black box", Neural Computation 25 (2013).

A point where the state does not change is a fixed point; around it the dynamics are those of its Jacobian.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ostinato.analysis.maps import as_map, as_vectors, in_float64
from ostinato.errors import NonFiniteError, SettingsError
from ostinato.precision import float64

MEMORY = 1 << 27
"""Bytes of Jacobians that are held at once."""


class FixedPoints(NamedTuple):
    r"""Points of a map where $q(s) = \tfrac12 |F(s) - s|^2$ is least, each once, the most often found first.

    * `points` `(points, n)`, `q` `(points,)`, `found` `(points,)`: how many starts ended there.
    * `fixed`: q is at most the tolerance; elsewhere the point is slow, a local minimum of q.
    * `jacobians` `(points, n, n)` of F; `eigenvalues` `(points, n)` by falling modulus; `unstable`: how many of them
      have modulus above 1; `stable`: none.
    * `outliers` `(k, n)`: fixed points far from where the search began, which the network may never visit.
    * `unfinished`: starts that ended at no fixed or slow point.
    """

    points: np.ndarray
    q: np.ndarray
    found: np.ndarray
    fixed: np.ndarray
    jacobians: np.ndarray
    eigenvalues: np.ndarray
    unstable: np.ndarray
    stable: np.ndarray
    outliers: np.ndarray
    unfinished: int

    def directions(self, point: int) -> np.ndarray:
        """Eigenvectors `(n, unstable)` of one point's unstable eigenvalues, as columns, the fastest first."""
        values, vectors = np.linalg.eig(self.jacobians[point])
        order = np.argsort(-np.abs(values))
        return vectors[:, order[: int(self.unstable[point])]]


def fixed_points(
    layer: Any,
    starts: Any,
    x: Any = None,
    *,
    tolerance: float = 1e-18,
    slow: float = 1e-6,
    unique: float = 1e-4,
    far: float = 10.0,
    steps: int = 200,
) -> FixedPoints:
    r"""Fixed and slow points of a cell, a stack or a map of vectors, found from many starts at once.

    $$\min_s\ q(s) = \tfrac12 |F(s) - s|^2$$

    by Levenberg and Marquardt's method from every start, in float64: each step solves
    $(J^\top J + \lambda I)\,\delta = -J^\top r$ with $r = F(s) - s$ and J its Jacobian, and is taken where q falls. It
    ends quadratically at saddles as at attractors.

    * `layer`: a cell, or a function from vector to vector; `x`: the input that is held.
    * `starts`: states with a leading axis or `(starts, n)` vectors, such as `visited_states` gives.
    * `tolerance`: q of a fixed point; `slow`: the largest q of a slow point. `unique`: points nearer than that are one.
    * `far`: a point is an outlier at so many times the starts' root mean square distance from their mean.
    * `steps`: the most steps of the method.

    Raises `SettingsError`, `ShapeError`, `StateError` (a state that is not of real numbers), `NonFiniteError` (starts).

    ```python
    >>> import numpy as np
    >>> found = fixed_points(lambda s: jnp.tanh(2 * s), np.linspace(-1, 1, 9)[:, None])
    >>> [(round(point, 4), stable) for point, stable in sorted(zip(found.points[:, 0].tolist(), found.stable.tolist()))]
    [(-0.9575, True), (0.0, False), (0.9575, True)]

    ```
    """
    if not 0 < tolerance <= slow or unique <= 0 or far <= 0 or steps < 1:
        raise SettingsError(
            f"tolerance, slow, unique, far, steps: expected 0 < tolerance <= slow, the others above 0, got "
            f"{tolerance}, {slow}, {unique}, {far}, {steps}"
        )
    with float64():
        step = in_float64(as_map(layer, x))
        rows = as_vectors(step, starts)
        if not np.isfinite(rows).all():
            raise NonFiniteError("starts: expected finite numbers")
        ended, q = _descend(step, rows, tolerance, steps)
        centre = rows.mean(0)
        # Starts at one place say nothing of what is far from them.
        spread = float(np.sqrt(np.square(rows - centre).sum(1).mean())) or np.inf
        kept = np.flatnonzero(q <= slow)
        place, found = _distinct(ended[kept], q[kept], unique)
        points, q_of = ended[kept][place], q[kept][place]
        away = np.sqrt(np.square(points - centre).sum(1)) > far * spread
        order = np.argsort(-found[~away], kind="stable")
        near, q_of, found = points[~away][order], q_of[~away][order], found[~away][order]
        jacobians = _jacobians(step, near)
        values = np.linalg.eigvals(jacobians) if len(near) else np.zeros(near.shape, complex)
        values = np.take_along_axis(values, np.argsort(-np.abs(values), axis=1), 1)
        unstable = (np.abs(values) > 1).sum(1)
    return FixedPoints(
        near,
        q_of,
        found,
        q_of <= tolerance,
        jacobians,
        values,
        unstable,
        unstable == 0,
        points[away],
        len(q) - len(kept),
    )


def _descend(step: Any, rows: np.ndarray, tolerance: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each start ends, and q there. Those that are done leave the batch, which shrinks in few, large steps.

    Each size is compiled for itself.
    """
    rows, q = rows.copy(), np.full(len(rows), np.inf)
    block = max(1, int(MEMORY / (8 * rows.shape[1] ** 2)))
    for begin in range(0, len(rows), block):
        active = np.arange(begin, min(begin + block, len(rows)))
        damping = np.full(len(active), 1e-3)
        stalled = np.zeros(len(active), int)
        size = len(active)
        for _ in range(steps):
            size = min([size, *(smaller for smaller in (16, 128, 1024) if len(active) <= smaller)])
            fill = np.concatenate([np.arange(len(active)), np.zeros(size - len(active), int)])
            moved, now, before, lam = (
                np.asarray(a)[: len(active)]
                for a in _step(step, jnp.asarray(rows[active][fill]), jnp.asarray(damping[fill]))
            )
            stalled = np.where(now < before * (1 - 1e-4), 0, stalled + 1)
            rows[active], q[active], damping = moved, now, lam
            # A point of q that does not fall any more is a slow point, or none.
            going = (now > tolerance * 1e-6) & (stalled < 12)
            active, damping, stalled = active[going], damping[going], stalled[going]
            if not len(active):
                break
    return rows, np.where(np.isfinite(q), q, np.inf)


@eqx.filter_jit
def _step(step: Any, rows: Array, damping: Array) -> tuple[Array, Array, Array, Array]:
    """One step of the method for each row: the rows, q after and before, and the new damping."""

    def one(s: Array, lam: Array) -> tuple[Array, Array, Array, Array]:
        residual = lambda s: step(s) - s
        r, J = residual(s), jax.jacfwd(residual)(s)
        before = 0.5 * r @ r
        gradient, gram = J.T @ r, J.T @ J
        scale = jnp.maximum(jnp.trace(gram) / len(s), 1e-12)
        delta = -jax.scipy.linalg.solve(gram + lam * scale * jnp.eye(len(s), dtype=s.dtype), gradient, assume_a="pos")
        after = residual(s + delta)
        now = 0.5 * after @ after
        better = now < before
        lam = jnp.where(better, jnp.maximum(lam * 0.1, 1e-15), jnp.minimum(lam * 10, 1e10))
        return jnp.where(better, s + delta, s), jnp.where(better, now, before), before, lam

    return jax.vmap(one)(rows, damping)


def _distinct(points: np.ndarray, q: np.ndarray, unique: float) -> tuple[np.ndarray, np.ndarray]:
    """The places of points that differ, each the one of least q within `unique`, and how many are within."""
    left, place, found = np.argsort(q, kind="stable"), [], []
    while len(left):
        near = np.abs(points[left] - points[left[0]]).max(1) <= unique * max(1.0, float(np.abs(points[left[0]]).max()))
        place.append(left[0])
        found.append(int(near.sum()))
        left = left[~near]
    return np.array(place, int), np.array(found, int)


def _jacobians(step: Callable[[Array], Array], points: np.ndarray) -> np.ndarray:
    if not len(points):
        return np.zeros((0, points.shape[1], points.shape[1]))
    block = max(1, int(MEMORY / (8 * points.shape[1] ** 2)))
    found = [np.asarray(_jacobian(step, jnp.asarray(points[i : i + block]))) for i in range(0, len(points), block)]
    return np.concatenate(found)


@eqx.filter_jit
def _jacobian(step: Any, points: Array) -> Array:
    return jax.vmap(jax.jacfwd(step))(points)
