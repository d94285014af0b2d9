"""What happens when units are silenced, or the state or the input is changed for a while."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ostinato.cells import Cell
from ostinato.cells.wrapper import Wrapper
from ostinato.errors import SettingsError, StateError
from ostinato.layers import unroll
from ostinato.layers.state import fields_of
from ostinato.types import State


class Silenced(Wrapper):
    """A cell some of whose units are held at a value after every step: a lesion, or an optogenetic clamp.

    `units` are places in the field of the state that the cell shows (`output_field`, or the one of that name in
    `field`). The output of silenced units is held too where the output is that field.

    Raises `StateError` for a field that the state has not, `SettingsError` for a unit outside it.

    ```python
    >>> import jax
    >>> from ostinato.cells import GRU
    >>> cell = Silenced(GRU(1, 4, key=jax.random.key(0)), units=(1, 3))
    >>> cell(jnp.ones(1), cell.init_state())[1][jnp.array([1, 3])].tolist()
    [0.0, 0.0]

    ```
    """

    mask: Array
    value: float = eqx.field(static=True)
    field: str = eqx.field(static=True)

    def __init__(self, cell: Cell, units: Sequence[int], *, field: str | None = None, value: float = 0.0):
        names = fields_of(cell.init_state())
        name = field if field is not None else cell.output_field or "h"
        if name not in names:
            raise StateError(
                f"{type(cell).__name__}: its state has {', '.join(names) or 'no named fields'}, not {name}"
            )
        size = names[name].shape[-1]
        if not units or any(not 0 <= unit < size for unit in units):
            raise SettingsError(f"units: expected places from 0 to {size - 1}, got {list(units)}")
        super().__init__(cell)
        self.value, self.field = value, name
        self.mask = jnp.zeros(size, bool).at[jnp.asarray(tuple(units))].set(True)

    def __call__(self, x: Array, state: State, *, dt: Any = None, key: Any = None) -> tuple[State, Array]:
        new, y = self.cell(x, state, dt=dt, key=key)
        shown = getattr(new, self.field)
        held = jnp.where(self.mask, jnp.asarray(self.value, shown.dtype), shown)
        y = held if self.cell.output_field == self.field else y
        return new._replace(**{self.field: held}), y


class Lesions(NamedTuple):
    """A score of the whole network, and of it without each unit or group, in the order given."""

    whole: float
    without: np.ndarray

    @property
    def effect(self) -> np.ndarray:
        """How much the score falls without each."""
        return self.whole - self.without


def lesions(
    cell: Cell,
    xs: Any,
    score: Callable[[Any], float],
    *,
    groups: Sequence[Sequence[int]] | None = None,
    field: str | None = None,
) -> Lesions:
    """Silence each unit, or each group of units, and score what the network then gives on `xs`.

    `score` takes the outputs `(*batch, time, output)`. Raises as `Silenced` does.

    ```python
    >>> import jax
    >>> from ostinato.cells import IndRNN
    >>> cell = IndRNN(1, 3, key=jax.random.key(0))
    >>> xs = jnp.ones((2, 4, 1))
    >>> lesions(cell, xs, lambda ys: float(jnp.abs(ys).sum())).effect.shape
    (3,)

    ```
    """
    chosen = [[unit] for unit in range(cell.hidden_size)] if groups is None else groups
    run = lambda layer: float(score(np.asarray(unroll(layer, xs)[0])))
    # One program serves all groups: the units are data.
    return Lesions(run(cell), np.array([run(Silenced(cell, group, field=field)) for group in chosen]))
