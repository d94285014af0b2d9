"""Windows of a long series, and the splits of a backtest."""

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ostinato.errors import LengthError


def windows(values: Any, context: int, horizon: int = 0, stride: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of `context` steps and the `horizon` steps that follow, `stride` apart: read-only views, no copies.

    From `values (time, ...)` to `(n, context, ...)` and `(n, horizon, ...)`; window i begins at step `i * stride`.

    Raises `LengthError` where not one window fits, or a size is too small.

    ```python
    >>> x, y = windows(np.arange(5), context=2, horizon=1)
    >>> x.tolist(), y.tolist()
    ([[0, 1], [1, 2], [2, 3]], [[2], [3], [4]])

    ```
    """
    values = np.asarray(values)
    if context < 1 or horizon < 0 or stride < 1:
        raise LengthError(f"windows: expected context and stride of at least 1, got {context} and {stride}")
    if values.ndim < 1 or len(values) < context + horizon:
        steps = len(values) if values.ndim else 0
        raise LengthError(
            f"windows: context {context} and horizon {horizon} need {context + horizon} steps, got {steps}"
        )
    both = np.moveaxis(sliding_window_view(values, context + horizon, axis=0)[::stride], -1, 1)
    return both[:, :context], both[:, context:]


class Fold(NamedTuple):
    """Steps to fit on, and steps to forecast."""

    train: slice
    test: slice


def rolling_origin(n: int, initial: int, horizon: int, step: int | None = None, gap: int = 0) -> list[Fold]:
    """The folds of a backtest: fit on all steps before an origin, forecast the `horizon` steps from `gap` after it.

    Origins are `initial`, `initial + step`, and so on, as long as the forecast ends within the `n` steps; `step=None`
    is one horizon, so that each step is forecast once.

    Raises `LengthError` where not one fold fits.

    ```python
    >>> [(fold.train.stop, fold.test) for fold in rolling_origin(10, initial=6, horizon=2)]
    [(6, slice(6, 8, None)), (8, slice(8, 10, None))]

    ```
    """
    step = horizon if step is None else step
    if initial < 1 or horizon < 1 or step < 1 or gap < 0 or initial + gap + horizon > n:
        sizes = f"initial {initial}, gap {gap}, horizon {horizon} and step {step}"
        raise LengthError(f"rolling origin: {sizes} do not fit into {n} steps")
    origins = range(initial, n - gap - horizon + 1, step)
    return [Fold(slice(0, o), slice(o + gap, o + gap + horizon)) for o in origins]
