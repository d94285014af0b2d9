"""Batches that are put together on the device, inside the compiled training step: the data go there once."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from .batch import Examples

LARGEST = 256 << 20
"""Bytes of a data set that is laid out on the device; of a larger one each batch is made on the host."""

STEPS = 8
"""Leading axes are filled up to one of so many sizes for each doubling: data sets of nearly one size share programs."""


class Stored(NamedTuple):
    """A data set on the device, and how the batch of any step is gathered from it.

    * `data`: arrays, the same for all steps.
    * `gathers`: for each shape of batch a pure function `(data, rows) -> Examples`, traced into the training step.
      Programs are shared where these are equal in what they are made of: module-level functions with
      `functools.partial` for their settings.
    * `rows(step)`: which of `gathers` the step takes, and small arrays that say which examples; in shape and type the
      same for all steps.
    """

    data: PyTree[Any]
    gathers: tuple[Callable[[Any, Any], Examples], ...]
    rows: Callable[[int], tuple[int, PyTree[Any]]]


@runtime_checkable
class Storable(Protocol):
    """Batches that may be stored; `stored()` gives None where the data are too large for it."""

    def stored(self) -> Stored | None: ...


def filled_up(array: np.ndarray) -> np.ndarray:
    """With rows of 0 behind it, up to a size that other data sets may have too.

    ```python
    >>> filled_up(np.ones((9, 2))).shape, filled_up(np.ones((100, 2))).shape
    ((9, 2), (104, 2))

    ```
    """
    count = len(array)
    unit = max((1 << max(count - 1, 0).bit_length()) // (2 * STEPS), 1)
    return np.concatenate([array, np.zeros((-count % unit, *array.shape[1:]), array.dtype)])


def as_it_is(data: Examples, rows: Any) -> Examples:
    """The gather of a single batch."""
    del rows
    return data


def on_device(data: PyTree[Any]) -> PyTree[Any]:
    """The arrays in one transfer, numbers in the default precision, whatever they were stored in."""
    return jax.device_put(jax.tree.map(number, data))


def number(array: np.ndarray) -> np.ndarray:
    """Numbers in the default precision; anything else as it is."""
    inexact = np.issubdtype(array.dtype, np.inexact)
    return array.astype(np.dtype(jnp.result_type(float)), copy=False) if inexact else array
