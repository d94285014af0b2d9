"""Long short-term memory with a recurrent projection (Sak, Senior and Beaufays, Interspeech 2014)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.cells.init import gate_weights, glorot_limit, uniform
from ostinato.cells.lstm import CELL, FORGET, INPUT, OUTPUT
from ostinato.errors import SettingsError


class ProjectedState(NamedTuple):
    """The projected output and the memory."""

    h: Float[Array, " projection"]
    c: Float[Array, " hidden"]


class ProjectionLSTM(Cell):
    r"""An LSTM that shows, and feeds back, a linear projection of its output: a large memory at a smaller price.

    With $a = W x_t + b + R h_{t-1}$, rows in the order $i, f, g, o$:

    $$i = \sigma(a_i),\quad f = \sigma(a_f),\quad g = \tanh(a_g),\quad o = \sigma(a_o)$$
    $$c_t = f \odot c_{t-1} + i \odot g,\qquad h_t = P\,(o \odot \tanh(c_t)),\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (projection,)`, `c (hidden,)`, `W (4, hidden, input)`, `R (4, hidden, projection)`,
    `b (4, hidden)`, `P (projection, hidden)`. `projection_size` is half of `hidden_size`, rounded up, if not given.

    As PyTorch's LSTM with `proj_size`, but for one bias instead of two and the forget bias of 1 (`init="torch"` has
    none). Two products depend on one another, so this is a plain cell. Exact online gradients: RTRL.

    Raises `SettingsError` unless 1 <= projection_size <= hidden_size.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = ProjectionLSTM(3, 5, projection_size=2, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape, state.c.shape
    ((2,), (5,))

    ```
    """

    output_field = "h"

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    W: Float[Array, "4 hidden input"]
    R: Float[Array, "4 hidden projection"]
    b: Float[Array, "4 hidden"]
    P: Float[Array, "projection hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        projection_size: int | None = None,
        forget_bias: float | None = None,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        self.input_size, self.hidden_size = input_size, hidden_size
        size = (hidden_size + 1) // 2 if projection_size is None else projection_size
        if not 1 <= size <= hidden_size:
            raise SettingsError(f"projection_size: expected 1 to hidden_size = {hidden_size}, got {size}")
        weights = gate_weights(init, 4, hidden_size, input_size, recurrent_size=size, key=key, dtype=dtype)
        self.W, self.R = weights.W, weights.R
        bias = weights.forget_bias if forget_bias is None else forget_bias
        self.b = (weights.b + weights.b_h).at[FORGET].add(bias)
        limit = 1 / hidden_size**0.5 if init == "torch" else glorot_limit(hidden_size, size)
        self.P = uniform(jax.random.fold_in(key, 1), (size, hidden_size), limit, self.b.dtype)

    @property
    def output_size(self) -> int:
        return self.P.shape[0]

    def init_state(self, *, key: PRNGKeyArray | None = None) -> ProjectedState:
        del key
        return ProjectedState(jnp.zeros(self.output_size, self.b.dtype), jnp.zeros(self.hidden_size, self.b.dtype))

    def hidden(self, state: ProjectedState) -> Float[Array, " projection"]:
        return state.h

    def gates(self, x: Array, seen: Array) -> tuple[Array, Array, Array, Array]:
        """The activated gates, in the order input, forget, cell, output."""
        a = self.W @ x + self.b + jnp.einsum("ghk,k->gh", self.R, seen)
        return jax.nn.sigmoid(a[INPUT]), jax.nn.sigmoid(a[FORGET]), jnp.tanh(a[CELL]), jax.nn.sigmoid(a[OUTPUT])

    def step_with_hidden(
        self, x: Array, seen: Array, state: ProjectedState, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[ProjectedState, Array]:
        del dt, key
        i, f, g, o = self.gates(x, seen)
        c = f * state.c + i * g
        h = self.P @ (o * jnp.tanh(c))
        return ProjectedState(h, c), h

    def __call__(
        self, x: Array, state: ProjectedState, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[ProjectedState, Array]:
        return self.step_with_hidden(x, self.hidden(state), state, dt=dt, key=key)

    def internals(self, x: Array, state: ProjectedState) -> dict[str, Array]:
        return {"gates": jnp.stack(self.gates(x, self.hidden(state)))}
