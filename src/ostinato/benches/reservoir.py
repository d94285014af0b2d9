"""An echo-state network beside a peer on the same matrices: states of a reservoir, and the ridge read-out."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ostinato.benches.base import BenchSettings, Row
from ostinato.benches.timer import interleaved
from ostinato.cells import EchoState
from ostinato.data import Examples, SequenceBatch
from ostinato.kernels import pack
from ostinato.layers import Readout, Stack, echo_states
from ostinato.learning import Ridge
from ostinato.losses import squared
from ostinato.precision import float64
from ostinato.tasks import narma

UNITS, TIME, CONNECTIVITY, RADIUS, PENALTY = 1000, 5000, 0.1, 0.9, 1e-6


class Work(NamedTuple):
    """What a peer is asked for: the states of a reservoir with the cell's matrices, alone or with the read-out.

    Its function gives the states `(time, units)`, and with `read_out` also weights `(units, 1)` and bias.
    """

    cell: EchoState
    inputs: np.ndarray
    targets: np.ndarray
    read_out: bool


def run(settings: BenchSettings) -> list[Row]:
    """Microseconds in float64 for the states, the read-out from states, and both; differences from the peer beside."""
    with float64():
        return _run(settings)


def _run(settings: BenchSettings) -> list[Row]:
    units, time = (60, 700) if settings.quick else (UNITS, TIME)
    cell = EchoState(
        1, units, spectral_radius=RADIUS, connectivity=CONNECTIVITY, bias_scaling=0.1, dtype=jnp.float64, key=jr.key(0)
    )
    rng = np.random.default_rng(0)
    u = rng.uniform(0, 0.5, (time, 1))
    target = narma(u[:, 0])[:, None]
    xs, wanted = jnp.asarray(u), jnp.asarray(target)
    model = Stack([cell, Readout(units, 1, dtype=jnp.float64, key=jr.key(1))])
    rule, packed = Ridge(PENALTY), pack(cell.R[0])
    before = rule.init(model, jr.key(2))
    arrays, rest = eqx.partition(before, eqx.is_array)
    examples = Examples(SequenceBatch(xs), wanted, jnp.ones(time))

    @jax.jit
    def both(arrays: Any, examples: Examples) -> Any:
        after, _ = rule.step(eqx.combine(arrays, rest), squared, examples, jr.key(0))
        return after.model.layers[1].V, after.model.layers[1].c

    functions: dict[str, Any] = {
        "states": lambda: echo_states(cell, xs, packed=packed)[0],
        "all": lambda: both(arrays, examples),
    }
    detail: dict[str, Any] = {
        "units": units,
        "time": time,
        "connectivity": CONNECTIVITY,
        "spectral_radius": RADIUS,
        "entries": int(packed.values.size),
    }
    peer = settings.peer
    if peer is not None:
        functions |= {f"peer {k}": peer.call(Work(cell, u, target, k == "all")) for k in ("states", "all")}
    times = interleaved(functions, settings.repeat_count(9))
    if peer is not None:
        states, V, c = functions["peer all"]()
        ours, (our_V, our_c) = np.asarray(functions["states"]()), both(arrays, examples)
        close = lambda a, b: float(np.abs(np.asarray(a) - b).max() / np.abs(b).max())
        detail |= {
            "largest_difference_of_states": float(np.abs(ours - states).max()),
            "relative_difference_of_read_out": max(close(our_V, V.T), close(our_c, c)),
        }
    settings.note(f"reservoir: {times}")
    name = peer.name if peer is not None else None
    case = f"reservoir of {units} units, {CONNECTIVITY:.0%} of places, {time} steps, float64"
    return [
        Row(f"{case}: states", times["states"], name, times.get("peer states"), None, detail),
        Row(f"{case}: states and ridge read-out", times["all"], name, times.get("peer all"), None, detail),
    ]
