"""The bits that a sequence takes when a network says what comes next: how many, and which."""

from collections.abc import Iterator, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ostinato.cells import Cell
from ostinato.data import SequenceBatch
from ostinato.errors import SettingsError
from ostinato.layers import unroll
from ostinato.types import State

from .arithmetic import ArithmeticDecoder, ArithmeticEncoder

SHARES = 1 << 24
"""A probability is rounded to a whole number of so many parts, and no symbol has fewer than one."""


def description_length(cell: Cell, batch: SequenceBatch) -> np.ndarray:
    r"""Bits for each sequence of one-hot symbols, $-\sum_t \log_2 p(x_t \mid x_0, \ldots, x_{t-1})$, `(*batch,)`.

    `cell` gives logits of the next symbol in its first `input_size` outputs: a `HistoryCompressor`, or `rnn.cell` of an
    `RNN` with a read-out. The first symbol of a sequence, and the first after a reset, costs $\log_2$ of how many there
    are.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> network = ost.RNN("elman", 4, 3, output_size=4, key=jax.random.key(0)).cell
    >>> knows_nothing = jax.tree.map(lambda leaf: 0 * leaf, network)
    >>> description_length(knows_nothing, SequenceBatch(jax.nn.one_hot(jnp.array([[0, 3, 2]]), 4))).tolist()
    [6.0]

    ```
    """
    values, steps = np.asarray(batch.values), np.asarray(batch.steps)
    logits = np.asarray(_outputs(_checked(cell), batch))[..., : cell.input_size].astype(np.float64)
    rows, time, symbols = int(np.prod(steps.shape[:-1])), steps.shape[-1], cell.input_size
    fresh = np.zeros_like(steps) if batch.reset is None else np.asarray(batch.reset)
    bits = np.zeros(rows)
    told = values.reshape(rows, time, symbols).argmax(axis=-1)
    flat = (steps.reshape(rows, time), fresh.reshape(rows, time), _log2_softmax(logits).reshape(rows, time, symbols))
    for row, (there, begins, log2) in enumerate(zip(*flat, strict=True)):
        at = np.flatnonzero(there)
        before = np.concatenate([at[:1], at[:-1]])
        begun = np.cumsum(begins)
        known = (np.arange(len(at)) > 0) & (begun[at] == begun[before])
        bits[row] = np.sum(np.where(known, -log2[before, told[row, at]], np.log2(symbols)))
    return bits.reshape(steps.shape[:-1])


def encode(cell: Cell, symbols: Sequence[int] | np.ndarray) -> np.ndarray:
    """A sequence of symbols as bits, by an arithmetic coder that is told what the network expects: `(bits,)` of 0 or 1.

    About `description_length` bits, and 2. `decode` gives the sequence back, with the same network, on the same kind of
    machine and the same versions: a network that rounds otherwise expects something else.

    ```python
    >>> import jax, ostinato as ost
    >>> network = ost.RNN("gru", 3, 5, output_size=3, key=jax.random.key(0)).cell
    >>> bits = encode(network, [0, 1, 2, 2, 1])
    >>> decode(network, bits, 5).tolist()
    [0, 1, 2, 2, 1]

    ```
    """
    told = np.asarray(symbols)
    if told.ndim != 1 or not np.issubdtype(told.dtype, np.integer):
        raise SettingsError(f"symbols: expected whole numbers (time,), got {told.dtype} {told.shape}")
    coder, said = ArithmeticEncoder(), _Expected(cell)
    for symbol in told.tolist():
        coder.put(said.counts, symbol)
        said.tell(symbol)
    return np.array(coder.finish(), np.uint8)


def decode(cell: Cell, bits: Sequence[int] | np.ndarray, count: int) -> np.ndarray:
    """The `count` symbols that `encode` wrote down with this network; raises `CorruptFile` where bits are missing."""
    coder, said = ArithmeticDecoder(np.asarray(bits).tolist()), _Expected(cell)
    return np.fromiter(_decoded(coder, said, count), int, count)


def _decoded(coder: ArithmeticDecoder, said: "_Expected", count: int) -> Iterator[int]:
    for _ in range(count):
        symbol = coder.get(said.counts)
        said.tell(symbol)
        yield symbol


class _Expected:
    """What a network expects, step by step, the same numbers for the encoder and for the decoder."""

    def __init__(self, cell: Cell):
        self.cell, self.state = _checked(cell), cell.init_state()
        self.counts = [1] * cell.input_size

    def tell(self, symbol: int) -> None:
        """One more symbol."""
        x = np.zeros(self.cell.input_size, np.float32)
        x[symbol] = 1
        self.state, logits = _step(self.cell, jnp.asarray(x), self.state)
        log2 = _log2_softmax(np.asarray(logits, np.float64)[: self.cell.input_size])
        self.counts = (1 + np.floor(SHARES * np.exp2(log2))).astype(int).tolist()


@eqx.filter_jit
def _step(cell: Cell, x: Array, state: State) -> tuple[State, Array]:
    return cell(x, state)


@eqx.filter_jit
def _outputs(cell: Cell, batch: SequenceBatch) -> Any:
    return unroll(cell, batch)[0]


def _checked(cell: Cell) -> Cell:
    if cell.output_size < cell.input_size:
        raise SettingsError(f"cell: expected {cell.input_size} outputs or more, one a symbol, got {cell.output_size}")
    return cell


def _log2_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return (shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))) / np.log(2)
