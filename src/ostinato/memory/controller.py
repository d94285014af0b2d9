"""What networks with a memory share: a controller that hears the input and what was read last."""

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells import Cell
from ostinato.cells.init import default_dtype, glorot_limit, uniform
from ostinato.errors import SettingsError
from ostinato.layers import Readout
from ostinato.layers.rnn import cell_constructor
from ostinato.types import State


def feed_forward(input_size: int, hidden_size: int, *, dtype: DTypeLike | None = None, key: PRNGKeyArray) -> Readout:
    r"""A controller without memory of its own: $h = \tanh(V x + c)$.

    ```python
    >>> import jax
    >>> from ostinato.memory import NTM
    >>> NTM(8, 20, controller=feed_forward, key=jax.random.key(0)).controller.pointwise
    True

    ```
    """
    return Readout(input_size, hidden_size, activation="tanh", dtype=dtype, key=key)


class Controlled(Cell):
    r"""A cell that steers something else: its controller hears $[x_t, r_{t-1}]$, and asks for $\xi = V h + c$.

    It shows $y_t = [h_t, r_t]$, so that a `Readout` on top sees both. A subclass says how many numbers are `asked` and
    how many are `read`, and does the rest of the step.
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    read_size: int = eqx.field(static=True)
    controller: Any
    V: Float[Array, "asked hidden"]
    c: Float[Array, " asked"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        asked: int,
        read: int,
        controller: str | Callable[..., Cell],
        dtype: DTypeLike | None,
        key: PRNGKeyArray,
    ):
        k_controller, k_asked = jr.split(key)
        dtype = default_dtype(dtype)
        self.input_size, self.hidden_size, self.read_size = input_size, hidden_size, read
        make = cell_constructor(controller)
        self.controller = make(input_size + read, hidden_size, dtype=dtype, key=k_controller)
        shown = self.controller.output_size
        self.V = uniform(k_asked, (asked, shown), glorot_limit(shown, asked), dtype)
        self.c = jnp.zeros(asked, dtype)

    @property
    def output_size(self) -> int:
        return self.controller.output_size + self.read_size

    def ask(
        self, x: Array, reads: Array, state: State, *, dt: Any, key: PRNGKeyArray | None
    ) -> tuple[State, Array, Array]:
        """The controller's state, what it shows, and what it asks for."""
        state, h = self.controller(jnp.concatenate([x, reads.ravel()]), state, dt=dt, key=key)
        return state, h, self.V @ h + self.c


def with_rows(cell: Any, rows: int) -> Any:
    """The same network with a memory of another length, for one whose weights do not depend on it.

    Raises `SettingsError` for less than 1 row, or a cell that begins with a memory of its own.

    ```python
    >>> import jax
    >>> from ostinato.memory import DNC
    >>> with_rows(DNC(3, 8, rows=16, key=jax.random.key(0)), 32).init_state().M.shape
    (32, 16)

    ```
    """
    positive(rows, "rows")
    if "M" in {field.name for field in dataclasses.fields(cell)}:
        raise SettingsError(f"rows: {type(cell).__name__} begins with a memory of {cell.rows} rows, which are its own")
    leaves, structure = jax.tree.flatten(cell)
    cell = jax.tree.unflatten(structure, leaves)
    # A frozen field is set once, before anyone else sees the new cell.
    object.__setattr__(cell, "rows", rows)
    return cell


def positive(value: int, name: str) -> None:
    """Raise `SettingsError` where a size is below 1."""
    if value < 1:
        raise SettingsError(f"{name}: expected 1 or more, got {value}")


def cut(asked: Array, *sizes: int) -> list[Array]:
    """The vector in pieces of these sizes, which add up to its length."""
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)]
    return jnp.split(asked, ends)
