"""LSTMs whose gates see the memory (Gers, Schraudolph and Schmidhuber, JMLR 3, 2002), and the simplified form."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.init import uniform
from ostinato.cells.lstm import CELL, FORGET, INPUT, OUTPUT, LSTMState, MemoryCell


class PeepholeLSTM(MemoryCell):
    r"""An LSTM whose gates see the memory, unit by unit: input and forget gate the old one, the output gate the new.

    With $a = W x_t + b + R h_{t-1}$, rows in the order $i, f, g, o$, and $p$ with rows $i, f, o$:

    $$i = \sigma(a_i + p_i \odot c_{t-1}),\quad f = \sigma(a_f + p_f \odot c_{t-1}),\quad g = \tanh(a_g)$$
    $$c_t = f \odot c_{t-1} + i \odot g,\quad o = \sigma(a_o + p_o \odot c_t),\quad h_t = o \odot \tanh(c_t)$$

    Shapes: as `LSTM`, and `p (3, hidden)`, which starts at 0 (`init="torch"`: uniform in ±1/sqrt(hidden)).

    PyTorch and Keras have none. For the form without $h$ that encyclopaedias print see `SimplePeepholeLSTM`.
    Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = PeepholeLSTM(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape, cell.p.shape
    ((5,), (3, 5))

    ```
    """

    p: Float[Array, "3 hidden"]

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
        super().__init__(input_size, hidden_size, forget_bias=forget_bias, init=init, dtype=dtype, key=key)
        limit = 1 / hidden_size**0.5 if init == "torch" else 0.0
        self.p = uniform(jax.random.fold_in(key, 1), (3, hidden_size), limit, self.b.dtype)

    def step(self, from_input: Array, from_hidden: Array, state: LSTMState) -> tuple[LSTMState, tuple[Array, ...]]:
        a = from_input + from_hidden
        i = jax.nn.sigmoid(a[INPUT] + self.p[0] * state.c)
        f = jax.nn.sigmoid(a[FORGET] + self.p[1] * state.c)
        g = jnp.tanh(a[CELL])
        c = f * state.c + i * g
        o = jax.nn.sigmoid(a[OUTPUT] + self.p[2] * c)
        return LSTMState(o * jnp.tanh(c), c), (i, f, g, o)


class SimplePeepholeLSTM(MemoryCell):
    r"""The peephole LSTM as encyclopaedias print it: the gates see the old memory, through matrices; nothing sees h.

    With $a = W x_t + b$, rows in the order $i, f, g, o$, and $q = R c_{t-1}$, rows in the order $i, f, o$:

    $$i = \sigma(a_i + q_i),\quad f = \sigma(a_f + q_f),\quad g = \tanh(a_g),\quad o = \sigma(a_o + q_o)$$
    $$c_t = f \odot c_{t-1} + i \odot g,\qquad h_t = o \odot \tanh(c_t),\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h, c (hidden,)`, `W (4, hidden, input)`, `R (3, hidden, hidden)`, `b (4, hidden)`.
    The published form is `PeepholeLSTM`. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = SimplePeepholeLSTM(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape, cell.R.shape
    ((5,), (3, 5, 5))

    ```
    """

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
        super().__init__(input_size, hidden_size, forget_bias=forget_bias, init=init, dtype=dtype, key=key)
        self.R = self.R[:3]

    def hidden(self, state: LSTMState) -> Float[Array, " hidden"]:
        return state.c

    def step(self, from_input: Array, from_hidden: Array, state: LSTMState) -> tuple[LSTMState, tuple[Array, ...]]:
        i = jax.nn.sigmoid(from_input[INPUT] + from_hidden[0])
        f = jax.nn.sigmoid(from_input[FORGET] + from_hidden[1])
        g = jnp.tanh(from_input[CELL])
        o = jax.nn.sigmoid(from_input[OUTPUT] + from_hidden[2])
        c = f * state.c + i * g
        return LSTMState(o * jnp.tanh(c), c), (i, f, g, o)
