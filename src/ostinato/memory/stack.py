"""Networks with a continuous stack, queue or deque (Grefenstette et al., "Learning to transduce", NIPS 2015)."""

import abc
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells import Cell
from ostinato.types import State

from .controller import Controlled, positive
from .deque import Row, peek, pop, push, turned


class RowState(NamedTuple):
    """The controller's state, the vectors and their lengths, and what was read last."""

    controller: State
    values: Float[Array, "rows width"]
    lengths: Float[Array, " rows"]
    r: Float[Array, " reads"]


class RowCell(Controlled):
    r"""What the three share: for each end a value $v = \tanh$, and how much to take off and to put on, $u, d = \sigma$.

    In each step the controller hears the input and what was read last; then it takes off, puts on and reads, in this
    order. A subclass says which end does what.
    """

    pairs: ClassVar[int] = 1

    rows: int = eqx.field(static=True)
    width: int = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        controller: str | Callable[..., Cell] = "lstm",
        rows: int = 64,
        width: int = 8,
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        for name, value in (("rows", rows), ("width", width)):
            positive(value, name)
        self.rows, self.width = rows, width
        asked, reads = self.pairs * (width + 2), self.pairs * width
        super().__init__(input_size, hidden_size, asked=asked, read=reads, controller=controller, dtype=dtype, key=key)

    @abc.abstractmethod
    def move(self, row: Row, values: Array, take: Array, put: Array) -> tuple[Row, Array]:
        """The row after the step, and what is read of it; values `(ends, width)`, take and put `(ends,)`."""

    def init_state(self, *, key: PRNGKeyArray | None = None) -> RowState:
        zeros = lambda *shape: jnp.zeros(shape, self.c.dtype)
        inner = self.controller.init_state(key=key)
        places = self.pairs * self.rows
        return RowState(inner, zeros(places, self.width), zeros(places), zeros(self.read_size))

    def __call__(
        self, x: Array, state: RowState, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[RowState, Array]:
        inner, h, asked = self.ask(x, state.r, state.controller, dt=dt, key=key)
        asked = asked.reshape(self.pairs, self.width + 2)
        take, put = jax.nn.sigmoid(asked[:, 0]), jax.nn.sigmoid(asked[:, 1])
        row, r = self.move(Row(state.values, state.lengths), jnp.tanh(asked[:, 2:]), take, put)
        return RowState(inner, row.values, row.lengths, r), jnp.concatenate([h, r])


class StackCell(RowCell):
    r"""A network with a stack: what was put on last is read and taken off first.

    $$s \leftarrow \mathrm{pop}(s, u_t),\qquad (V, s) \leftarrow \mathrm{push}(v_t, d_t),\qquad
      r_t = \mathrm{peek}(V, s),\qquad y_t = [h_t, r_t]$$

    with $\xi = V h + c$ cut into u, d (logistic) and v (tanh).

    * `hidden_size`, `controller`: any cell, by name in `CELLS` or as a constructor.
    * `rows`: how many steps back it holds; every step takes a place, also with length 0. `width`: of a vector.

    Shapes: `x (input,)`, `values (rows, width)`, `lengths (rows,)`, `r (width,)`, `y (hidden + width,)`;
    `V (width + 2, hidden)`. No weight depends on `rows`. PyTorch and Keras have none. Exact online gradients: RTRL.

    Raises `SettingsError` for sizes below 1.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> model = ost.RNN(StackCell, 6, 16, output_size=4, rows=10, width=4, key=jax.random.key(0))
    >>> ys, state = model(jnp.ones((2, 5, 6)))
    >>> ys.shape, state[0].lengths.shape
    ((2, 5, 4), (2, 10))

    ```
    """

    def move(self, row: Row, values: Array, take: Array, put: Array) -> tuple[Row, Array]:
        row = push(Row(row.values, pop(row.lengths, take[0])), values[0], put[0])
        return row, peek(row)


class QueueCell(RowCell):
    r"""A network with a queue: what was put in first is read and taken out first.

    As `StackCell`, with vectors put in at the top, taken off and read at the bottom.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> cell = QueueCell(6, 16, rows=10, width=4, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(6), cell.init_state())
    >>> y.shape
    (20,)

    ```
    """

    def move(self, row: Row, values: Array, take: Array, put: Array) -> tuple[Row, Array]:
        row = push(Row(row.values, pop(row.lengths[::-1], take[0])[::-1]), values[0], put[0])
        return row, peek(turned(row))


class DequeCell(RowCell):
    r"""A network with both ends of a row: it takes off, puts on and reads at the top and at the bottom.

    As `StackCell`, with u, d, v and r for each end; first the top is served, then the bottom. The row has `rows` places
    for each end, the top's first.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> cell = DequeCell(6, 16, rows=10, width=4, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(6), cell.init_state())
    >>> y.shape, state.lengths.shape
    ((24,), (20,))

    ```
    """

    pairs = 2

    def move(self, row: Row, values: Array, take: Array, put: Array) -> tuple[Row, Array]:
        lengths = pop(pop(row.lengths, take[0])[::-1], take[1])[::-1]
        top = push(Row(row.values[: self.rows], lengths[: self.rows]), values[0], put[0])
        low = turned(Row(row.values[self.rows :], lengths[self.rows :]))
        low = turned(push(low, values[1], put[1]))
        row = Row(*(jnp.concatenate(parts) for parts in zip(top, low, strict=True)))
        return row, jnp.concatenate([peek(row), peek(turned(row))])
