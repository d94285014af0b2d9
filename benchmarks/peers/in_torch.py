"""PyTorch on the work of the benches `kernels`, `memory` and `jobs`."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ostinato.benches import Peer, jobs, kernels, memory
from ostinato.benches.memory_steps import Library, arrays_of
from ostinato.kernels.native import library as compiled

LAYERS = {"lstm": "LSTM", "gru": "GRU", "elman": "RNN"}


def layers() -> Peer:
    """Its layers, and loops over a user's cell, with as many threads as the compiled loop."""
    native, _ = compiled()
    torch = _torch(native.threads() if native is not None else 1)
    loops = {"peephole": _peephole, "indrnn": _indrnn}

    def call(work: kernels.Work) -> Callable[[], Any]:
        return _layer(torch, work) if work.cell in LAYERS else loops[work.cell](torch, work)

    return Peer("torch", call)


def memories() -> Peer:
    """A loop over the flat step in Python, as it would be written there, on one thread."""
    torch = _torch(1)
    return Peer("torch", lambda work: _memory_loop(torch, work))


def trainings() -> Peer:
    """Whole trainings as loops of their own, with whichever number of threads is faster by the clock."""
    import jobs_in_torch

    threads: dict[str, int] = {}

    def call(work: jobs.Work) -> Callable[[], Any]:
        if work.job not in threads:
            epochs = max(work.epochs // 10, 1)
            one = lambda count: lambda: jobs_in_torch.run(work.job, work.arrays, epochs, count)
            one(1)()
            taken = {count: jobs.processor_seconds(one(count))[1] for count in (1, os.cpu_count() or 1)}
            threads[work.job] = min(taken, key=lambda count: taken[count])
        count = threads[work.job]
        if not work.whole:
            return lambda: jobs_in_torch.run(work.job, work.arrays, work.epochs, count)
        program = [jobs_in_torch.__file__, work.job, work.arrays, work.epochs, count]
        return lambda: subprocess.run([sys.executable, *map(str, program)], check=True)

    return Peer("torch", call)


def _torch(threads: int) -> Any:
    import torch  # noqa: TID251 - the peer, where it is installed

    torch.set_num_threads(threads)
    return torch


def _layer(torch: Any, work: kernels.Work) -> Callable[[], Any]:
    """A layer of its own; rows that end early as packed sequences."""
    batch, time, inputs, hidden = work.case
    layer = getattr(torch.nn, LAYERS[work.cell])(inputs, hidden, batch_first=True)
    xs = torch.randn(batch, time, inputs, requires_grad=work.training)
    lengths = None if work.lengths is None else torch.as_tensor(work.lengths)

    def run() -> Any:
        if lengths is None:
            return layer(xs)[0]
        return layer(torch.nn.utils.rnn.pack_padded_sequence(xs, lengths, batch_first=True, enforce_sorted=False))[
            0
        ].data

    return _step(torch, run, [*layer.parameters(), xs], work.training)


def _step(torch: Any, run: Callable[[], Any], leaves: list[Any], training: bool) -> Callable[[], Any]:
    def forward() -> float:
        with torch.no_grad():
            return float(run().flatten()[0])

    def train() -> float:
        for leaf in leaves:
            leaf.grad = None
        run().sum().backward()
        return float(leaves[0].grad.flatten()[0])

    return train if training else forward


def _peephole(torch: Any, work: kernels.Work) -> Callable[[], Any]:
    batch, time, inputs, hidden = work.case
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

    return _step(torch, run, [W, R, b, p, xs], work.training)


def _indrnn(torch: Any, work: kernels.Work) -> Callable[[], Any]:
    batch, time, inputs, hidden = work.case
    W, u = torch.randn(hidden, inputs).mul_(0.05).requires_grad_(), torch.rand(hidden, requires_grad=True)
    xs = torch.randn(batch, time, inputs, requires_grad=work.training)

    def run() -> Any:
        h, projected, ys = torch.zeros(batch, hidden), xs @ W.T, []
        for t in range(time):
            h = torch.relu(projected[:, t] + u * h)
            ys.append(h)
        return torch.stack(ys, 1)

    return _step(torch, run, [W, u, xs], work.training)


def _memory_loop(torch: Any, work: memory.Work) -> Callable[[], Any]:
    functions, parts = _functions(torch), arrays_of(work.cell)
    there = lambda a: torch.from_numpy(np.array(a))
    weights = {name: there(a).requires_grad_(work.training) for name, a in parts["weights"].items()}
    start, inputs = tuple(there(a) for a in parts["state"]), there(work.xs)

    def forward() -> Any:
        state, ys = start, []
        for x in inputs:
            state, y = work.step(functions, weights, x, state)
            ys.append(y)
        return torch.stack(ys)

    def train() -> Any:
        return [g.numpy() for g in torch.autograd.grad((forward() ** 2).sum(), list(weights.values()))]

    def infer() -> Any:
        with torch.no_grad():
            return forward().numpy()

    return train if work.training else infer


def _functions(torch: Any) -> Library:
    """What the flat steps call by other names."""
    softmax = lambda a: torch.softmax(a, -1)
    roll = lambda a, n: torch.roll(a, n, -1)
    return Library(torch.sigmoid, torch.nn.functional.softplus, softmax, roll, torch.cat, torch)
