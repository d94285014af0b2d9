"""The trainings of the bench `jobs` as plain PyTorch loops: the same model, batches and updates.

It is a program of its own too, without Ostinato and JAX: `python jobs_in_torch.py JOB ARRAYS EPOCHS THREADS`.
"""

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch  # noqa: TID251 - the peer, where it is installed
from torch import nn  # noqa: TID251 - the same peer

WARM_UP = 20


def cosine(optimizer: Any, steps: int, warm_up: bool) -> Any:
    """The rate falls to 0 as a cosine, with `warm_up` after a rise over the first twentieth."""
    warm = max(steps // WARM_UP, 1) if warm_up else 0

    def factor(step: int) -> float:
        if step < warm:
            return 0.1 + 0.9 * step / warm
        return 0.5 * (1 + math.cos(math.pi * min((step - warm) / max(steps - warm, 1), 1)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


class Recurrent(nn.Module):
    """A GRU, and a linear layer on its last output."""

    def __init__(self, inputs: int, hidden: int, outputs: int):
        super().__init__()
        self.gru, self.head = nn.GRU(inputs, hidden, batch_first=True), nn.Linear(hidden, outputs)

    def forward(self, x: Any) -> Any:
        """`(batch, outputs)` from `(batch, time, inputs)` or a packed sequence."""
        return self.head(self.gru(x)[1][0])


def forecaster(arrays: dict[str, np.ndarray], epochs: int) -> None:
    """Windows of 24 steps and the six after them; the last tenth judges after each epoch."""
    y = arrays["y"]
    cut = len(y) - len(y) // 10
    y = (y - y[:cut].mean()) / y[:cut].std()
    windows = torch.from_numpy(np.lib.stride_tricks.sliding_window_view(y, 30).astype(np.float32).copy())
    x, target = windows[:, :24, None], windows[:, 24:]
    train, held = torch.arange(cut - 29), torch.arange(cut - 24, len(windows))
    model = Recurrent(1, 32, 6)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    batches = -(-len(train) // 64)
    schedule = cosine(optimizer, epochs * batches, warm_up=False)
    best, kept = math.inf, None
    for _ in range(epochs):
        for rows in torch.randperm(len(train)).split(64):
            optimizer.zero_grad()
            loss = (model(x[rows]) - target[rows]).square().mean()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            judged = float((model(x[held]) - target[held]).square().mean())
        if judged < best:
            best, kept = judged, {name: value.clone() for name, value in model.state_dict().items()}
    assert kept is not None


def classifier(arrays: dict[str, np.ndarray], epochs: int) -> None:
    """Packed sequences, one label each."""
    values = (arrays["values"] - arrays["values"].mean(0)) / arrays["values"].std(0)
    lengths = arrays["lengths"]
    sequences = [torch.from_numpy(v.astype(np.float32)) for v in np.split(values, np.cumsum(lengths)[:-1])]
    classes, codes = np.unique(arrays["labels"], return_inverse=True)
    padded, codes = nn.utils.rnn.pad_sequence(sequences, batch_first=True), torch.from_numpy(codes)
    counts = torch.from_numpy(lengths)
    model = Recurrent(values.shape[1], 32, len(classes))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = cosine(optimizer, epochs * -(-len(lengths) // 32), warm_up=True)
    for _ in range(epochs):
        for rows in torch.randperm(len(lengths)).split(32):
            optimizer.zero_grad()
            packed = nn.utils.rnn.pack_padded_sequence(
                padded[rows], counts[rows], batch_first=True, enforce_sorted=False
            )
            nn.functional.cross_entropy(model(packed), codes[rows]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()


class Community(nn.Module):
    """An LSTM that is fed its own outputs; species that are absent at the first time stay absent."""

    def __init__(self, features: int, hidden: int):
        super().__init__()
        self.cell, self.head = nn.LSTMCell(features, hidden), nn.Linear(hidden, features)

    def forward(self, z: Any, zero: Any) -> Any:
        """`(batch, times - 1, features)` from `(batch, features)`; `zero (times, features)` is 0 after scaling."""
        absent, state, found = z <= zero[0], None, []
        for nothing in zero[1:]:
            state = self.cell(z, state)
            z = torch.where(absent, nothing, self.head(state[0]))
            found.append(z)
        return torch.stack(found, 1)


def community(arrays: dict[str, np.ndarray], epochs: int) -> None:
    """Five networks, one after the other."""
    values = arrays["values"]
    mean, scale = values.mean(0), 4 * values.std(0)
    scale = np.where(scale > 0, scale, 1)
    z = torch.from_numpy(((values - mean) / scale).astype(np.float32))
    zero = torch.from_numpy((-mean / scale).astype(np.float32))
    for seed in range(5):
        torch.manual_seed(seed)
        model = Community(values.shape[2], 32)
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=5e-5)
        schedule = cosine(optimizer, epochs * -(-len(z) // 20), warm_up=True)
        for _ in range(epochs):
            for rows in torch.randperm(len(z)).split(20):
                optimizer.zero_grad()
                (model(z[rows, 0], zero) - z[rows, 1:]).square().mean().backward()
                optimizer.step()
                schedule.step()


JOBS = {"forecaster": forecaster, "classifier": classifier, "community": community}


def run(job: str, path: Path, epochs: int, threads: int) -> None:
    """One job on the arrays in a file."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    with np.load(path) as arrays:
        JOBS[job](dict(arrays), epochs)


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
