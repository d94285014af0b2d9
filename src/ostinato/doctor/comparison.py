"""Each fast path beside the reference: outputs, last states and all gradients of one small run."""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr

from ostinato.cells import CELLS
from ostinato.kernels import KERNELS, choose
from ostinato.layers import unroll

FORWARD, GRADIENTS = 1e-6, 1e-5
"""Largest difference that counts as equal, relative to the largest entry of a tensor, in float32."""

EXAMINED = ("elman", "gru", "lstm", "indrnn")
"""Cells that stand for the others: one gate, several, a second state, no recurrent product."""

BATCHES = (1, 8, 16, 32, 128)
_INPUT, _HIDDEN, _TIME, _BATCH = 5, 17, 20, 3


@dataclass(frozen=True)
class Comparison:
    """A fast path against the reference: the largest relative differences, and whether they are small enough."""

    cell: str
    kernel: str
    forward: float
    gradients: float
    equal: bool


@dataclass(frozen=True)
class Chosen:
    """Which path `kernel="auto"` takes for a batch of so many rows, and why."""

    cell: str
    batch: int
    kernel: str
    why: str


def compare(name: str) -> list[Comparison]:
    """Every fast path that holds for a cell against the reference, on rows of different lengths with a reset.

    ```python
    >>> [(c.kernel, c.equal) for c in compare("gru")][:2]
    [('scan', True), ('hoist', True)]

    ```
    """
    keys = jr.split(jr.key(0), 3)
    cell = CELLS[name].make(_INPUT, _HIDDEN, key=keys[0])
    xs = jr.normal(keys[1], (_BATCH, _TIME, _INPUT))
    weight = jr.normal(keys[2], (_BATCH, _TIME, cell.output_size))
    mask = jnp.arange(_TIME)[None, :] < jnp.array([_TIME, 0, _TIME // 2])[:, None]
    reset = jnp.zeros((_BATCH, _TIME), bool).at[0, _TIME // 3].set(True)

    @eqx.filter_jit
    def run(kernel: str) -> tuple[Any, Any]:
        def loss(given: Any) -> tuple[Any, Any]:
            ys, final = unroll(given[0], given[1], mask=mask, reset=reset, kernel=kernel)
            return jnp.sum(weight * ys), (ys, final)

        (_, out), grads = eqx.filter_value_and_grad(loss, has_aux=True)((cell, xs))
        return out, grads

    wanted = run("reference")
    found = []
    for kernel, row in KERNELS.items():
        if kernel in ("reference", "deer") or row.refuses(cell, False, False) is not None:
            continue
        forward, gradients = (difference(w, g) for w, g in zip(wanted, run(kernel), strict=True))
        found.append(Comparison(name, kernel, forward, gradients, forward <= FORWARD and gradients <= GRADIENTS))
    return found


def paths(name: str) -> list[Chosen]:
    """What `auto` takes for batches of several sizes."""
    cell = CELLS[name].make(_INPUT, _HIDDEN, key=jr.key(0))
    return [Chosen(name, batch, *choose(cell, batch=batch)) for batch in BATCHES]


def difference(wanted: Any, got: Any) -> float:
    """The largest difference between two trees of arrays, relative to the largest entry of each array.

    ```python
    >>> round(difference({"a": jnp.array([1.0, 4.0])}, {"a": jnp.array([1.0, 3.0])}), 6)
    0.25

    ```
    """
    worst = 0.0
    for a, b in zip(_arrays(wanted), _arrays(got), strict=True):
        if a.size:
            # A NaN has to come out as a difference, which `max` of Python would hide.
            part = jnp.max(jnp.abs(a - b)) / jnp.maximum(jnp.max(jnp.abs(a)), jnp.finfo(a.dtype).tiny)
            worst = float("inf") if not bool(jnp.isfinite(part)) else max(worst, float(part))
    return worst


def _arrays(tree: Any) -> list[Any]:
    return jax.tree.leaves(eqx.filter(tree, eqx.is_inexact_array))
