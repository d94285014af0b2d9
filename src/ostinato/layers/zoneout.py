"""Zoneout: units that keep their old value for a step, at random (Krueger et al., arXiv 1606.01305, 2016)."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.cells.wrapper import Wrapper
from ostinato.errors import SettingsError
from ostinato.types import State


class Zoneout(Wrapper):
    r"""Any cell, each entry of whose state stays as it was with probability p.

    $$s_t = m_t \odot s_{t-1} + (1 - m_t) \odot \tilde s_t,\qquad m_t \sim \mathrm{Bernoulli}(p)$$

    with $\tilde s_t$ what the cell makes of $s_{t-1}$. Without a key $m_t$ is its expectation p. Where the output is
    part of the state (`cell.output_field`), it is that of the new state.

    * `rate`: one p for the whole state, or one for each field named: `{"h": 0.05, "c": 0.5}`; others are free.

    The noise is drawn anew at every step, so this is a plain cell. Raises `SettingsError` for a rate outside 0 to 1 or
    a field that the state has not.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> from ostinato.cells import LSTM
    >>> cell = Zoneout(LSTM(3, 5, key=jax.random.key(0)), {"h": 0.05, "c": 0.5})
    >>> state, y = cell(jnp.ones(3), cell.init_state(), key=jax.random.key(1))
    >>> bool((y == state.h).all())
    True

    ```
    """

    rates: tuple[tuple[str, float], ...] | float = eqx.field(static=True)

    def __init__(self, cell: Cell, rate: float | Mapping[str, float]):
        super().__init__(cell)
        self.rates = tuple(rate.items()) if isinstance(rate, Mapping) else float(rate)
        fields = getattr(jax.eval_shape(cell.init_state), "_fields", ())
        for name, value in self.rates if isinstance(self.rates, tuple) else (("rate", self.rates),):
            if not 0 <= value <= 1:
                raise SettingsError(f"rate: expected 0 to 1, got {value} for {name}")
            if isinstance(self.rates, tuple) and name not in fields:
                raise SettingsError(f"rate: expected fields of {', '.join(fields) or 'no name'}, got {name!r}")

    def __call__(
        self, x: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        inner, own = (None, None) if key is None else jr.split(key)
        new, y = self.cell(x, state, dt=dt, key=inner)
        return self._zoned(state, new, y, own)

    def step_with_hidden(
        self, x: Array, seen: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        inner, own = (None, None) if key is None else jr.split(key)
        new, y = self.cell.step_with_hidden(x, seen, state, dt=dt, key=inner)
        return self._zoned(state, new, y, own)

    def _zoned(self, old: State, new: State, y: Array, key: PRNGKeyArray | None) -> tuple[State, Array]:
        if isinstance(self.rates, tuple):
            parts = {
                name: _mix(rate, getattr(old, name), getattr(new, name), None if key is None else jr.fold_in(key, i))
                for i, (name, rate) in enumerate(self.rates)
            }
            state = new._replace(**parts)
        else:
            state = _mix(self.rates, old, new, key)
        return state, y if self.output_field is None else attrgetter(self.output_field)(state)


def _mix(rate: float, old: State, new: State, key: PRNGKeyArray | None) -> State:
    """Old entries with probability `rate`, or the mean of that."""
    leaves, structure = jax.tree.flatten(new)
    pairs = zip(jax.tree.leaves(old), leaves, strict=True)
    if key is None:
        return structure.unflatten([rate * a + (1 - rate) * b for a, b in pairs])
    mixed = [jnp.where(jr.bernoulli(jr.fold_in(key, i), rate, b.shape), a, b) for i, (a, b) in enumerate(pairs)]
    return structure.unflatten(mixed)
