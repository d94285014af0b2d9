"""Is a memory a line or a ring of states: slow directions, the topology of slow points, and drift along them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

from ostinato.errors import DataError, NonFiniteError, SettingsError, ShapeError


def time_constants(eigenvalues: np.ndarray) -> np.ndarray:
    r"""The steps in which each mode falls to 1/e: $\tau = -1 / \ln |\lambda|$; infinite on and outside the unit circle.

    ```python
    >>> time_constants(np.array([np.exp(-0.1), 1.0])).round(6).tolist()
    [10.0, inf]

    ```
    """
    size = np.abs(np.asarray(eigenvalues))
    with np.errstate(divide="ignore"):
        return np.where(size < 1, -1 / np.log(np.minimum(size, np.nextafter(1, 0))), np.inf) * np.where(size > 0, 1, 0)


class Manifold(NamedTuple):
    """What slow points form: `kind` ("points", "line", "ring" or "other"), how `open` the path through them is.

    * `order`: the points along the path; `gap`: its widest step over the median one; `closing`: the step from its end
      to its begin, over the median one.
    * `directions`: the mean number of slow directions at a point; `slow`: the largest time constant at each point.
    """

    kind: str
    order: np.ndarray
    gap: float
    closing: float
    directions: float
    slow: np.ndarray


def attractor_manifold(
    points: Float[np.ndarray, "points units"],
    eigenvalues: np.ndarray,
    *,
    slow: float = 50.0,
    widest: float = 6.0,
) -> Manifold:
    """Whether slow points lie on a line or a ring, from where they lie and how many slow directions each has.

    A line attractor is a path of points without a wide gap, each with one mode slower than `slow` steps and its ends
    apart; in a ring the ends meet. Single attractors have none of it. The path goes from point to nearest point, begun
    at an end; a gap is wide at `widest` times the median step.

    Raises `ShapeError`, `NonFiniteError`, `DataError` (fewer than eight points).

    ```python
    >>> angle = 2 * np.pi * np.arange(40) / 40
    >>> ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    >>> attractor_manifold(ring, np.tile([0.999, 0.5, 0.1], (40, 1))).kind
    'ring'

    ```
    """
    points, eigenvalues = np.asarray(points, np.float64), np.asarray(eigenvalues)
    if points.ndim != 2 or eigenvalues.shape[:1] != points.shape[:1]:
        raise ShapeError(
            f"points, eigenvalues: expected one row for each point, got {points.shape}, {eigenvalues.shape}"
        )
    if not np.isfinite(points).all():
        raise NonFiniteError("points: expected finite numbers")
    if len(points) < 8:
        raise DataError(f"points: {len(points)} are too few to call them a line or a ring; eight or more are needed")
    if slow <= 1 or widest <= 1:
        raise SettingsError(f"slow, widest: expected above 1, got {slow} and {widest}")
    tau = time_constants(eigenvalues)
    modes = (tau >= slow).sum(1)
    order = _path(points)
    steps = np.linalg.norm(np.diff(points[order], axis=0), axis=1)
    typical = float(np.median(steps))
    closing = float(np.linalg.norm(points[order[-1]] - points[order[0]])) / max(typical, 1e-300)
    gap = float(steps.max()) / max(typical, 1e-300)
    one = np.median(modes) == 1
    kind = "other"
    if np.median(modes) == 0:
        kind = "points"
    elif one and gap <= widest:
        kind = "ring" if closing <= widest else "line"
    return Manifold(kind, order, gap, closing, float(modes.mean()), tau.max(1))


class Drift(NamedTuple):
    """`speed` (radians per step), `diffusion` (squared radians per step), and the `variance` by lag."""

    speed: float
    diffusion: float
    variance: np.ndarray


def angular_drift(angles: Float[np.ndarray, "trials time"], *, lags: int | None = None) -> Drift:
    r"""How a remembered angle wanders: its drift, and $D = \mathrm{var} / (2\,\mathrm{lag})$ of what remains.

    Angles are unwrapped along time. Where the variance levels off with the lag the memory is held by single points and
    not by a ring. Raises `ShapeError`, `DataError`.

    ```python
    >>> walk = np.cumsum(0.1 * np.random.default_rng(0).normal(size=(200, 400)), axis=1)
    >>> round(angular_drift(np.angle(np.exp(1j * walk))).diffusion, 3)
    0.005

    ```
    """
    angles = np.asarray(angles, np.float64)
    if angles.ndim != 2:
        raise ShapeError(f"angles: expected (trials, time), got {angles.shape}")
    most = angles.shape[1] // 4 if lags is None else lags
    if most < 2 or most >= angles.shape[1] or not np.isfinite(angles).all():
        raise DataError(f"angles: expected finite numbers and more steps than lags, got {angles.shape[1]} and {most}")
    path = np.unwrap(angles, axis=1)
    speed = float(np.diff(path, axis=1).mean())
    at = np.arange(1, most + 1)
    variance = np.array([np.var(path[:, lag:] - path[:, :-lag]) for lag in at])
    slope = float((at @ variance) / (at @ at))
    return Drift(speed, slope / 2, variance)


def _path(points: np.ndarray) -> np.ndarray:
    """From an end to the other by nearest neighbours: the end is the farthest point of a walk that begins anywhere."""
    apart = cdist(points, points)

    def walk(start: int) -> list[int]:
        left, path = set(range(len(points))) - {start}, [start]
        while left:
            path.append(min(left, key=lambda other: apart[path[-1], other]))
            left.discard(path[-1])
        return path

    return np.array(walk(int(apart[0].argmax())), int)
