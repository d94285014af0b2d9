"""An echo-state network beside ReservoirPy on the same matrices: states of a reservoir, and the ridge read-out.

The peer is used where it is installed (`pip install reservoirpy`); it is no dependency.
"""

from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ostinato.benches.base import Bench, BenchSettings, Row
from ostinato.benches.timer import interleaved
from ostinato.cells import EchoState
from ostinato.data import Examples, SequenceBatch
from ostinato.kernels import pack
from ostinato.layers import Readout, Stack, echo_states
from ostinato.learning import Ridge
from ostinato.losses import squared
from ostinato.precision import float64

UNITS, TIME, CONNECTIVITY, RADIUS, PENALTY = 1000, 5000, 0.1, 0.9, 1e-6


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

    functions = {
        "states": lambda: echo_states(cell, xs, packed=packed)[0],
        "all": lambda: both(arrays, examples),
    }
    peer = _peer(cell, u, target)
    found: dict[str, Any] = {}
    if peer is not None:
        functions |= {f"peer {name}": function for name, function in peer.items()}
    times = interleaved(functions, settings.repeat_count(9))
    detail: dict[str, Any] = {
        "units": units,
        "time": time,
        "connectivity": CONNECTIVITY,
        "spectral_radius": RADIUS,
        "entries": int(packed.values.size),
    }
    if peer is not None:
        states, V, c = peer["all"]()
        ours, (our_V, our_c) = np.asarray(functions["states"]()), both(arrays, examples)
        close = lambda a, b: float(np.abs(np.asarray(a) - b).max() / np.abs(b).max())
        found = {
            "largest_difference_of_states": float(np.abs(ours - states).max()),
            "relative_difference_of_read_out": max(close(our_V, V.T), close(our_c, c)),
        }
    settings.note(f"reservoir: {times} {found}")
    name = "ReservoirPy, numpy backend" if peer is not None else None
    case = f"reservoir of {units} units, {CONNECTIVITY:.0%} of places, {time} steps, float64"
    return [
        Row(f"{case}: states", times["states"], name, times.get("peer states"), None, detail | found),
        Row(f"{case}: states and ridge read-out", times["all"], name, times.get("peer all"), None, detail | found),
    ]


def narma(u: np.ndarray) -> np.ndarray:
    """The NARMA task of order 10 (Atiya and Parlos 2000), for inputs in 0..0.5."""
    y = np.zeros_like(u)
    for t in range(9, len(u) - 1):
        y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * y[t - 9 : t + 1].sum() + 1.5 * u[t - 9] * u[t] + 0.1
    return y


def _peer(cell: EchoState, u: np.ndarray, target: np.ndarray) -> dict[str, Any] | None:
    """ReservoirPy with the cell's matrices, the recurrent one sparse as its own are; None where it is not installed."""
    try:
        from reservoirpy.nodes import Reservoir  # pyright: ignore[reportMissingImports]
        from reservoirpy.nodes import Ridge as PeerRidge  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    from scipy.sparse import csr_array

    reservoir, ridge = cast(Any, Reservoir), cast(Any, PeerRidge)  # its annotations promise less than it gives

    def states() -> np.ndarray:
        node = reservoir(
            W=csr_array(np.asarray(cell.R[0])), Win=np.asarray(cell.W[0]), bias=np.asarray(cell.b[0]), lr=cell.leak
        )
        return node.run(u)

    def everything() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        seen = states()
        readout = ridge(ridge=PENALTY).fit(seen, target)
        return seen, readout.Wout, readout.bias

    return {"states": states, "all": everything}


BENCH = Bench("states and ridge read-out of an echo-state network beside ReservoirPy, the same matrices", run)
