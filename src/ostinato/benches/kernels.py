"""The compiled loop beside the plain scan and a peer, forward and training, with the floor of this machine."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ostinato.benches.base import BenchSettings, Row
from ostinato.benches.hoist import ClippedPeephole
from ostinato.benches.timer import interleaved
from ostinato.cells import CELLS
from ostinato.errors import SettingsError
from ostinato.kernels.native import library
from ostinato.layers import unroll

GRID = (
    (1, 1000, 1, 32),
    (1, 200, 32, 64),
    (1, 200, 32, 128),
    (1, 200, 64, 512),
    (8, 200, 32, 128),
    (32, 200, 32, 128),
    (32, 200, 64, 256),
    (64, 100, 128, 512),
)
"""(batch, time, input, hidden)."""

GATES = {"lstm": 4, "gru": 3, "elman": 1}
Case = tuple[int, int, int, int]


class Work(NamedTuple):
    """What a peer is asked for: a cell by name ("peephole" is `hoist.ClippedPeephole`) on a case of the grid.

    Forward, or with the gradients of all parameters and of the input; with `lengths`, on rows that end early.
    """

    cell: str
    case: Case
    training: bool
    lengths: np.ndarray | None = None


def run(settings: BenchSettings) -> list[Row]:
    """All rows; raises `SettingsError` where the compiled loop is not there."""
    native, why = library()
    if native is None:
        raise SettingsError(f"kernels: {why}")
    floor = machine_floor(native, 0.02 if settings.quick else 0.3)
    settings.note(f"this machine: {floor}")
    rows = [
        Row(
            "machine",
            0.0,
            None,
            None,
            None,
            {**floor, "build": native.build(), "threads": native.threads(), "allocator": allocator()},
        )
    ]
    grid = ((2, 10, 3, 16),) if settings.quick else GRID
    for name in GATES:
        for case in grid:
            rows += _grid_rows(settings, name, case, floor)
    for case in ((2, 10, 3, 16),) if settings.quick else ((32, 200, 32, 128), (1, 200, 32, 64), (32, 200, 32, 256)):
        rows += _own_cell(settings, case)
    rows += _lengths(settings, (4, 10, 3, 16) if settings.quick else (32, 200, 32, 128))
    rows += _indrnn(settings, (1, 50, 3, 16) if settings.quick else (1, 10000, 16, 256), floor)
    return [*rows, _overhead(settings)]


def machine_floor(native: Any, seconds: float) -> dict[str, float]:
    """Multiply-adds of all threads at once, and what they read from buffers that lie in each level of the caches."""
    sizes = {"L1": 1 << 14, "L2": 1 << 19, "beyond": 1 << 23}
    rates = {f"{name}_gb_s": native.reading(size, seconds) / 1e9 for name, size in sizes.items()}
    return {"peak_gflops": native.peak(seconds) / 1e9, **rates}


def allocator() -> str:
    """The setting of the C library's allocator: large arrays that are mapped anew at each call cost page faults."""
    return os.environ.get("GLIBC_TUNABLES", "default")


def _grid_rows(settings: BenchSettings, name: str, case: Case, floor: dict[str, float]) -> list[Row]:
    batch, time, inputs, hidden = case
    cell = CELLS[name].make(inputs, hidden, key=jr.key(0))
    xs = jr.normal(jr.key(1), (batch, time, inputs))
    gates = GATES[name]
    work = 2.0 * batch * time * gates * hidden * (hidden + inputs)
    threads = library()[0].threads()
    rows = []
    for training in (False, True):
        calls = {k: _ours(cell, xs, k, training) for k in ("native", "scan")}
        calls |= settings.peer_call(Work(name, case, training))
        times = interleaved(calls, settings.repeat_count(_repeats(case, time)), warmup=2)
        size = 4 * gates * hidden * (hidden + inputs)
        level = "L1" if size <= 1 << 15 else "L2" if size <= threads << 20 else "beyond"
        least = max((3 if training else 1) * work / (floor["peak_gflops"] * 1e9),
                    (2 if training else 1) * time * size / (floor[f"{level}_gb_s"] * 1e9))  # fmt: skip
        detail = {
            "us_per_step": {k: t / time for k, t in times.items()},
            "scan_ratio": times["scan"] / times["native"],
            "gflops": (3 if training else 1) * work / times["native"] / 1e3,
            "weights_bytes": size,
            "weights_level": level,
        }
        label = f"{name}, {case}, {'training' if training else 'forward'}"
        settings.note(f"{label}: {detail}")
        rows.append(_row(settings, label, times, 1e6 * least, detail))
    return rows


def _row(
    settings: BenchSettings, label: str, times: dict[str, float], floor: float | None, detail: dict[str, Any]
) -> Row:
    return Row(label, times["native"], *settings.beside(times), floor, detail)


