"""How far measured values lie from predictions: the errors of networks on communities that they have not seen."""

import math

import numpy as np
from jaxtyping import Bool, Float

from ostinato.data import Communities

FEW = 19
"""With fewer errors than this at one time, those of the feature at all times bound its interval."""


def residuals(
    data: Communities, unseen: Float[np.ndarray, "n later features"]
) -> Float[np.ndarray, "later features n"]:
    """Absolute errors of predictions by networks that have not seen the community, sorted, NaN at the end.

    Those of species that were not put in are left out: nothing is uncertain about them.
    """
    errors = np.abs(unseen - data.values[:, 1:])
    some = len(data.species)
    errors[..., :some] = np.where(data.present[:, None, :], errors[..., :some], np.nan)
    return np.sort(np.moveaxis(errors, 0, -1), axis=-1)


def half_widths(errors: Float[np.ndarray, "later features n"], level: float) -> Float[np.ndarray, "later features"]:
    r"""How far from the prediction a share of `level` of new values lies: the error of rank $\lceil (n + 1) l\rceil$.

    ```python
    >>> half_widths(np.arange(1.0, 41.0).reshape(1, 1, 40), 0.9).tolist()
    [[37.0]]

    ```
    """
    found = np.zeros(errors.shape[:2])
    for t, f in np.ndindex(*found.shape):
        seen = errors[t, f][~np.isnan(errors[t, f])]
        if len(seen) < FEW:
            seen = np.sort(errors[:, f][~np.isnan(errors[:, f])])
        if len(seen):
            found[t, f] = seen[min(math.ceil((len(seen) + 1) * level), len(seen)) - 1]
    return found


def bounds(
    halves: Float[np.ndarray, "later features"],
    measured: Float[np.ndarray, "times"],
    hours: Float[np.ndarray, "hours"],
    values: Float[np.ndarray, "n hours features"],
    certain: Bool[np.ndarray, "n features"],
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds around predictions at `hours`, from the half widths at the `measured` times but the first.

    Between two times they follow a monotone cubic; after the last they are NaN. Nothing is below 0. What is `certain`
    has no width.
    """
    halves = np.concatenate([np.zeros((1, halves.shape[1])), halves])
    from scipy.interpolate import PchipInterpolator  # slow to load, and few commands need it

    wide = PchipInterpolator(measured, halves, axis=0)(np.minimum(hours, measured[-1]))
    wide = np.where(certain[:, None, :], 0.0, wide)
    lower, upper = np.maximum(values - wide, 0.0), values + wide
    beyond = hours > measured[-1]
    lower[:, beyond], upper[:, beyond] = np.nan, np.nan
    return lower, upper
