"""A cell around a cell: everything is the inner one's until a subclass says otherwise."""

from typing import Any

from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.cells.base import Cell, GatedCell
from ostinato.types import State


class Wrapper(Cell):
    """Any cell, passed on."""

    cell: Any

    def __init__(self, cell: Cell):
        self.cell = cell

    @property
    def input_size(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.cell.input_size

    @property
    def hidden_size(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.cell.hidden_size

    @property
    def output_size(self) -> int:
        return self.cell.output_size

    @property
    def pointwise(self) -> bool:
        return self.cell.pointwise

    @property
    def output_field(self) -> str | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.cell.output_field

    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        return self.cell.init_state(key=key)

    def __call__(
        self, x: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        return self.cell(x, state, dt=dt, key=key)

    def hidden(self, state: State) -> Array:
        return self.cell.hidden(state)

    def step_with_hidden(
        self, x: Array, seen: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        return self.cell.step_with_hidden(x, seen, state, dt=dt, key=key)

    def internals(self, x: Array, state: State) -> dict[str, Array]:
        return self.cell.internals(x, state)


class GatedWrapper(GatedCell, Wrapper):
    """A gated cell, passed on product by product, so that what is around it is one as well."""

    def __init__(self, cell: GatedCell):
        self.cell = cell

    def project(self, x: Float[Array, " input"]) -> Float[Array, "gates hidden"]:
        return self.cell.project(x)

    def recurrent(self) -> tuple[Array, Array | None] | None:
        return self.cell.recurrent()

    def hidden(self, state: State) -> Array:
        return self.cell.hidden(state)

    def update(self, from_input: Array, from_hidden: Array | None, state: State, dt: Any = None) -> tuple[State, Array]:
        return self.cell.update(from_input, from_hidden, state, dt)

    def gate_values(self, from_input: Array, from_hidden: Array | None, state: State) -> dict[str, Array]:
        return self.cell.gate_values(from_input, from_hidden, state)
