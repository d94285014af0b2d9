"""Which rule holds for which cell, and how: `RULES` against `CELLS`."""

import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ostinato.cells import CELLS
from ostinato.layers import RNN
from ostinato.learning.base import Approximate, Exact, Refusal
from ostinato.learning.make import make_rule
from ostinato.learning.table import RULES

SETTINGS: dict[str, dict[str, Any]] = {"truncated-bptt": {"window": 20}}
"""What rules are asked with that have no defaults."""


def grid(
    rules: tuple[str, ...] | None = None, cells: tuple[str, ...] | None = None
) -> dict[str, dict[str, Exact | Approximate | Refusal]]:
    """What each rule says of a network of each cell with a read-out on top, by rule and cell; nothing is trained.

    ```python
    >>> found = grid(("rtrl", "e-prop"), ("indrnn", "gru-before"))
    >>> found["rtrl"]["indrnn"].why
    'forward derivatives, diagonal: one trace for each weight'
    >>> found["e-prop"]["gru-before"]
    Refusal(why='its step is not one product and an element-wise update (GatedCell)')

    ```
    """
    asked = tuple((name, CELLS[name]) for name in cells or CELLS)
    found = _answers(tuple(rules or RULES), asked)
    return {rule: dict(row) for rule, row in found.items()}


@functools.lru_cache(maxsize=8)
def _answers(rules: tuple[str, ...], cells: tuple[tuple[str, Any], ...]) -> dict[str, dict[str, Any]]:
    """Kept, as asking them all takes seconds: the entries of the table themselves are part of what is asked."""
    models = {name: _network(name) for name, _ in cells}
    made = {name: make_rule(name, SETTINGS.get(name)) for name in rules}
    return {name: {cell: rule.applies(model) for cell, model in models.items()} for name, rule in made.items()}


def _network(name: str) -> RNN:
    """A network whose weights are 0: drawing them would take longer than asking all rules."""
    made = eqx.filter_eval_shape(RNN, CELLS[name].make, 2, 3, output_size=1, key=jax.random.key(0))
    zero = lambda leaf: jnp.asarray(np.zeros(leaf.shape, leaf.dtype))
    return jax.tree.map(lambda leaf: zero(leaf) if isinstance(leaf, jax.ShapeDtypeStruct) else leaf, made)
