"""A trainable initial state."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, PRNGKeyArray

from ostinato.cells.base import Cell, GatedCell
from ostinato.cells.wrapper import GatedWrapper, Wrapper
from ostinato.layers.variational import VariationalState
from ostinato.types import State


class LearnedInitialState(Wrapper):
    """Any cell, started from a state that is a parameter; made by `learn_initial_state`."""

    initial: State

    def __init__(self, cell: Cell):
        super().__init__(cell)
        self.initial = learnable(cell.init_state())

    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        return eqx.combine(self.initial, self.cell.init_state(key=key))


class GatedLearnedInitialState(GatedWrapper):
    """The same for a gated cell, which it stays."""

    initial: State

    def __init__(self, cell: GatedCell):
        super().__init__(cell)
        self.initial = learnable(cell.init_state())

    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        return eqx.combine(self.initial, self.cell.init_state(key=key))

    def step_with_hidden(
        self, x: Array, seen: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        return self.cell.step_with_hidden(x, seen, state, dt=dt, key=key)


def learn_initial_state(cell: Cell) -> LearnedInitialState | GatedLearnedInitialState:
    r"""The cell with a trainable state before the first step, $s_0 = \theta$, at first what `init_state` gave.

    The state is the field `initial`; every sequence, and every reset in one, starts from it and gives it a gradient.
    A gated cell stays one, with its fast kernels. Masks of `VariationalDropout` are not learned.

    ```python
    >>> import jax
    >>> from ostinato.cells import LSTM
    >>> cell = learn_initial_state(LSTM(3, 5, key=jax.random.key(0)))
    >>> cell.initial.c.shape, cell.recurrent()[0].shape
    ((5,), (4, 5, 5))

    ```
    """
    return GatedLearnedInitialState(cell) if isinstance(cell, GatedCell) else LearnedInitialState(cell)


def learnable(state: State) -> State:
    """The state with None for what is noise, not memory, and for what has no gradient."""

    def without_noise(node: Any) -> Any:
        if isinstance(node, VariationalState):
            return node._replace(state=learnable(node.state), input_mask=None, hidden_mask=None)
        return node

    kept = jax.tree.map(without_noise, state, is_leaf=lambda node: isinstance(node, VariationalState))
    return eqx.filter(kept, eqx.is_inexact_array)
