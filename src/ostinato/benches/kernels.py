"""The compiled loop beside the plain scan and PyTorch, forward and training, with the floor of this machine."""

import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ostinato.benches.base import Bench, BenchSettings, Row
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

PEERS = {"lstm": "LSTM", "gru": "GRU", "elman": "RNN"}
Case = tuple[int, int, int, int]


def run(settings: BenchSettings) -> list[Row]:
    """All rows; raises `SettingsError` where the compiled loop is not there."""
    native, why = library()
    if native is None:
        raise SettingsError(f"kernels: {why}")
    torch = _torch(native.threads())
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
    for name in PEERS:
        for case in grid:
            rows += _grid_rows(settings, torch, name, case, floor)
    for case in ((2, 10, 3, 16),) if settings.quick else ((32, 200, 32, 128), (1, 200, 32, 64), (32, 200, 32, 256)):
        rows += _own_cell(settings, torch, case)
    rows += _lengths(settings, torch, (4, 10, 3, 16) if settings.quick else (32, 200, 32, 128))
    rows += _indrnn(settings, torch, (1, 50, 3, 16) if settings.quick else (1, 10000, 16, 256), floor)
    return [*rows, _overhead(settings)]


def machine_floor(native: Any, seconds: float) -> dict[str, float]:
    """Multiply-adds of all threads at once, and what they read from buffers that lie in each level of the caches."""
    sizes = {"L1": 1 << 14, "L2": 1 << 19, "beyond": 1 << 23}
    rates = {f"{name}_gb_s": native.reading(size, seconds) / 1e9 for name, size in sizes.items()}
    return {"peak_gflops": native.peak(seconds) / 1e9, **rates}


def allocator() -> str:
    """The setting of the C library's allocator: large arrays that are mapped anew at each call cost page faults."""
    return os.environ.get("GLIBC_TUNABLES", "default")


def _grid_rows(settings: BenchSettings, torch: Any, name: str, case: Case, floor: dict[str, float]) -> list[Row]:
    batch, time, inputs, hidden = case
    cell = CELLS[name].make(inputs, hidden, key=jr.key(0))
    xs = jr.normal(jr.key(1), (batch, time, inputs))
    gates = {"lstm": 4, "gru": 3, "elman": 1}[name]
    work = 2.0 * batch * time * gates * hidden * (hidden + inputs)
    threads = library()[0].threads()
    rows = []
    for training in (False, True):
        calls = {k: _ours(cell, xs, k, training) for k in ("native", "scan")}
        if torch is not None:
            calls["torch"] = _peer(torch, PEERS[name], case, training)
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
        rows.append(_row(label, times, 1e6 * least, detail))
    return rows


def _row(label: str, times: dict[str, float], floor: float | None, detail: dict[str, Any]) -> Row:
    peer = "torch" if "torch" in times else None
    return Row(label, times["native"], peer, times.get("torch"), floor, detail)


def _repeats(case: Case, steps: int) -> int:
    """So that a case takes a few seconds."""
    return max(7, min(60, int(4e9 / (case[0] * steps * case[3] * (case[3] + 64)))))


def _ours(cell: Any, xs: Any, kernel: str, training: bool, **fields: Any) -> Callable[[], Any]:
    """Forward, or the gradients of all parameters and of the input, as PyTorch is asked for them."""

    def forward(cell: Any, xs: Any) -> Any:
        return unroll(cell, xs, kernel=kernel, **fields)[0]

    step = jax.jit(jax.grad(lambda c, x: jnp.sum(forward(c, x)), argnums=(0, 1)) if training else forward)
    return lambda: step(cell, xs)


def _torch(threads: int) -> Any:
    try:
        import torch  # noqa: TID251 - the peer, where it is installed  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    torch.set_num_threads(threads)
    return torch


def _peer(torch: Any, name: str, case: Case, training: bool, lengths: Any = None) -> Callable[[], Any]:
    batch, time, inputs, hidden = case
    layer = getattr(torch.nn, name)(inputs, hidden, batch_first=True)
    xs = torch.randn(batch, time, inputs, requires_grad=training)

    def run() -> Any:
        given = xs
        if lengths is not None:
            given = torch.nn.utils.rnn.pack_padded_sequence(xs, lengths, batch_first=True, enforce_sorted=False)
        ys = layer(given)[0]
        return ys if lengths is None else ys.data

    return _torch_step(torch, run, [*layer.parameters(), xs], training)


def _torch_step(torch: Any, run: Callable[[], Any], leaves: list[Any], training: bool) -> Callable[[], Any]:
    def forward() -> float:
        with torch.no_grad():
            return float(run().flatten()[0])

    def train() -> float:
        for leaf in leaves:
            leaf.grad = None
        run().sum().backward()
        return float(leaves[0].grad.flatten()[0])

    return train if training else forward


