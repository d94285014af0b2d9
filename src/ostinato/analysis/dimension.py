r"""How many dimensions do the states fill: the spectrum of principal components, and the correlation dimension.

Grassberger and Procaccia, "Measuring the strangeness of strange attractors", Physica D 9 (1983).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.signal import butter, sosfiltfilt
from scipy.spatial import KDTree

from ostinato.errors import DataError, NonFiniteError, SettingsError, ShapeError


class Spectrum(NamedTuple):
    """Shares of the variance, the largest first, of the states and of the shuffled control (its mean over shuffles).

    `crossing`: how many components are above the control before the first that is not.
    """

    shares: np.ndarray
    control: np.ndarray
    components: np.ndarray
    crossing: int

    @property
    def participation(self) -> float:
        r"""The participation ratio $(\sum \lambda)^2 / \sum \lambda^2$: how many components share the variance."""
        return float(1 / np.square(self.shares).sum())


def pca_spectrum(
    states: Float[np.ndarray, "time units"],
    *,
    shuffles: int = 20,
    cutoff: float | None = None,
    seed: int = 0,
) -> Spectrum:
    """The spectrum of principal components of states, divided by its sum, beside a shuffled control.

    In the control units know nothing of one another: it turns each unit's record by a time of its own (a
    circular shift), which keeps the unit's own statistics.
    `cutoff`, in cycles per step, lets through only what is slower (Butterworth of first order, forward and backward).

    `components` `(units, units)` are the principal directions as columns. Raises `ShapeError`, `NonFiniteError`,
    `DataError` (no unit varies), `SettingsError`.

    ```python
    >>> t = np.arange(500) * 2 * np.pi / 50
    >>> found = pca_spectrum(np.stack([np.sin(t), np.cos(t), np.sin(t) + np.cos(t), 0 * t], axis=1))
    >>> found.shares.round(3).tolist()
    [0.75, 0.25, 0.0, 0.0]

    ```
    """
    states = _record(states)
    if shuffles < 1 or (cutoff is not None and not 0 < cutoff < 0.5):
        raise SettingsError(f"shuffles, cutoff: expected 1 or more, and 0 to 0.5, got {shuffles} and {cutoff}")
    if cutoff is not None:
        states = sosfiltfilt(butter(1, 2 * cutoff, output="sos"), states, axis=0)
    centred = states - states.mean(0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    if values[-1] <= 0:
        raise DataError("states: no unit varies")
    noise = np.random.default_rng(seed)
    control = np.zeros(states.shape[1])
    for _ in range(shuffles):
        turned = np.stack([np.roll(unit, noise.integers(len(states))) for unit in centred.T], axis=1)
        found = np.maximum(np.linalg.eigvalsh(turned.T @ turned)[::-1], 0)
        control += found / found.sum() / shuffles
    shares = np.maximum(values[::-1], 0) / np.maximum(values, 0).sum()
    below = np.flatnonzero(shares <= control)
    return Spectrum(shares, control, vectors[:, ::-1], int(below[0]) if len(below) else len(shares))


class CorrelationDimension(NamedTuple):
    """The dimension, its standard error over the plateau, and the curve that it is read from.

    `radii`, `sums` (share of pairs nearer than that), `slopes` (between radii) and the `plateau` as a slice of them.
    """

    dimension: float
    error: float
    radii: np.ndarray
    sums: np.ndarray
    slopes: np.ndarray
    plateau: slice


def correlation_dimension(
    states: Float[np.ndarray, "points units"],
    *,
    theiler: int = 0,
    radii: int = 40,
    most: int = 20_000,
    window: int = 10,
) -> CorrelationDimension:
    r"""The correlation dimension of a set of states: the slope of its correlation sum where that is a power law.

    $$C(r) = \frac{2}{N^2} \#\{i < j - w : \lVert s_i - s_j \rVert < r\},\qquad
      D_2 = \frac{d \ln C}{d \ln r}$$

    Pairs nearer in time than `theiler` steps do not count: they are near because they follow each other. The slope is
    the mean over the `window` neighbouring radii of least spread, among those with at least 100 pairs and at most a
    fifth of all: below, counting noise; above, the size of the set. At most `most` points, evenly spaced, are used.

    Raises `ShapeError`, `NonFiniteError`, `DataError` (fewer than 500 points, constant states, or too few pairs).

    ```python
    >>> angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 2000)
    >>> circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    >>> round(correlation_dimension(circle).dimension, 1)
    1.0

    ```
    """
    states = _record(states)
    if theiler < 0 or window < 3 or radii < 2 * window:
        raise SettingsError(
            f"theiler, window, radii: expected 0, 3 and 2 windows or more, got {theiler}, {window}, {radii}"
        )
    if len(states) < 500:
        raise DataError(f"states: the estimate needs 500 points or more, got {len(states)}")
    every = -(-len(states) // most)
    points, apart = states[::every], -(-theiler // every)
    scale = float(np.sqrt(np.square(points - points.mean(0)).sum(1).mean()))
    if scale == 0:
        raise DataError("states: all points are equal")
    at = np.geomspace(scale * 10**-2.5, scale * 2, radii)
    counts = _pairs(points, at, apart)
    total = (len(points) - apart) * (len(points) - apart - 1) / 2
    sums = counts / total
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.diff(np.log(sums)) / np.diff(np.log(at))
    usable = np.flatnonzero((counts[:-1] >= 100) & (sums[1:] <= 0.2))
    starts = [i for i in usable if np.isin(np.arange(i, i + window), usable).all()]
    if not starts:
        raise DataError(f"states: too few near pairs among {len(points)} points for a plateau of {window} radii")
    spreads = [float(slopes[i : i + window].std() / max(slopes[i : i + window].mean(), 1e-12)) for i in starts]
    best = starts[int(np.argmin(spreads))]
    chosen = slopes[best : best + window]
    return CorrelationDimension(
        float(chosen.mean()), float(chosen.std() / np.sqrt(window)), at, sums, slopes, slice(best, best + window)
    )


def _pairs(points: np.ndarray, radii: np.ndarray, apart: int) -> np.ndarray:
    """How many pairs, more than `apart` apart in time, are within each radius."""
    tree = KDTree(points)
    found = (tree.count_neighbors(tree, radii) - len(points)) / 2
    for lag in range(1, apart + 1):
        near = np.linalg.norm(points[lag:] - points[:-lag], axis=1)
        found = found - np.searchsorted(np.sort(near), radii, side="right")
    return found


def _record(states: np.ndarray) -> np.ndarray:
    states = np.asarray(states, np.float64)
    if states.ndim != 2 or not states.size:
        raise ShapeError(f"states: expected (time, units), got {states.shape}")
    if not np.isfinite(states).all():
        raise NonFiniteError("states: expected finite numbers")
    return states
