"""Dropout with one mask for the whole sequence (Gal and Ghahramani, arXiv 1512.05287, 2015)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.cells.wrapper import Wrapper
from ostinato.errors import SettingsError
from ostinato.types import State


class VariationalState(NamedTuple):
    """The cell's state, and the masks of this sequence."""

    state: State
    input_mask: Float[Array, " input"]
    hidden_mask: Float[Array, " hidden"] | None


class VariationalDropout(Wrapper):
    r"""Any cell, with the same inputs and the same recurrent connections missing at every step of a sequence.

    $$s_t, y_t = \mathrm{cell}(m_x \odot x_t,\; s_{t-1}),\; \text{products with}\; m_h \odot \mathrm{hidden}(s_{t-1})$$

    with the entries of $m$ 0 with probability `input_rate` or `hidden_rate`, else 1/(1 - rate). The masks are drawn in
    `init_state(key=...)`, one pair for each sequence, and kept in the state; without a key they are 1. What a cell
    carries on without a product (the memory of an LSTM, the old state of a GRU) is not dropped.

    A plain cell, because `project` knows no masks. Raises `SettingsError` for a rate outside 0 <= rate < 1, and for a
    `hidden_rate` with a cell that has no `step_with_hidden`.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> from ostinato.cells import GRU
    >>> cell = VariationalDropout(GRU(3, 5, key=jax.random.key(0)), input_rate=0.2, hidden_rate=0.5)
    >>> state, y = cell(jnp.ones(3), cell.init_state(key=jax.random.key(1)))
    >>> sorted(set(state.hidden_mask.tolist()))
    [0.0, 2.0]

    ```
    """

    input_rate: float = eqx.field(static=True)
    hidden_rate: float = eqx.field(static=True)

    def __init__(self, cell: Cell, *, input_rate: float = 0.0, hidden_rate: float = 0.0):
        for name, rate in (("input_rate", input_rate), ("hidden_rate", hidden_rate)):
            if not 0 <= rate < 1:
                raise SettingsError(f"{name}: expected 0 <= rate < 1, got {rate}")
        super().__init__(cell)
        self.input_rate, self.hidden_rate = input_rate, hidden_rate
        if hidden_rate:
            state = cell.init_state()
            seen = cell.hidden(state)
            jax.eval_shape(cell.step_with_hidden, jnp.zeros(cell.input_size, seen.dtype), seen, state)

    @property
    def output_field(self) -> str | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        return None if self.cell.output_field is None else f"state.{self.cell.output_field}"

    def init_state(self, *, key: PRNGKeyArray | None = None) -> VariationalState:
        inner, k_input, k_hidden = (None, None, None) if key is None else jr.split(key, 3)
        state = self.cell.init_state(key=inner)
        leaf = jax.tree.leaves(eqx.filter(self.cell, eqx.is_inexact_array))[0]
        input_mask = _mask(jnp.ones(self.input_size, leaf.dtype), self.input_rate, k_input)
        hidden_mask = (
            _mask(jnp.ones_like(self.cell.hidden(state)), self.hidden_rate, k_hidden) if self.hidden_rate else None
        )
        return VariationalState(state, input_mask, hidden_mask)

    def __call__(
        self, x: Array, state: VariationalState, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[VariationalState, Array]:
        if state.hidden_mask is None:
            new, y = self.cell(x * state.input_mask, state.state, dt=dt, key=key)
            return state._replace(state=new), y
        return self.step_with_hidden(x, self.hidden(state), state, dt=dt, key=key)

    def hidden(self, state: VariationalState) -> Array:
        return self.cell.hidden(state.state)

    def step_with_hidden(
        self, x: Array, seen: Array, state: VariationalState, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[VariationalState, Array]:
        if state.hidden_mask is not None:
            seen = seen * state.hidden_mask
        new, y = self.cell.step_with_hidden(x * state.input_mask, seen, state.state, dt=dt, key=key)
        return state._replace(state=new), y

    def internals(self, x: Array, state: VariationalState) -> dict[str, Array]:
        return self.cell.internals(x * state.input_mask, state.state)


def _mask(ones: Array, rate: float, key: PRNGKeyArray | None) -> Array:
    if key is None or rate == 0:
        return ones
    return jnp.where(jr.bernoulli(key, 1 - rate, ones.shape), ones / (1 - rate), jnp.zeros_like(ones))
