r"""Are two networks' dynamics the same up to a change of basis: dynamical similarity analysis.

Ostrow, Eisen, Kozachkov and Fiete, "Beyond geometry: comparing the temporal structure of computation in neural circuits
with dynamical similarity analysis", NeurIPS 2023. Delays make the dynamics linear (Koopman); what is compared is the
matrix of that linear map.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from ostinato.errors import DataError, NonFiniteError, SettingsError, ShapeError


class LinearDynamics(NamedTuple):
    """The matrix of a linear map of delayed, reduced states, and its eigenvalues by falling modulus."""

    matrix: np.ndarray
    eigenvalues: np.ndarray


def linear_dynamics(
    states: Float[np.ndarray, "*trials time units"],
    *,
    delays: int = 1,
    interval: int = 1,
    rank: int | None = None,
    penalty: float = 1e-8,
) -> LinearDynamics:
    r"""The linear map that best steps the states forward, after delays and a reduction of rank.

    $$H_t = (s_t, s_{t-d}, \ldots, s_{t-(n-1)d}),\qquad H = U \Sigma V^\top,\qquad
      A = \arg\min_A \lVert V_{t+1} - A V_t \rVert^2 + \gamma \lVert A \rVert^2$$

    States are centred (a constant offset would add an eigenvalue near 1); V is whitened, and of `rank` columns: by
    default all with a singular value above $10^{-6}$ of the largest. Trials are stepped within, never across.

    Raises `ShapeError`, `NonFiniteError`, `DataError` (fewer steps than the map has rows), `SettingsError`.

    ```python
    >>> turn = np.array([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]]) * 0.9
    >>> states = np.stack([np.linalg.matrix_power(turn, t) @ [1.0, 0.0] for t in range(60)])
    >>> bool(np.allclose(np.abs(linear_dynamics(states - 0, penalty=0).eigenvalues), 0.9, atol=0.02))
    True

    ```
    """
    states = np.asarray(states, np.float64)
    states = states[None] if states.ndim == 2 else states.reshape(-1, *states.shape[-2:])
    if states.ndim != 3 or not states.size:
        raise ShapeError(f"states: expected (*trials, time, units), got {states.shape}")
    if not np.isfinite(states).all():
        raise NonFiniteError("states: expected finite numbers")
    if delays < 1 or interval < 1 or penalty < 0 or (rank is not None and rank < 1):
        raise SettingsError(
            f"delays, interval, rank, penalty: expected 1, 1, 1 and 0 or more, got {delays}, {interval}, {rank} and "
            f"{penalty}"
        )
    lost = (delays - 1) * interval
    steps = states.shape[1] - lost
    if steps < 2:
        raise DataError(f"states: {states.shape[1]} steps are too few for {delays} delays of {interval}")
    centred = states - states.mean((0, 1))
    delayed = np.concatenate(
        [centred[:, lost - i * interval : lost - i * interval + steps] for i in range(delays)], axis=2
    )
    trials, _, width = delayed.shape
    U, sizes, _ = np.linalg.svd(delayed.reshape(-1, width), full_matrices=False)
    full = int((sizes > 1e-6 * sizes[0]).sum()) if sizes[0] > 0 else 0
    if not full:
        raise DataError("states: no unit varies")
    r = full if rank is None else min(rank, full)
    if trials * (steps - 1) < r:
        raise DataError(f"states: {trials * (steps - 1)} steps are fewer than the {r} rows of the map")
    whitened = U[:, :r].reshape(trials, steps, r)
    now, after = whitened[:, :-1].reshape(-1, r), whitened[:, 1:].reshape(-1, r)
    A = np.linalg.solve(now.T @ now + penalty * np.eye(r), now.T @ after).T
    values = np.linalg.eigvals(A)
    return LinearDynamics(A, values[np.argsort(-np.abs(values), kind="stable")])


def eigenvalue_distance(a: LinearDynamics, b: LinearDynamics, *, power: float = 2.0) -> float:
    r"""The Wasserstein distance of two sets of eigenvalues: mean $|\lambda_i - \mu_{\pi(i)}|^p$ of the best pairing.

    No change of basis moves it; where one set is shorter it is filled with zeros, which such a map forgets at once.
    `power` 2 gives mean squared distances (as in the paper's code), 1 mean distances.

    ```python
    >>> turn = lambda angle: 0.9 * np.exp(1j * np.array([angle, -angle]))
    >>> one, other = LinearDynamics(np.eye(2), turn(0.2)), LinearDynamics(np.eye(2), turn(0.5))
    >>> round(eigenvalue_distance(one, other), 6), round(eigenvalue_distance(one, other, power=1), 5)
    (0.072355, 0.26899)

    ```
    """
    size = max(len(a.eigenvalues), len(b.eigenvalues))
    x, y = (np.pad(np.asarray(v, complex), (0, size - len(v))) for v in (a.eigenvalues, b.eigenvalues))
    cost = np.abs(x[:, None] - y[None]) ** power
    return float(cost[linear_sum_assignment(cost)].mean())


class Similarity(NamedTuple):
    """Distances after the best orthogonal change of basis: `angle` (radians), `euclidean`, and the `basis`."""

    angle: float
    euclidean: float
    basis: np.ndarray


def dynamical_similarity(a: LinearDynamics, b: LinearDynamics, *, starts: int = 8, steps: int = 500) -> Similarity:
    r"""How far two linear dynamics are apart under the best orthogonal change of basis.

    $$\min_{C \in O(n)} \lVert A - C B C^\top \rVert_F,\qquad \lVert A \rVert_F = \lVert B \rVert_F = 1$$

    The angle is $\arccos \langle A, C B C^\top \rangle$. The search goes along geodesics of the
    orthogonal group, from bases that align the symmetric parts and from random ones, of both signs of the determinant,
    by steps that never make it worse. It may end in a local minimum: then the distance is too large, never too small.
    Where sizes differ the smaller map is filled with zeros.

    ```python
    >>> turn = lambda angle: 0.9 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    >>> one, other = (LinearDynamics(turn(v), np.zeros(2)) for v in (0.2, 0.5))
    >>> found = dynamical_similarity(one, other)
    >>> round(found.angle, 6), round(found.euclidean, 5)
    (0.3, 0.29888)

    ```
    """
    if starts < 2 or steps < 1:
        raise SettingsError(f"starts, steps: expected 2 and 1 or more, got {starts} and {steps}")
    size = max(len(a.matrix), len(b.matrix))
    A, B = (_unit(np.pad(m, (0, size - len(m)))) for m in (a.matrix, b.matrix))
    noise = np.random.default_rng(0)
    best, basis = -np.inf, np.eye(size)
    for C in _bases(A, B, starts, noise):
        inner, found = _climb(A, B, C, steps)
        if inner > best:
            best, basis = inner, found
    cosine = float(np.clip(best, -1, 1))
    return Similarity(float(np.arccos(cosine)), float(np.sqrt(max(0.0, 2 - 2 * cosine))), basis)


def _unit(matrix: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(matrix)
    if size == 0:
        raise DataError("matrix: the dynamics are zero")
    return matrix / size


def _bases(A: np.ndarray, B: np.ndarray, starts: int, noise: np.random.Generator) -> list[np.ndarray]:
    """Bases to begin from: the symmetric parts aligned, with signs; then random ones. Every second is a reflection."""
    first, second = (np.linalg.eigh(M + M.T)[1] for M in (A, B))
    # Where B is A in another basis, the aligned parts differ by signs alone, and those of the largest eigenvector of
    # their product, entry by entry, are these (Perron).
    product = (first.T @ A @ first) * (second.T @ B @ second)
    signs = np.where(np.linalg.eigh(product + product.T)[1][:, -1] < 0, -1.0, 1.0)
    found = [(first * signs) @ second.T, np.eye(len(A))]
    while len(found) < starts:
        drawn = noise.choice([-1.0, 1.0], len(A))
        aligned = (first * drawn) @ second.T
        found.append(aligned if len(found) % 2 else np.linalg.qr(noise.normal(size=A.shape))[0])
        if len(found) % 4 > 1:
            found[-1] = found[-1] * np.where(np.arange(len(A)) == 0, -1.0, 1.0)
    return found


def _climb(A: np.ndarray, B: np.ndarray, C: np.ndarray, steps: int) -> tuple[float, np.ndarray]:
    r"""Raise $\langle A, C B C^\top \rangle$ over orthogonal C, by steps whose length is searched for."""
    inner = lambda C: float((A * (C @ B @ C.T)).sum())
    now, rate = inner(C), 1.0
    for _ in range(steps):
        moved = C @ B @ C.T
        # The gradient along the generators of rotations: the skew part of [A, moved].
        slope = A @ moved.T + A.T @ moved
        skew = slope - slope.T
        size = np.linalg.norm(skew)
        if size < 1e-9:
            break
        while rate > 1e-9:
            half = 0.5 * rate * skew
            # Cayley's transform: orthogonal whatever the length.
            turned = np.linalg.solve(np.eye(len(C)) - 0.5 * half, (np.eye(len(C)) + 0.5 * half) @ C)
            after = inner(turned)
            if after >= now + 1e-4 * rate * size**2 * 0.25:
                C, now, rate = turned, after, min(rate * 2, 64.0)
                break
            rate *= 0.5
        else:
            break
    return now, C
