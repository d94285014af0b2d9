"""LSTMs with one gate fewer: the first of all, without a forget gate, and the one whose forget gate is tied."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, PRNGKeyArray

from ostinato.cells.lstm import LSTMState, MemoryCell

INPUT, CELL, OUTPUT = range(3)


class LSTM1997(MemoryCell):
    r"""The first LSTM (Hochreiter and Schmidhuber, Neural Computation 9, 1997): the memory is never forgotten.

    With $a = W x_t + b + R h_{t-1}$, rows in the order $i, g, o$:

    $$i = \sigma(a_i),\quad g = 4\sigma(a_g) - 2,\quad o = \sigma(a_o)$$
    $$c_t = c_{t-1} + i \odot g,\qquad h_t = o \odot (2\sigma(c_t) - 1),\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h, c (hidden,)`, `W (3, hidden, input)`, `R (3, hidden, hidden)`, `b (3, hidden)`.
    `input_bias` and `output_bias` are added to the gates' biases; negative ones keep gates shut early in training.

    Each unit is a memory block of one cell. The paper's truncated gradient is a learning rule, not part of the cell;
    BPTT here is the full one. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = LSTM1997(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    rows = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        input_bias: float = 0.0,
        output_bias: float = 0.0,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        super().__init__(input_size, hidden_size, init=init, dtype=dtype, key=key)
        self.b = self.b.at[INPUT].add(input_bias).at[OUTPUT].add(output_bias)

    def remember(self, b: Array, bias: float) -> Array:
        del bias
        return b

    def step(self, from_input: Array, from_hidden: Array, state: LSTMState) -> tuple[LSTMState, tuple[Array, ...]]:
        a = from_input + from_hidden
        i, o = jax.nn.sigmoid(a[INPUT]), jax.nn.sigmoid(a[OUTPUT])
        g = 4 * jax.nn.sigmoid(a[CELL]) - 2
        c = state.c + i * g
        return LSTMState(o * (2 * jax.nn.sigmoid(c) - 1), c), (i, g, o)


class CoupledLSTM(MemoryCell):
    r"""An LSTM that forgets exactly as much as it writes (CIFG in Greff et al., arXiv 1503.04069, 2015).

    With $a = W x_t + b + R h_{t-1}$, rows in the order $i, g, o$:

    $$i = \sigma(a_i),\quad f = 1 - i,\quad g = \tanh(a_g),\quad o = \sigma(a_o)$$
    $$c_t = f \odot c_{t-1} + i \odot g,\qquad h_t = o \odot \tanh(c_t),\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h, c (hidden,)`, `W (3, hidden, input)`, `R (3, hidden, hidden)`, `b (3, hidden)`.
    A forget bias of 1 is one of -1 on the input gate. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = CoupledLSTM(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    rows = 3

    def remember(self, b: Array, bias: float) -> Array:
        return b.at[INPUT].add(-bias)

    def step(self, from_input: Array, from_hidden: Array, state: LSTMState) -> tuple[LSTMState, tuple[Array, ...]]:
        a = from_input + from_hidden
        i, o = jax.nn.sigmoid(a[INPUT]), jax.nn.sigmoid(a[OUTPUT])
        g = jnp.tanh(a[CELL])
        c = (1 - i) * state.c + i * g
        return LSTMState(o * jnp.tanh(c), c), (i, g, o)
