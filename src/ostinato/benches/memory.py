"""NTM and DNC, one sequence at a time: beside a plain scan written by hand, and beside a PyTorch loop."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ostinato.benches.base import Bench, BenchSettings, Row
from ostinato.benches.memory_peers import JAX, arrays_of, dnc_step, ntm_step, torch_library
from ostinato.benches.timer import interleaved
from ostinato.layers import unroll
from ostinato.memory import DNC, NTM

TIME, INPUT = 41, 9


def run(settings: BenchSettings) -> list[Row]:
    """Microseconds a step, forward and with all gradients, of the sizes of the papers; one thread for PyTorch too."""
    torch = _torch()
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
            if torch is not None:
                calls["torch"] = torch_loop(torch, cell, step, xs, training)
            times = interleaved(calls, settings.repeat_count(40), warmup=2)
            per_step = {n: t / time for n, t in times.items()}
            settings.note(f"{name}, training {training}: {per_step}")
            case = f"{name}, batch 1, {time} steps, {'training' if training else 'forward'}"
            peer = "torch" if torch is not None else "lax.scan"
            ratio = per_step["lax.scan"] / per_step["ours"]
            detail = {"us_per_step": per_step, "lax.scan over ours": ratio}
            rows.append(Row(case, per_step["ours"], f"{peer}, loop", per_step[peer], None, detail))
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


def torch_loop(torch: Any, cell: Any, step: Callable[..., Any], xs: Array, training: bool) -> Callable[[], Any]:
    """The flat step in a Python loop, as it would be written there."""
    lib, parts = torch_library(torch), arrays_of(cell)
    there = lambda a: torch.from_numpy(np.array(a))
    weights = {name: there(a).requires_grad_(training) for name, a in parts["weights"].items()}
    start, inputs = tuple(there(a) for a in parts["state"]), there(xs)

    def forward() -> Any:
        state, ys = start, []
        for x in inputs:
            state, y = step(lib, weights, x, state)
            ys.append(y)
        return torch.stack(ys)

    def train() -> Any:
        return [g.numpy() for g in torch.autograd.grad((forward() ** 2).sum(), list(weights.values()))]

    def infer() -> Any:
        with torch.no_grad():
            return forward().numpy()

    return train if training else infer


def _compiled(forward: Callable[..., Array], weights: Any, xs: Array, training: bool) -> Callable[[], Any]:
    loss = lambda weights, xs: jnp.sum(jnp.square(forward(weights, xs)))
    run = eqx.filter_jit(eqx.filter_grad(loss) if training else forward)
    return lambda: jax.tree.leaves(run(weights, xs))


def _torch() -> Any:
    try:
        import torch  # noqa: TID251 - the peer, where it is installed  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    torch.set_num_threads(1)
    return torch


BENCH = Bench(
    "NTM and DNC at batch 1, beside a plain scan and a PyTorch loop of the same equations, per time step", run
)
