"""Jordan's network, which remembers its own output (Jordan, "Serial order", UCSD technical report 8604, 1986)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.activations import activation_function
from ostinato.cells.base import Cell
from ostinato.cells.init import gate_weights, glorot_limit, uniform
from ostinato.errors import SettingsError


class Shown(NamedTuple):
    """The output of the step before."""

    y: Float[Array, " output"]


class Jordan(Cell):
    r"""A hidden layer that sees the input and the network's output one step ago.

    $$s_t = y_{t-1},\qquad h_t = a(W x_t + b + R s_t),\qquad y_t = a_y(V h_t + b_y)$$

    Shapes: `x (input,)`, `h (hidden,)`, `y (output,)`, `W (1, hidden, input)`, `R (1, hidden, output)`,
    `b (1, hidden)`, `V (output, hidden)`, `b_y (output,)`. `own_output_size` is `hidden_size` where none is given.

    Two products depend on one another, so this is a plain cell. PyTorch and Keras have none.
    Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = Jordan(3, 5, own_output_size=2, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (2,)

    ```
    """

    output_field = "y"

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    activation: str | Callable[[Array], Array] = eqx.field(static=True)
    output_activation: str | Callable[[Array], Array] = eqx.field(static=True)
    W: Float[Array, "1 hidden input"]
    R: Float[Array, "1 hidden output"]
    b: Float[Array, "1 hidden"]
    V: Float[Array, "output hidden"]
    b_y: Float[Array, " output"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        own_output_size: int | None = None,
        activation: str | Callable[[Array], Array] = "tanh",
        output_activation: str | Callable[[Array], Array] = "linear",
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        self.input_size, self.hidden_size = input_size, hidden_size
        for function in (activation, output_activation):
            activation_function(function)
        self.activation, self.output_activation = activation, output_activation
        size = hidden_size if own_output_size is None else own_output_size
        if size < 1:
            raise SettingsError(f"own_output_size: expected 1 or more, got {size}")
        weights = gate_weights(init, 1, hidden_size, input_size, recurrent_size=size, key=key, dtype=dtype)
        self.W, self.R, self.b = weights.W, weights.R, weights.b + weights.b_h
        limit = 1 / hidden_size**0.5 if init == "torch" else glorot_limit(hidden_size, size)
        self.V = uniform(jax.random.fold_in(key, 1), (size, hidden_size), limit, self.b.dtype)
        self.b_y = jnp.zeros(size, self.b.dtype)

    @property
    def output_size(self) -> int:
        return self.V.shape[0]

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Shown:
        del key
        return Shown(jnp.zeros(self.output_size, self.b.dtype))

    def hidden(self, state: Shown) -> Float[Array, " output"]:
        return state.y

    def layer(self, x: Array, seen: Array) -> Float[Array, " hidden"]:
        """The hidden layer."""
        return activation_function(self.activation)(self.W[0] @ x + self.b[0] + self.R[0] @ seen)

    def step_with_hidden(
        self, x: Array, seen: Array, state: Shown, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Shown, Array]:
        del state, dt, key
        y = activation_function(self.output_activation)(self.V @ self.layer(x, seen) + self.b_y)
        return Shown(y), y

    def __call__(
        self, x: Array, state: Shown, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Shown, Array]:
        return self.step_with_hidden(x, self.hidden(state), state, dt=dt, key=key)

    def internals(self, x: Array, state: Shown) -> dict[str, Array]:
        return {"h": self.layer(x, self.hidden(state))}
