"""Constraints on parameters, kept by the optimiser: cells with a method `constrained` are put back after every step."""

from typing import Any

import jax
import optax

from ostinato.cells.base import Cell
from ostinato.errors import SettingsError
from ostinato.types import Params


def constrain(model: Params) -> Params:
    """The model with every cell in it that has a constraint inside its bounds."""

    def bounded(node: Any) -> bool:
        return isinstance(node, Cell) and hasattr(node, "constrained")

    return jax.tree.map(lambda node: node.constrained() if bounded(node) else node, model, is_leaf=bounded)


def constrained_updates() -> optax.GradientTransformation:
    """The last link of a chain: changes the updates so that the model fulfils its constraints after they are applied.

    ```python
    >>> import equinox as eqx, jax, jax.numpy as jnp, optax
    >>> from ostinato.cells import IndRNN
    >>> cell = IndRNN(3, 5, key=jax.random.key(0))
    >>> optimiser = optax.chain(optax.sgd(1.0), constrained_updates())
    >>> downhill = jax.tree.map(lambda leaf: -9 * jnp.ones_like(leaf), cell)
    >>> updates, _ = optimiser.update(downhill, optimiser.init(cell), cell)
    >>> eqx.apply_updates(cell, updates).u.max().item()
    1.0

    ```
    """

    def init(params: Params) -> optax.EmptyState:
        del params
        return optax.EmptyState()

    def update(updates: Params, state: Any, params: Params | None = None) -> tuple[Params, Any]:
        if params is None:
            raise SettingsError("constrained_updates: expected update(updates, state, params), got no params")
        inside = constrain(optax.apply_updates(params, updates))
        return jax.tree.map(lambda new, old: new - old, inside, params), state

    return optax.GradientTransformation(init, update)
