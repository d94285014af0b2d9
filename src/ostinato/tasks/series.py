"""Series that are computed and not drawn from trials: Mackey and Glass's equation, and the NARMA system."""

import numpy as np
from jaxtyping import Float


def mackey_glass(
    length: int, *, delay: int = 17, start: float = 1.2, skip: int = 500, substeps: int = 10
) -> Float[np.ndarray, " length"]:
    r"""Samples of $\dot x = 0.2 x_\tau / (1 + x_\tau^{10}) - 0.1 x$, one for each unit of time.

    Runge and Kutta's method of order four with `substeps` steps in a unit; the delayed value between two steps is
    their mean. Mackey and Glass, Science 197 (1977).

    ```python
    >>> series = mackey_glass(1000)
    >>> bool(0.2 < series.min() < 0.5 and 1.2 < series.max() < 1.4)
    True

    ```
    """
    h, lag, total = 1 / substeps, delay * substeps, (length + skip) * substeps
    x = np.full(total + lag + 1, start)
    rate = lambda now, late: 0.2 * late / (1 + late**10) - 0.1 * now
    for t in range(lag, total + lag):
        late, next_late = x[t - lag], x[t - lag + 1]
        middle = (late + next_late) / 2
        k1 = rate(x[t], late)
        k2 = rate(x[t] + h / 2 * k1, middle)
        k3 = rate(x[t] + h / 2 * k2, middle)
        k4 = rate(x[t] + h * k3, next_late)
        x[t + 1] = x[t] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x[lag:][::substeps][skip : skip + length]


def narma(u: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    r"""The NARMA system of order 10 (Atiya and Parlos 2000), for inputs $u$ in 0..0.5; it begins with ten zeros.

    $$y_{t+1} = 0.3 y_t + 0.05 y_t \sum_{i=0}^{9} y_{t-i} + 1.5 u_{t-9} u_t + 0.1$$

    ```python
    >>> narma(np.full(12, 0.2))[9:].round(4).tolist()
    [0.0, 0.16, 0.2093]

    ```
    """
    y = np.zeros_like(u)
    for t in range(9, len(u) - 1):
        y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * y[t - 9 : t + 1].sum() + 1.5 * u[t - 9] * u[t] + 0.1
    return y
