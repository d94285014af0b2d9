"""What is expected of communities over time, also between and after the times that a model steps through."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ostinato.view import Curve, Figure, Lines, Multiples, numbers, section


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

    def __repr__(self) -> str:
        size = f"{len(self.names)} communities, {len(self.features)} features, {len(self.hours)} times"
        return f"CommunityForecast({size}{'' if self.lower is None else ', with bounds'})"

    def plot(self, most: int = 3) -> Figure:
        """The first communities over time, a small figure for each feature: for a notebook or a file."""
        sections = []
        for i, name in enumerate(self.names[:most]):
            charts = []
            for j, feature in enumerate(self.features):
                band = None
                if self.lower is not None and self.upper is not None:
                    band = numbers(self.lower[i, :, j]), numbers(self.upper[i, :, j])
                curve = Curve("predicted", "ours", numbers(self.values[i, :, j]))
                drawn = Lines(numbers(self.hours), (curve,), "hours", feature, band=band, zero=True, points=True)
                charts.append(section(feature, drawn))
            sections.append(section(name, Multiples(tuple(charts))))
        return Figure(*sections)

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()


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