def _repeats(case: Case, steps: int) -> int:
    """So that a case takes a few seconds."""
    return max(7, min(60, int(4e9 / (case[0] * steps * case[3] * (case[3] + 64)))))


def _ours(cell: Any, xs: Any, kernel: str, training: bool, **fields: Any) -> Callable[[], Any]:
    """Forward, or the gradients of all parameters and of the input, as a peer is asked for them."""

    def forward(cell: Any, xs: Any) -> Any:
        return unroll(cell, xs, kernel=kernel, **fields)[0]

    step = jax.jit(jax.grad(lambda c, x: jnp.sum(forward(c, x)), argnums=(0, 1)) if training else forward)
    return lambda: step(cell, xs)


def _own_cell(settings: BenchSettings, case: Case) -> list[Row]:
    """A cell that a user writes, training: beside the built-in LSTM, the plain scan, and a peer's loop."""
    batch, time, inputs, hidden = case
    cell = ClippedPeephole(inputs, hidden, key=jr.key(0))
    xs = jr.normal(jr.key(1), (batch, time, inputs))
    calls = {k: _ours(cell, xs, k, True) for k in ("native", "scan")}
    calls["built-in LSTM"] = _ours(CELLS["lstm"].make(inputs, hidden, key=jr.key(0)), xs, "native", True)
    calls |= settings.peer_call(Work("peephole", case, True))
    times = interleaved(calls, settings.repeat_count(9), warmup=1)
    detail = {
        "us_per_step": {k: t / time for k, t in times.items()},
        "scan_ratio": times["scan"] / times["native"],
        "over_built_in": times["native"] / times["built-in LSTM"],
    }
    settings.note(f"a user's cell {case}: {detail}")
    return [_row(settings, f"a user's peephole LSTM, {case}, training", times, None, detail)]


def _lengths(settings: BenchSettings, case: Case) -> list[Row]:
    """Rows of different lengths, training."""
    batch, time, inputs, hidden = case
    lengths = np.random.default_rng(0).integers(1, time + 1, batch)
    mask = jnp.arange(time)[None, :] < jnp.asarray(lengths)[:, None]
    xs = jr.normal(jr.key(1), (batch, time, inputs))
    rows = []
    for name in ("lstm", "gru"):
        cell = CELLS[name].make(inputs, hidden, key=jr.key(0))
        calls = {k: _ours(cell, xs, k, True, mask=mask) for k in ("native", "scan")}
        calls["unmasked"] = _ours(cell, xs, "native", True)
        calls |= settings.peer_call(Work(name, case, True, lengths))
        times = interleaved(calls, settings.repeat_count(15), warmup=1)
        detail = {"us": times, "part_of_steps": float(lengths.sum() / batch / time)}
        settings.note(f"lengths, {name}: {detail}")
        rows.append(_row(settings, f"{name}, lengths uniform in 1 to {time}, {case}, training", times, None, detail))
    return rows


def _indrnn(settings: BenchSettings, case: Case, floor: dict[str, float]) -> list[Row]:
    batch, time, inputs, hidden = case
    cell = CELLS["indrnn"].make(inputs, hidden, key=jr.key(0))
    xs = jr.normal(jr.key(1), (batch, time, inputs))
    rows = []
    for training in (False, True):
        calls = {k: _ours(cell, xs, k, training) for k in ("native", "scan")}
        calls |= settings.peer_call(Work("indrnn", case, training))
        times = interleaved(calls, settings.repeat_count(5), warmup=1)
        # Read and written once each: what comes from the input, and the output.
        least = 1e6 * 4 * batch * time * (inputs + 3 * hidden) / (floor["beyond_gb_s"] * 1e9)
        detail = {"us_per_step": {k: t / time for k, t in times.items()}, "scan_ratio": times["scan"] / times["native"]}
        settings.note(f"indrnn {case}: {detail}")
        label = f"indrnn, {case}, {'training' if training else 'forward'}"
        rows.append(_row(settings, label, times, None if training else least, detail))
    return rows


def _overhead(settings: BenchSettings) -> Row:
    """One step of a small LSTM under `jax.jit` on flat arrays: what a call costs."""
    cell = CELLS["lstm"].make(8, 16, key=jr.key(0))
    leaves, structure = jax.tree.flatten(cell)
    step = jax.jit(lambda leaves, xs: unroll(jax.tree.unflatten(structure, leaves), xs, kernel="native")[0])
    xs = jnp.ones((1, 1, 8))
    plain = jax.jit(lambda leaves, xs: xs + leaves[0][0, 0, 0])
    times = interleaved(
        {"native": lambda: step(leaves, xs), "nothing": lambda: plain(leaves, xs)},
        settings.repeat_count(2000),
        warmup=20,
        rest=0.0,
    )
    settings.note(f"call: {times}")
    return Row("one call, lstm, (1, 1, 8, 16), forward", times["native"], "an addition under jit", times["nothing"])
