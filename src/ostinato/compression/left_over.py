"""What a level of a history compressor sees: the surprises of the level below, as sequences of their own."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ostinato.data import SequenceBatch
from ostinato.layers import unroll

from .history import HistoryCompressor


class LeftOver(NamedTuple):
    """Short sequences, and where their steps stood in the long ones.

    * `batch`: `(rows, most, symbols + 1)`, the symbol and the time stamp; for level 0 without the stamp. `most` is the
      power of two that holds the longest, so that few shapes occur; for level 0 it is the time of the long ones.
    * `places`: `(rows, most)`, the steps in the long sequences; -1 in the padding.
    """

    batch: SequenceBatch
    places: np.ndarray

    def spread(self, ys: Any, time: int) -> np.ndarray:
        """Outputs `(rows, most, ...)` back in the long sequences, `(rows, time, ...)`: held until the next; 0 before.

        ```python
        >>> places = np.array([[1, 3, -1, -1]])
        >>> left = LeftOver(SequenceBatch(jnp.zeros((1, 4, 1))), places)
        >>> left.spread(np.array([[5.0, 7.0, 0.0, 0.0]]), 6)
        array([[0., 5., 5., 7., 7., 7.]])

        ```
        """
        ys = np.asarray(ys)
        latest = self.latest(time)
        rows = np.arange(len(ys))[:, None]
        held = ys[rows, np.maximum(latest, 0)]
        return np.where((latest >= 0).reshape(*latest.shape, *[1] * (ys.ndim - 2)), held, np.zeros_like(held))

    def latest(self, time: int) -> np.ndarray:
        """For each step of the long sequences the last short step until then, `(rows, time)`; -1 before the first."""
        before = np.zeros((len(self.places), time), int)
        rows, steps = np.nonzero(self.places >= 0)
        before[rows, self.places[rows, steps]] = 1
        return np.cumsum(before, axis=1) - 1


def left_over(compressor: HistoryCompressor, batch: SequenceBatch, level: int) -> LeftOver:
    """The steps that a level makes on a batch `(rows, time, symbols)`.

    ```python
    >>> import jax
    >>> compressor = HistoryCompressor.make("elman", 3, (4, 4), key=jax.random.key(0))
    >>> symbols = jax.nn.one_hot(np.array([[0, 1, 2, 0, 1]]), 3)
    >>> left_over(compressor, SequenceBatch(symbols), 1).places.tolist()  # an untrained level 0 knows nothing
    [[0, 1, 2, 3, 4, -1, -1, -1]]

    ```
    """
    moved, values = np.asarray(batch.steps), np.asarray(batch.values)
    if level > 0:
        moves, stamps = _moves(compressor, batch)
        moved = moved & np.asarray(moves)[..., level]
        values = np.concatenate([values, np.asarray(stamps)[..., level, None]], axis=-1)
    counts = moved.sum(axis=1)
    most = batch.time_size if level == 0 else 1 << int(np.ceil(np.log2(max(1, counts.max(initial=1)))))
    rows, steps = np.nonzero(moved)
    order = (np.cumsum(moved, axis=1) - 1)[rows, steps]
    places = np.full((len(values), most), -1)
    places[rows, order] = steps
    short = np.zeros((len(values), most, values.shape[-1]), values.dtype)
    short[rows, order] = values[rows, steps]
    reset = None if batch.reset is None else _resets(np.asarray(batch.reset), rows, steps, order, places.shape)
    return LeftOver(SequenceBatch(jnp.asarray(short), jnp.asarray(places >= 0), reset), places)


@eqx.filter_jit
def _moves(compressor: HistoryCompressor, batch: SequenceBatch) -> tuple[Array, Array]:
    _, _, tape = unroll(compressor, batch, record=("moved", "stamp"))
    return tape["moved"], tape["stamp"]


def _resets(reset: np.ndarray, rows: np.ndarray, steps: np.ndarray, order: np.ndarray, shape: tuple[int, ...]) -> Array:
    """Whether the row began anew since the last short step."""
    begun = np.cumsum(reset, axis=1)
    count = np.zeros(shape, int)
    count[rows, order] = begun[rows, steps]
    return jnp.asarray(np.diff(count, axis=1, prepend=0) > 0)
