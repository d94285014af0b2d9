"""The usual shape of a gated cell, `W x + b` and `R h` with a row for each gate, so that its file is its equation."""

from typing import TYPE_CHECKING, Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Cell, GatedCell, Hidden
from ostinato.cells.init import gate_weights


class ProjectedCell(GatedCell):
    r"""A gated cell that sees $W x_t + b$ and remembers one vector, 0 at first, which it also gives."""

    output_field = "h"

    W: eqx.AbstractVar[Array]
    b: eqx.AbstractVar[Array]

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Any:
        del key
        return Hidden(jnp.zeros(self.hidden_size, self.b.dtype))

    def project(self, x: Float[Array, " input"]) -> Float[Array, "gates hidden"]:
        return self.W @ x + self.b


class DrawnCell(Cell):
    """A cell of two sizes whose weights are drawn from `key` after the preset `init`: its `draw` sets them."""

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        self.input_size, self.hidden_size = input_size, hidden_size
        self.draw(init, dtype, key)

    def draw(self, init: str, dtype: DTypeLike | None, key: PRNGKeyArray) -> None:
        """Set the weights."""
        raise NotImplementedError


class StandardCell(DrawnCell, ProjectedCell):
    r"""The standard recurrent cell: weights, recurrent weights and a bias for each of `rows` gates.

    $$s_t, y_t = \mathrm{update}(W x_t + b,\; R\,\mathrm{hidden}(s_{t-1}),\; s_{t-1})$$

    Shapes: `W (rows, hidden, input)`, `R (rows, hidden, hidden)`, `b (rows, hidden)`, drawn from `key` after the preset
    `init`; a subclass that starts otherwise has a `draw` of its own. It gives `update`, and a state of its own where
    one vector is not enough.

    ```python
    >>> import jax
    >>> from ostinato import unroll
    >>> class Relu(StandardCell):
    ...     def update(self, from_input, from_hidden, state, dt=None):
    ...         h = jax.nn.relu((from_input + from_hidden)[0])
    ...         return Hidden(h), h
    >>> unroll(Relu(3, 5, key=jax.random.key(0)), jnp.ones((2, 7, 3)))[0].shape
    (2, 7, 5)

    ```
    """

    rows: ClassVar[int] = 1

    W: Float[Array, "_ hidden input"]
    R: Float[Array, "_ hidden hidden"]
    b: Float[Array, "_ hidden"]

    if TYPE_CHECKING:  # for whom a class with fields of its own has a constructor of these
        __init__ = DrawnCell.__init__

    def draw(self, init: str, dtype: DTypeLike | None, key: PRNGKeyArray) -> None:
        weights = gate_weights(init, self.rows, self.hidden_size, self.input_size, key=key, dtype=dtype)
        self.W, self.R, self.b = weights.W, weights.R, weights.b + weights.b_h

    def recurrent(self) -> tuple[Array, Array | None]:
        return self.R, None


class UnconnectedCell(ProjectedCell):
    """A gated cell without a recurrent product: no unit sees another one's state."""

    def recurrent(self) -> None:
        return None

    def step_with_hidden(
        self, x: Array, seen: Array, state: Any, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Any, Array]:
        del state, key
        return self.update(self.project(x), None, Hidden(seen), dt)
