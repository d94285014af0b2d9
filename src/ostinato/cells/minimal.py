"""GRU and LSTM without what keeps them from running in parallel (Feng et al., "Were RNNs All We Needed?", 2024)."""

import abc
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Hidden
from ostinato.cells.init import gate_weights
from ostinato.cells.standard import UnconnectedCell
from ostinato.errors import SettingsError

CANDIDATES = ("linear", "positive")


class Minimal(UnconnectedCell):
    r"""What the two share: what is kept of the state and what is added to it are functions of the input alone.

    Two steps make one of the same form, so that `unroll(..., kernel="parallel")` runs T of them in about
    $2 \log_2 T$ rounds; and no unit sees another one, so that exact RTRL is one trace for each weight.
    """

    rows: ClassVar[int]

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    candidate: str = eqx.field(static=True)
    W: Float[Array, "rows hidden input"]
    b: Float[Array, "rows hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        candidate: str = "linear",
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        if candidate not in CANDIDATES:
            raise SettingsError(f"candidate: expected one of {', '.join(CANDIDATES)}, got {candidate!r}")
        self.input_size, self.hidden_size, self.candidate = input_size, hidden_size, candidate
        weights = gate_weights(init, self.rows, hidden_size, input_size, recurrent_size=0, key=key, dtype=dtype)
        self.W, self.b = weights.W, weights.b + weights.b_h

    @abc.abstractmethod
    def gates(self, from_input: Array) -> tuple[Array, ...]:
        """How much is kept, how much is written, and what."""

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del from_hidden, dt
        keep, write, n = self.gates(from_input)
        h = keep * state.h + write * n
        return Hidden(h), h

    def gate_values(self, from_input: Array, from_hidden: Array | None, state: Hidden) -> dict[str, Array]:
        del from_hidden, state
        return {"gates": jnp.stack(self.gates(from_input))}

    def proposed(self, a: Array) -> Array:
        """The candidate of its row."""
        if self.candidate == "linear":
            return a
        return jnp.where(a >= 0, a + 0.5, jax.nn.sigmoid(a))


class MinGRU(Minimal):
    r"""A GRU whose gate and candidate see the input alone.

    $$z = \sigma(W_z x_t + b_z),\quad n = g(W_n x_t + b_n),\qquad h_t = (1 - z) \odot h_{t-1} + z \odot n,\qquad
      y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (2, hidden, input)`, `b (2, hidden)`, rows z, n.

    `candidate="linear"`: g(a) = a; `"positive"`: g(a) = a + 1/2 from 0 up, σ(a) below, as the authors' form in
    logarithms, with which states started at 0 stay positive. With nothing that sees the state, one layer cannot even
    count modulo 2; several layers do more. PyTorch and Keras have none.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = MinGRU(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape, cell.recurrent() is None
    ((5,), True)

    ```
    """

    rows = 2

    def gates(self, from_input: Array) -> tuple[Array, ...]:
        z = jax.nn.sigmoid(from_input[0])
        return 1 - z, z, self.proposed(from_input[1])


class MinLSTM(Minimal):
    r"""An LSTM whose gates and candidate see the input alone; the two gates are made to add up to 1.

    $$f = \sigma(W_f x_t + b_f),\quad i = \sigma(W_i x_t + b_i),\quad n = g(W_n x_t + b_n)$$
    $$h_t = \frac{f}{f + i} \odot h_{t-1} + \frac{i}{f + i} \odot n,\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (3, hidden, input)`, `b (3, hidden)`, rows f, i, n; `candidate` as for
    `MinGRU`. PyTorch and Keras have none.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = MinLSTM(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    rows = 3

    def gates(self, from_input: Array) -> tuple[Array, ...]:
        f, i = jax.nn.sigmoid(from_input[0]), jax.nn.sigmoid(from_input[1])
        return f / (f + i), i / (f + i), self.proposed(from_input[2])
