"""The contract of a cell: one step of a recurrent network, as a pure function of input and state."""

import abc
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.errors import SettingsError
from ostinato.types import State


class Hidden(NamedTuple):
    """The state of a cell that remembers one vector."""

    h: Float[Array, " hidden"]


class Cell(eqx.Module):
    """One step of a network: `cell(x, state) -> (state, y)`, unbatched, no time axis.

    A subclass gives `init_state` and `__call__`; time, batches, masks and learning rules come from elsewhere.

    * `x`: `(input_size,)`; `y`: `(output_size,)`; the state is a `NamedTuple` of arrays, one row of a batch.
    * `pointwise` is True for a cell without memory: it is mapped over time instead of scanned.
    * `output_field` names the field of the state that y is, where it is one: a wrapper that changes the state shows the
      changed one.
    """

    output_field: ClassVar[str | None] = None

    input_size: eqx.AbstractVar[int]
    hidden_size: eqx.AbstractVar[int]

    @property
    def output_size(self) -> int:
        return self.hidden_size

    @property
    def pointwise(self) -> bool:
        return False

    @property
    def fixed(self) -> tuple[str, ...]:
        """Names of the arrays that are drawn once and not learned."""
        return ()

    @abc.abstractmethod
    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        """The state before the first step, in the dtype of the parameters."""

    @abc.abstractmethod
    def __call__(
        self, x: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        """The state after the step, and what the cell shows."""

    def hidden(self, state: State) -> Float[Array, " hidden"]:
        """What the recurrent products see: an element-wise function of the state.

        Raises `SettingsError` where the cell does not say it.
        """
        del state
        raise SettingsError(f"{type(self).__name__}: does not say what its recurrent products see; it has no `hidden`")

    def step_with_hidden(
        self, x: Array, seen: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        """The step with `seen` in place of `hidden(state)` in the recurrent products: what dropout on them needs.

        Raises `SettingsError` where the cell does not say how.
        """
        del x, seen, state, dt, key
        raise SettingsError(
            f"{type(self).__name__}: its recurrent products see the state only; it has no `step_with_hidden`"
        )

    def internals(self, x: Array, state: State) -> dict[str, Array]:
        """Gates and the like at this step (before the state is replaced), for recording."""
        del x, state
        return {}


class GatedCell(Cell):
    r"""A cell whose step is one product with the state, then element-wise work on the units.

    $$s_t, y_t = \mathrm{update}(W x_t + b,\; R\,\mathrm{hidden}(s_{t-1}) + b_h,\; s_{t-1})$$

    From `update` alone, a built-in cell's or a user's, the library gets the hoisted input product, the hoisted gradient
    of R and the fast loops. `update` may use element-wise operations, indexing of the gate axis, parameters whose last
    axis is the units, and reductions over the units.
    """

    @abc.abstractmethod
    def project(self, x: Float[Array, " input"]) -> Float[Array, "gates hidden"]:
        """`W x + b` of one input vector."""

    @abc.abstractmethod
    def recurrent(self) -> tuple[Array, Array | None] | None:
        """`(R, b_h)`, R `(gates, hidden, hidden)` and b_h `(gates, hidden)` or None; None where there is no product."""

    def hidden(self, state: State) -> Float[Array, " hidden"]:
        return state.h

    @abc.abstractmethod
    def update(
        self, from_input: Array, from_hidden: Array | None, state: State, dt: Any = None
    ) -> tuple[State, Float[Array, " hidden"]]:
        """The new state and output from the two products, unit by unit."""

    def __call__(
        self, x: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        del key
        return self.update(self.project(x), self.from_hidden(state), state, dt)

    def gate_values(self, from_input: Array, from_hidden: Array | None, state: State) -> dict[str, Array]:
        """`internals` from the two products: what `update` computes on its way."""
        del from_input, from_hidden, state
        return {}

    def internals(self, x: Array, state: State) -> dict[str, Array]:
        return self.gate_values(self.project(x), self.from_hidden(state), state)

    def from_hidden(self, state: State) -> Float[Array, "gates hidden"] | None:
        """`R hidden(s) + b_h`, or None where there is no product."""
        recurrent = self.recurrent()
        return None if recurrent is None else _product(recurrent, self.hidden(state))

    def step_with_hidden(
        self, x: Array, seen: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        recurrent = self.recurrent()
        if recurrent is None:
            return Cell.step_with_hidden(self, x, seen, state, dt=dt, key=key)
        return self.update(self.project(x), _product(recurrent, seen), state, dt)


def _product(recurrent: tuple[Array, Array | None], seen: Array) -> Array:
    R, b_h = recurrent
    product = jnp.einsum("ghk,k->gh", R, seen)
    return product if b_h is None else product + b_h