def _own_cell(settings: BenchSettings, torch: Any, case: Case) -> list[Row]:
    """A cell that a user writes, training: beside the built-in LSTM, the plain scan, and a loop in PyTorch."""
    batch, time, inputs, hidden = case
    cell = ClippedPeephole(inputs, hidden, key=jr.key(0))
    xs = jr.normal(jr.key(1), (batch, time, inputs))
    calls = {k: _ours(cell, xs, k, True) for k in ("native", "scan")}
    calls["built-in LSTM"] = _ours(CELLS["lstm"].make(inputs, hidden, key=jr.key(0)), xs, "native", True)
    if torch is not None:
        calls["torch"] = _torch_peephole(torch, case)
    times = interleaved(calls, settings.repeat_count(9), warmup=1)
    detail = {
        "us_per_step": {k: t / time for k, t in times.items()},
        "scan_ratio": times["scan"] / times["native"],
        "over_built_in": times["native"] / times["built-in LSTM"],
    }
    settings.note(f"a user's cell {case}: {detail}")
    return [_row(f"a user's peephole LSTM, {case}, training", times, None, detail)]


def _torch_peephole(torch: Any, case: Case) -> Callable[[], Any]:
    batch, time, inputs, hidden = case
    W, R = (torch.randn(4 * hidden, n).mul_(0.05).requires_grad_() for n in (inputs, hidden))
    b, p = torch.zeros(4 * hidden, requires_grad=True), torch.full((3, hidden), 0.1, requires_grad=True)
    xs = torch.randn(batch, time, inputs, requires_grad=True)

    def run() -> Any:
        h = c = torch.zeros(batch, hidden)
        projected, ys = xs @ W.T + b, []
        for t in range(time):
            a = (projected[:, t] + h @ R.T).chunk(4, 1)
            i, f = torch.sigmoid(a[0] + p[0] * c), torch.sigmoid(a[1] + p[1] * c)
            c = f * c + i * a[2].clamp(-1, 1)
            h = torch.sigmoid(a[3] + p[2] * c) * torch.tanh(c)
            ys.append(h)
        return torch.stack(ys, 1)

    return _torch_step(torch, run, [W, R, b, p, xs], True)


def _lengths(settings: BenchSettings, torch: Any, case: Case) -> list[Row]:
    """Rows of different lengths, training, beside packed sequences."""
    batch, time, inputs, hidden = case
    lengths = np.random.default_rng(0).integers(1, time + 1, batch)
    mask = jnp.arange(time)[None, :] < jnp.asarray(lengths)[:, None]
    xs = jr.normal(jr.key(1), (batch, time, inputs))
    rows = []
    for name in ("lstm", "gru"):
        cell = CELLS[name].make(inputs, hidden, key=jr.key(0))
        calls = {k: _ours(cell, xs, k, True, mask=mask) for k in ("native", "scan")}
        calls["unmasked"] = _ours(cell, xs, "native", True)
        if torch is not None:
            calls["torch"] = _peer(torch, PEERS[name], case, True, torch.as_tensor(lengths))
        times = interleaved(calls, settings.repeat_count(15), warmup=1)
        detail = {"us": times, "part_of_steps": float(lengths.sum() / batch / time)}
        settings.note(f"lengths, {name}: {detail}")
        rows.append(_row(f"{name}, lengths uniform in 1 to {time}, {case}, training", times, None, detail))
    return rows


def _indrnn(settings: BenchSettings, torch: Any, case: Case, floor: dict[str, float]) -> list[Row]:
    batch, time, inputs, hidden = case
    cell = CELLS["indrnn"].make(inputs, hidden, key=jr.key(0))
    xs = jr.normal(jr.key(1), (batch, time, inputs))
    rows = []
    for training in (False, True):
        calls = {k: _ours(cell, xs, k, training) for k in ("native", "scan")}
        if torch is not None:
            calls["torch"] = _torch_indrnn(torch, case, training)
        times = interleaved(calls, settings.repeat_count(5), warmup=1)
        # Read and written once each: what comes from the input, and the output.
        least = 1e6 * 4 * batch * time * (inputs + 3 * hidden) / (floor["beyond_gb_s"] * 1e9)
        detail = {"us_per_step": {k: t / time for k, t in times.items()}, "scan_ratio": times["scan"] / times["native"]}
        settings.note(f"indrnn {case}: {detail}")
        label = f"indrnn, {case}, {'training' if training else 'forward'}"
        rows.append(_row(label, times, None if training else least, detail))
    return rows


def _torch_indrnn(torch: Any, case: Case, training: bool) -> Callable[[], Any]:
    batch, time, inputs, hidden = case
    W, u = torch.randn(hidden, inputs).mul_(0.05).requires_grad_(), torch.rand(hidden, requires_grad=True)
    xs = torch.randn(batch, time, inputs, requires_grad=training)

    def run() -> Any:
        h, projected, ys = torch.zeros(batch, hidden), xs @ W.T, []
        for t in range(time):
            h = torch.relu(projected[:, t] + u * h)
            ys.append(h)
        return torch.stack(ys, 1)

    return _torch_step(torch, run, [W, u, xs], training)


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


BENCH = Bench("the compiled loop beside the plain scan and PyTorch, forward and training", run)
