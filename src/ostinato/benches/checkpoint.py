"""Temporary memory of a training step over a very long sequence, with and without checkpointed segments."""

import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from ostinato.benches.base import BenchSettings, Row
from ostinato.cells import GRU
from ostinato.layers import unroll

HIDDEN, INPUT = 64, 8


def compiled_gradient(cell: Any, xs: Array, every: bool, checkpoint: bool) -> Any:
    """The compiled gradient of a loss on the last state, or on every step."""

    def loss(cell: Any) -> Array:
        ys, final = unroll(cell, xs, checkpoint=checkpoint)
        return jnp.sum(jnp.square(ys if every else final.h))

    return jax.jit(lambda c: eqx.filter_grad(loss)(c)).lower(cell).compile()


def run(settings: BenchSettings) -> list[Row]:
    """For both losses: time, temporary bytes as XLA plans them, and how far the gradients differ."""
    steps = 1_000 if settings.quick else 100_000
    cell = GRU(INPUT, HIDDEN, key=jax.random.key(0))
    xs = jax.random.normal(jax.random.key(1), (steps, INPUT))
    rows = []
    for every in (False, True):
        plain, cut = (compiled_gradient(cell, xs, every, checkpoint) for checkpoint in (False, True))
        plain_us, plain_grads = _timed(lambda plain=plain: plain(cell))
        cut_us, cut_grads = _timed(lambda cut=cut: cut(cell))
        memory = {
            "plain_bytes": int(plain.memory_analysis().temp_size_in_bytes),
            "checkpointed_bytes": int(cut.memory_analysis().temp_size_in_bytes),
        }
        outputs = steps * HIDDEN * xs.dtype.itemsize
        detail = {
            **memory,
            "plain_over_checkpointed": memory["plain_bytes"] / memory["checkpointed_bytes"],
            "outputs_and_cotangents_bytes": 2 * outputs if every else 0,
            "beyond_outputs_and_cotangents_bytes": memory["checkpointed_bytes"] - (2 * outputs if every else 0),
            "largest_relative_difference": _difference(plain_grads, cut_grads),
        }
        where = "every step" if every else "the last state"
        settings.note(f"loss on {where}: {detail}")
        case = f"GRU, {steps} steps, hidden {HIDDEN}, loss on {where}"
        rows.append(Row(case, cut_us, "without checkpoints", plain_us, None, detail))
    return rows


def _timed(function: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = jax.block_until_ready(function())
    return 1e6 * (time.perf_counter() - begin), result


def _difference(a: Any, b: Any) -> float:
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return max(float(jnp.max(jnp.abs(x - y)) / jnp.maximum(jnp.max(jnp.abs(x)), 1e-30)) for x, y in pairs)
