"""The output layer: a linear map of each step and a function of it."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.activations import activation_function
from ostinato.cells.base import Cell
from ostinato.cells.init import default_dtype, glorot_limit, uniform


class Nothing(eqx.Module):
    """The state of a cell without memory."""


class Pointwise(Cell):
    """A cell without memory: its output is a function of the input of the same step."""

    @property
    def pointwise(self) -> bool:
        return True

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Nothing:
        del key
        return Nothing()


class Readout(Pointwise):
    r"""$y_t = O(V h_t + c)$, the same at every step; without memory.

    Shapes: `h (input,)`, `V (output, input)`, `c (output,)`. `V` starts uniform after Glorot and Bengio, `c` at 0.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> readout = Readout(8, 3, activation="softmax", key=jax.random.key(0))
    >>> _, y = readout(jnp.ones(8), readout.init_state())
    >>> round(float(y.sum()), 6)
    1.0

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    activation: str | Callable[[Array], Array] = eqx.field(static=True)
    V: Float[Array, "output input"]
    c: Float[Array, " output"]

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        activation: str | Callable[[Array], Array] = "linear",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        self.input_size, self.hidden_size = input_size, output_size
        activation_function(activation)
        self.activation = activation
        dtype = default_dtype(dtype)
        self.V = uniform(key, (output_size, input_size), glorot_limit(input_size, output_size), dtype)
        self.c = jnp.zeros(output_size, dtype)

    def __call__(
        self, x: Array, state: Nothing, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Nothing, Array]:
        del dt, key
        return state, activation_function(self.activation)(self.V @ x + self.c)
