r"""Exact fixed points and cycles of piecewise-linear networks, by their linear regions.

Eisenmann, Monfared, Göring and Durstewitz, "Bifurcations and loss jumps in RNN training", NeurIPS 2023: draw regions,
solve the linear equation, look where the solution lies, go on from there.
"""

from typing import NamedTuple

import numpy as np

from ostinato.errors import NonFiniteError, SettingsError, ShapeError


class PiecewiseLinear(NamedTuple):
    r"""The map $z' = A z + W_1 \max(W_2 z + h_2, 0) + h_1$: a shallow piecewise-linear recurrent network.

    `A` `(n, n)`, or `(n,)` for its diagonal; `W1` `(n, hidden)`, `W2` `(hidden, n)`, `h2` `(hidden,)`, `h1` `(n,)`. The
    plain network $A z + W \max(z, 0) + h$ has $W_2 = 1$ and $h_2 = 0$.
    """

    A: np.ndarray
    W1: np.ndarray
    W2: np.ndarray
    h2: np.ndarray
    h1: np.ndarray

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return z @ self.linear.T + np.maximum(z @ self.W2.T + self.h2, 0) @ self.W1.T + self.h1

    @property
    def linear(self) -> np.ndarray:
        """A as a matrix."""
        return np.diag(self.A) if np.ndim(self.A) == 1 else np.asarray(self.A)

    def regions(self, z: np.ndarray) -> np.ndarray:
        """Which units of the hidden layer are on at points `(..., n)`: what names a linear region."""
        return z @ self.W2.T + self.h2 > 0


class Cycle(NamedTuple):
    """A cycle: its `points` `(order, n)`, the `eigenvalues` of the Jacobian once around, and whether it is `stable`.

    `residual` is the largest difference between a point and the map of the one before.
    """

    points: np.ndarray
    eigenvalues: np.ndarray
    stable: bool
    residual: float


def cycles(
    network: PiecewiseLinear,
    order: int,
    *,
    searches: int = 2000,
    tries: int = 40,
    seed: int = 0,
    tolerance: float = 1e-10,
) -> tuple[Cycle, ...]:
    r"""Cycles of exactly `order` steps, each once; order 1 are the fixed points.

    In the regions $D_1 \ldots D_k$ the map is affine, so a cycle through them is one linear equation:

    $$z_1 = (I - J_k \cdots J_1)^{-1}\, (\text{composed offset}),\qquad J_i = A + W_1 D_i W_2$$

    It is real if its orbit visits exactly these regions; if not, the search goes on from the regions that it visits, up
    to `tries` times, `searches` times from drawn regions. A region is drawn as that of a point near the visited part of
    the state space or at random. Every cycle that is given is verified by substitution to `tolerance`; a network may
    have further ones, as the search is not a proof.

    Raises `SettingsError`, `ShapeError`, `NonFiniteError`.

    ```python
    >>> tent = PiecewiseLinear(np.array([2.0]), np.array([[-4.0]]), np.eye(1), np.zeros(1), np.ones(1))
    >>> [len(cycles(tent, order, searches=200)) for order in (1, 2, 3, 4)]
    [2, 1, 2, 3]

    ```
    """
    network = _checked(network)
    if order < 1 or searches < 1 or tries < 1 or tolerance <= 0:
        raise SettingsError(
            f"order, searches, tries, tolerance: expected above 0, got {order}, {searches}, {tries}, {tolerance}"
        )
    noise = np.random.default_rng(seed)
    at = _draw(network, order, searches, noise)
    found: dict[bytes, np.ndarray] = {}
    known: set[bytes] = set()
    for _ in range(tries):
        points = _solve(network, at)
        visited = network.regions(points)
        same = (visited == at).all((1, 2)) & np.isfinite(points).all((1, 2))
        for regions, orbit in zip(at[same], points[same], strict=True):
            if (seen := regions.tobytes()) not in known:
                known.add(seen)
                found.setdefault(_name(regions), orbit)
        # A search that found a cycle, or came back to where it was, begins anew.
        stuck = same | ~np.isfinite(points).all((1, 2))
        visited[stuck] = _draw(network, order, int(stuck.sum()), noise)
        at = visited
    kept = []
    for orbit in found.values():
        cycle = _verified(network, orbit)
        lower = any(np.allclose(orbit, np.roll(orbit, d, axis=0), atol=1e-9) for d in range(1, order))
        if cycle.residual <= tolerance and not lower:
            kept.append(cycle)
    return tuple(sorted(kept, key=lambda cycle: tuple(np.round(cycle.points[0], 9))))


