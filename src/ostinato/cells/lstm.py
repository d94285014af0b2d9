"""Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers, Schmidhuber and Cummins 2000)."""

import abc
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.init import gate_weights
from ostinato.cells.standard import StandardCell

INPUT, FORGET, CELL, OUTPUT = range(4)


class LSTMState(NamedTuple):
    """What an LSTM remembers: its output and its cell."""

    h: Float[Array, " hidden"]
    c: Float[Array, " hidden"]


class MemoryCell(StandardCell):
    """What the LSTMs share: their parameters and state; one of them says how many rows it has and what `step` does."""

    rows = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float | None = None,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        self.input_size, self.hidden_size = input_size, hidden_size
        weights = gate_weights(init, self.rows, hidden_size, input_size, key=key, dtype=dtype)
        self.W, self.R = weights.W, weights.R
        bias = weights.forget_bias if forget_bias is None else forget_bias
        self.b = self.remember(weights.b + weights.b_h, bias)

    @abc.abstractmethod
    def step(self, from_input: Array, from_hidden: Array, state: LSTMState) -> tuple[LSTMState, tuple[Array, ...]]:
        """The new state, and the activated gates in the order of the rows of `b`."""

    def remember(self, b: Array, bias: float) -> Array:
        """The biases `b`, moved by `bias` towards keeping the memory."""
        return b.at[FORGET].add(bias)

    def init_state(self, *, key: PRNGKeyArray | None = None) -> LSTMState:
        del key
        zeros = jnp.zeros(self.hidden_size, self.b.dtype)
        return LSTMState(zeros, zeros)

    def update(
        self, from_input: Array, from_hidden: Array | None, state: LSTMState, dt: Any = None
    ) -> tuple[LSTMState, Array]:
        del dt
        assert from_hidden is not None
        new, _ = self.step(from_input, from_hidden, state)
        return new, new.h

    def gate_values(self, from_input: Array, from_hidden: Array | None, state: LSTMState) -> dict[str, Array]:
        assert from_hidden is not None
        return {"gates": jnp.stack(self.step(from_input, from_hidden, state)[1])}


class LSTM(MemoryCell):
    r"""A cell with a memory that is written, kept and read through gates.

    With $a = W x_t + b + R h_{t-1}$, rows in the order $i, f, g, o$:

    $$i = \sigma(a_i),\quad f = \sigma(a_f),\quad g = \tanh(a_g),\quad o = \sigma(a_o)$$
    $$c_t = f \odot c_{t-1} + i \odot g,\qquad h_t = o \odot \tanh(c_t),\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h, c (hidden,)`, `W (4, hidden, input)`, `R (4, hidden, hidden)`, `b (4, hidden)`.

    Differs from PyTorch: one bias instead of two that are only ever added, and a forget bias of 1 by default (Keras has
    it too; `init="torch"` has none). Gate order as in PyTorch. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = LSTM(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape, state.c.shape
    ((5,), (5,))

    ```
    """

    def step(self, from_input: Array, from_hidden: Array, state: LSTMState) -> tuple[LSTMState, tuple[Array, ...]]:
        a = from_input + from_hidden
        i, f, o = jax.nn.sigmoid(a[INPUT]), jax.nn.sigmoid(a[FORGET]), jax.nn.sigmoid(a[OUTPUT])
        g = jnp.tanh(a[CELL])
        c = f * state.c + i * g
        return LSTMState(o * jnp.tanh(c), c), (i, f, g, o)
