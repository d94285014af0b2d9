"""The value of each action, read from a cell: what an agent chooses by."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.types import State


class ActionValues(Cell):
    r"""Linear units on top of a cell, one for each action: $q = V y + v$. A cell itself, with the inner one's state.

    Shapes: `V (actions, cell.output_size)`, `v (actions,)`, uniform in ±`scale`.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> from ostinato.cells import Recollect
    >>> network = ActionValues(Recollect(4, 7, key=jax.random.key(0)), 3, key=jax.random.key(1))
    >>> state, q = network(jnp.ones(4), network.init_state())
    >>> q.shape
    (3,)

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    cell: Cell
    V: Float[Array, "actions output"]
    v: Float[Array, " actions"]

    def __init__(self, cell: Cell, actions: int, *, scale: float = 0.25, key: PRNGKeyArray):
        self.input_size, self.hidden_size, self.cell = cell.input_size, cell.hidden_size, cell
        k_V, k_v = jr.split(key)
        dtype = jnp.result_type(float)
        self.V = jr.uniform(k_V, (actions, cell.output_size), dtype, -scale, scale)
        self.v = jr.uniform(k_v, (actions,), dtype, -scale, scale)

    @property
    def output_size(self) -> int:
        return self.v.shape[-1]

    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        return self.cell.init_state(key=key)

    def __call__(
        self, x: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        state, y = self.cell(x, state, dt=dt, key=key)
        return state, self.action_values(y)

    def action_values(self, y: Float[Array, " output"]) -> Float[Array, " actions"]:
        """The values of the actions from what the cell shows."""
        return self.V @ y + self.v

    def internals(self, x: Array, state: State) -> dict[str, Array]:
        return self.cell.internals(x, state)
