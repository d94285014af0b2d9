"""The hoisted gradient of the recurrent weights against the plain scan, for a cell that a user writes."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.benches.base import BenchSettings, Row
from ostinato.benches.timer import interleaved
from ostinato.cells import LSTM
from ostinato.kernels import choose
from ostinato.layers import unroll

TIME, INPUT, HIDDEN = 200, 32, 128


class ClippedPeephole(LSTM):
    """What a user might write in an afternoon: peepholes on all gates and a clipped candidate."""

    p: Float[Array, "3 hidden"]

    def __init__(self, input_size: int, hidden_size: int, *, key: PRNGKeyArray):
        super().__init__(input_size, hidden_size, key=key)  # pyright: ignore[reportCallIssue] - Equinox keeps it
        self.p = jnp.full((3, hidden_size), 0.1)

    def update(self, from_input: Array, from_hidden: Array | None, state: Any, dt: Any = None) -> tuple[Any, Array]:
        """Gates that see the cell, candidate cut to -1..1."""
        del dt
        assert from_hidden is not None
        a = from_input + from_hidden
        i = jax.nn.sigmoid(a[0] + self.p[0] * state.c)
        f = jax.nn.sigmoid(a[1] + self.p[1] * state.c)
        c = f * state.c + i * jnp.clip(a[2], -1, 1)
        h = jax.nn.sigmoid(a[3] + self.p[2] * c) * jnp.tanh(c)
        return type(state)(h, c), h


def training_step(cell: Any, xs: Array, kernel: str) -> Callable[[], Any]:
    """One forward and backward pass, compiled; all gradients of the cell."""

    @eqx.filter_jit
    def grads(cell: Any, xs: Array) -> Any:
        return eqx.filter_grad(lambda c: jnp.sum(jnp.square(unroll(c, xs, kernel=kernel)[0])))(cell)

    return lambda: jax.tree.leaves(grads(cell, xs))


def run(settings: BenchSettings) -> list[Row]:
    """Microseconds per time step of a training step, for batches where the hoist wins and where it does not."""
    key = jax.random.key(0)
    time = 20 if settings.quick else TIME
    rows = []
    for batch in (8,) if settings.quick else (1, 4, 8, 16, 32, 64):
        cell = ClippedPeephole(INPUT, HIDDEN, key=key)
        xs = jax.random.normal(key, (batch, time, INPUT))
        kernels = ("reference", "scan", "hoist", "auto")
        times = interleaved({k: training_step(cell, xs, k) for k in kernels}, settings.repeat_count(30), warmup=2)
        per_step = {k: t / time for k, t in times.items()}
        settings.note(f"batch {batch}: {per_step}")
        taken = choose(cell, batch=batch)
        detail = {"us_per_step": per_step, "auto": taken.kernel, "why": taken.why}
        case = f"user-written cell, batch {batch}, hidden {HIDDEN}, {time} steps, training"
        rows.append(Row(case, per_step["hoist"], "plain lax.scan", per_step["reference"], None, detail))
    return rows
