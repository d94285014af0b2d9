"""What is expected of communities over time, also between and after the times that a model steps through."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class CommunityForecast(NamedTuple):
    """What is expected of communities: `values (communities, hours, features)`, bounds alike where they were asked for.

    The bounds are NaN at times after the last that was measured: nothing is known of the errors there.
    """

    names: tuple[str, ...]
    features: tuple[str, ...]
    hours: Float[np.ndarray, "hours"]
    values: Float[np.ndarray, "communities hours features"]
    lower: Float[np.ndarray, "communities hours features"] | None = None
    upper: Float[np.ndarray, "communities hours features"] | None = None


def step_hours(hours: Float[np.ndarray, "times"], last: float) -> Float[np.ndarray, "steps"]:
    """The times of the steps, continued in the last step's length as far as is asked for.

    ```python
    >>> step_hours(np.array([0.0, 4.0, 12.0]), 21.0).tolist()
    [0.0, 4.0, 12.0, 20.0, 28.0]

    ```
    """
    step = hours[-1] - hours[-2]
    more = max(math.ceil((last - hours[-1]) / step - 1e-9), 0)
    return np.concatenate([hours, hours[-1] + step * np.arange(1, more + 1)])


def between(
    steps: Float[np.ndarray, "steps"], curve: Float[np.ndarray, "n steps features"], hours: Float[np.ndarray, "hours"]
) -> Float[np.ndarray, "n hours features"]:
    """A curve at other times, by monotone cubic interpolation (PCHIP): the values themselves at those of the steps."""
    from scipy.interpolate import PchipInterpolator  # slow to load, and few commands need it

    return np.maximum(PchipInterpolator(steps, curve, axis=1)(hours), 0.0)
