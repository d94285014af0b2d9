"""LSTM whose gates see their own unit's memory only (Irie, Gopalakrishnan and Schmidhuber, ICLR 2024)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Hidden
from ostinato.cells.init import gate_weights
from ostinato.cells.standard import UnconnectedCell

CANDIDATE, FORGET = range(2)


class ELSTM(UnconnectedCell):
    r"""Element-wise LSTM: input and forget gate tied, every unit with weights to its own memory alone.

    $$z = \tanh(W_z x_t + w_z \odot h_{t-1} + b_z),\quad f = \sigma(W_f x_t + w_f \odot h_{t-1} + b_f)$$
    $$h_t = f \odot h_{t-1} + (1 - f) \odot z,\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (2, hidden, input)`, `b, w (2, hidden)`, rows z, f. `b_f` starts at
    `forget_bias`, `w` at 0.

    No unit sees another one, so exact RTRL keeps one trace for each weight. PyTorch and Keras have no such cell.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = ELSTM(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape, cell.recurrent() is None
    ((5,), True)

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    W: Float[Array, "2 hidden input"]
    b: Float[Array, "2 hidden"]
    w: Float[Array, "2 hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        self.input_size, self.hidden_size = input_size, hidden_size
        weights = gate_weights(init, 2, hidden_size, input_size, recurrent_size=0, key=key, dtype=dtype)
        self.W = weights.W
        self.b = (weights.b + weights.b_h).at[FORGET].set(forget_bias)
        self.w = jnp.zeros_like(self.b)

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del from_hidden, dt
        return self._moved(from_input, state.h, state)

    def step_with_hidden(
        self, x: Array, seen: Array, state: Hidden, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Hidden, Array]:
        del dt, key
        return self._moved(self.project(x), seen, state)

    def gate_values(self, from_input: Array, from_hidden: Array | None, state: Any) -> dict[str, Array]:
        del from_hidden
        return {"gates": jnp.stack(self._units(from_input, state.h))}

    def _moved(self, from_input: Array, seen: Array, state: Hidden) -> tuple[Hidden, Array]:
        z, f = self._units(from_input, seen)
        h = f * state.h + (1 - f) * z
        return Hidden(h), h

    def _units(self, from_input: Array, seen: Array) -> tuple[Array, Array]:
        z = jnp.tanh(from_input[CANDIDATE] + self.w[CANDIDATE] * seen)
        return z, jax.nn.sigmoid(from_input[FORGET] + self.w[FORGET] * seen)