def _draw(network: PiecewiseLinear, order: int, count: int, noise: np.random.Generator) -> np.ndarray:
    """Regions `(count, order, hidden)`: half of orbits from points of several scales, half at random."""
    n, hidden = len(network.h1), len(network.h2)
    random = noise.random((count, order, hidden)) < 0.5
    z = noise.normal(size=(count, n)) * 10.0 ** noise.uniform(-1, 1.5, (count, 1))
    orbit = np.empty((count, order, hidden), bool)
    for _ in range(noise.integers(0, 20)):
        z = np.clip(network(z), -1e6, 1e6)
    for step in range(order):
        orbit[:, step] = network.regions(z)
        z = np.clip(network(z), -1e6, 1e6)
    return np.where(noise.random((count, 1, 1)) < 0.5, random, orbit)


def _solve(network: PiecewiseLinear, at: np.ndarray) -> np.ndarray:
    """The points `(count, order, n)` of the affine cycle through the regions; NaN where it is not unique."""
    count, order, _ = at.shape
    n = len(network.h1)
    product, offset = np.broadcast_to(np.eye(n), (count, n, n)), np.zeros((count, n))
    steps = []
    for i in range(order):
        J = network.linear + (network.W1 * at[:, i, None, :]) @ network.W2
        c = (at[:, i] * network.h2) @ network.W1.T + network.h1
        steps.append((J, c))
        product, offset = J @ product, (J @ offset[..., None])[..., 0] + c
    M = np.eye(n) - product
    alone = np.abs(np.linalg.det(M)) > 1e-12
    first = np.full((count, n), np.nan)
    first[alone] = np.linalg.solve(M[alone], offset[alone][..., None])[..., 0]
    points = [first]
    for J, c in steps[:-1]:
        points.append((J @ points[-1][..., None])[..., 0] + c)
    return np.stack(points, axis=1)


def _name(regions: np.ndarray) -> bytes:
    """The same for every point that a cycle may be begun at."""
    return min(np.roll(regions, i, axis=0).tobytes() for i in range(len(regions)))


def _verified(network: PiecewiseLinear, orbit: np.ndarray) -> Cycle:
    start = int(np.lexsort(orbit.T[::-1])[0])
    orbit = np.roll(orbit, -start, axis=0)
    after = network(orbit)
    scale = max(1.0, float(np.abs(orbit).max()))
    residual = float(np.abs(after - np.roll(orbit, -1, axis=0)).max()) / scale
    product = np.eye(orbit.shape[1])
    for on in network.regions(orbit):
        product = (network.linear + (network.W1 * on) @ network.W2) @ product
    values = np.linalg.eigvals(product)
    values = values[np.argsort(-np.abs(values), kind="stable")]
    return Cycle(orbit, values, bool(np.abs(values[0]) < 1), residual)


def _checked(network: PiecewiseLinear) -> PiecewiseLinear:
    A, W1, W2, h2, h1 = (np.asarray(part, np.float64) for part in network)
    n, hidden = len(h1), len(h2)
    if A.shape not in ((n,), (n, n)) or W1.shape != (n, hidden) or W2.shape != (hidden, n):
        raise ShapeError(
            f"network: expected A ({n},) or ({n}, {n}), W1 ({n}, {hidden}), W2 ({hidden}, {n}) for h1 ({n},) and h2 "
            f"({hidden},), got {A.shape}, {W1.shape}, {W2.shape}"
        )
    if not all(np.isfinite(part).all() for part in (A, W1, W2, h2, h1)):
        raise NonFiniteError("network: expected finite numbers")
    return PiecewiseLinear(A, W1, W2, h2, h1)
