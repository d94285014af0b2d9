"""NTM and DNC, one sequence at a time: beside a plain scan written by hand, and beside a peer's loop."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from ostinato.benches.base import BenchSettings, Row
from ostinato.benches.memory_steps import JAX, arrays_of, dnc_step, ntm_step
from ostinato.benches.timer import interleaved
from ostinato.layers import unroll
from ostinato.memory import DNC, NTM

TIME, INPUT = 41, 9


class Work(NamedTuple):
    """What a peer is asked for: the flat `step` of a cell over `xs`, its outputs or the gradients of their squares."""

    cell: NTM | DNC
    step: Callable[..., Any]
    xs: Array
    training: bool


def run(settings: BenchSettings) -> list[Row]:
    """Microseconds a step, forward and with all gradients, of the sizes of the papers; one thread for a peer too."""
    key = jax.random.key(0)
    time = 4 if settings.quick else TIME
    xs = jax.random.normal(key, (time, INPUT))
    ntm = NTM(INPUT, 100, rows=128, width=20, key=key)
    dnc = DNC(INPUT, 64, rows=16, width=16, readers=4, key=key)
    rows = []
    networks = ("NTM, LSTM 100, 128 x 20", ntm, ntm_step), ("DNC, LSTM 64, 16 x 16", dnc, dnc_step)
    for name, cell, step in networks[: 1 if settings.quick else 2]:
        for training in (False,) if settings.quick else (False, True):
            calls = {"ours": ours(cell, xs, training), "lax.scan": by_hand(cell, step, xs, training)}
            calls |= settings.peer_call(Work(cell, step, xs, training))
            times = interleaved(calls, settings.repeat_count(40), warmup=2)
            per_step = {n: t / time for n, t in times.items()}
            settings.note(f"{name}, training {training}: {per_step}")
            case = f"{name}, batch 1, {time} steps, {'training' if training else 'forward'}"
            name_of_peer, beside = settings.beside(per_step)
            detail = {"us_per_step": per_step, "lax.scan over ours": per_step["lax.scan"] / per_step["ours"]}
            peer = (f"{name_of_peer}, loop", beside) if name_of_peer else ("lax.scan, loop", per_step["lax.scan"])
            rows.append(Row(case, per_step["ours"], *peer, None, detail))
    return rows


def ours(cell: Any, xs: Array, training: bool) -> Callable[[], Any]:
    """`unroll`, compiled."""
    forward = lambda cell, xs: unroll(cell, xs)[0]
    return _compiled(forward, cell, xs, training)


def by_hand(cell: Any, step: Callable[..., Any], xs: Array, training: bool) -> Callable[[], Any]:
    """The flat step in `lax.scan`."""
    parts = arrays_of(cell)
    state = parts["state"]

    def forward(weights: Any, xs: Array) -> Array:
        return jax.lax.scan(lambda s, x: step(JAX, weights, x, s), state, xs)[1]

    return _compiled(forward, parts["weights"], xs, training)


def _compiled(forward: Callable[..., Array], weights: Any, xs: Array, training: bool) -> Callable[[], Any]:
    loss = lambda weights, xs: jnp.sum(jnp.square(forward(weights, xs)))
    run = eqx.filter_jit(eqx.filter_grad(loss) if training else forward)
    return lambda: jax.tree.leaves(run(weights, xs))
