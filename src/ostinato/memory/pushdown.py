"""Neural pushdown automaton (Giles, Sun, Chen, Lee and Chen, NIPS 1989; Sun et al. 1993)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells import Cell, SecondOrder
from ostinato.cells.init import glorot_limit, uniform

from .controller import positive
from .deque import Row, peek, pop, push
from .stack import RowState


class Pushdown(Cell):
    r"""A second-order network with a stack of its own input symbols: a finite automaton that counts and nests.

    $$h_t = \sigma\Big(\sum_{k,l} x_{t,k}\, \rho_l\, R_{kl} h_{t-1} + b\Big),\qquad
      \rho = [r_{t-1},\, 1 - \text{what is there}],\qquad a_t = \tanh(v \cdot h_t + c)$$

    so that with one-hot symbols each pair of symbol and top of the stack has a matrix of transitions; the last entry of
    ρ says how far the stack is empty. Then $x_t$ is put on with length $a_t$ where that is positive, and $-a_t$ is
    taken off where it is negative; $y_t = [h_t, r_t]$.

    * `rows`: how many steps back the stack holds.

    Shapes: `x (input,)`, `h (hidden,)`, `values (rows, input)`, `lengths (rows,)`, `r (input + 1,)` which is ρ,
    `y (hidden + input + 1,)`; the automaton's `R (input (input + 1), hidden, hidden)`; `v (hidden,)`, `c ()`. PyTorch
    and Keras have none. Exact online gradients: RTRL.

    Raises `SettingsError` for sizes below 1.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = Pushdown(2, 3, rows=10, key=jax.random.key(0))
    >>> state, y = cell(jnp.array([1.0, 0.0]), cell.init_state())
    >>> y.shape, cell.automaton.R.shape
    ((6,), (6, 3, 3))

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    rows: int = eqx.field(static=True)
    automaton: SecondOrder
    v: Float[Array, " hidden"]
    c: Float[Array, ""]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        rows: int = 64,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        positive(input_size, "input_size")
        positive(rows, "rows")
        self.input_size, self.hidden_size, self.rows = input_size, hidden_size, rows
        k_automaton, k_action = jr.split(key)
        pairs = input_size * (input_size + 1)
        self.automaton = SecondOrder(pairs, hidden_size, init=init, dtype=dtype, key=k_automaton)
        self.v = uniform(k_action, (hidden_size,), glorot_limit(hidden_size, 1), self.automaton.b.dtype)
        self.c = jnp.zeros((), self.v.dtype)

    @property
    def output_size(self) -> int:
        return self.hidden_size + self.input_size + 1

    def init_state(self, *, key: PRNGKeyArray | None = None) -> RowState:
        zeros = lambda *shape: jnp.zeros(shape, self.v.dtype)
        row = Row(zeros(self.rows, self.input_size), zeros(self.rows))
        return RowState(self.automaton.init_state(key=key), *row, _reading(row))

    def __call__(
        self, x: Array, state: RowState, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[RowState, Array]:
        seen = (x[:, None] * state.r[None]).ravel()
        inner, h = self.automaton(seen, state.controller, dt=dt, key=key)
        action = jnp.tanh(self.v @ h + self.c)
        lengths = pop(state.lengths, jax.nn.relu(-action))
        row = push(Row(state.values, lengths), x, jax.nn.relu(action))
        r = _reading(row)
        return RowState(inner, row.values, row.lengths, r), jnp.concatenate([h, r])


def _reading(row: Row) -> Float[Array, " width_and_empty"]:
    """What the stack shows, and how much of a length of 1 is missing."""
    return jnp.append(peek(row), jax.nn.relu(1 - jnp.sum(row.lengths)))
