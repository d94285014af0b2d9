"""Training against itself: the same seed twice, and whether every bit of weights and optimiser is the same."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import jax.random as jr

from ostinato.data import Examples, FunctionBatches, SequenceBatch
from ostinato.layers import RNN
from ostinato.losses import squared
from ostinato.runs import Run, checkpoints
from ostinato.training import fit

_INPUT, _HIDDEN, _TIME, _BATCH = 5, 17, 20, 3


def repeat_training(steps: int = 20) -> dict[str, Any]:
    """Train twice from the same seed and compare the SHA-256 of weights and optimiser state."""
    first, second = (_trained(steps) for _ in range(2))
    return {"steps": steps, "sha256": [first, second], "equal": first == second}


def _trained(steps: int) -> str:
    def make(key: Any) -> Examples:
        xs = jr.normal(key, (_BATCH, _TIME, _INPUT))
        return Examples(SequenceBatch(xs), jnp.cumsum(xs, axis=1), jnp.full((_BATCH, _TIME), 1 / (_BATCH * _TIME)))

    model = RNN("elman", _INPUT, _HIDDEN, dropout=0.1, output_size=_INPUT, num_layers=2, key=jr.key(0))
    with tempfile.TemporaryDirectory() as folder, Run(Path(folder), {"steps": steps}, signals=()) as run:
        fit(model, FunctionBatches(make, steps), loss=squared, steps=steps, run=run)
        newest = checkpoints(run.checkpoints)[0]
        parts = [(newest / name).read_bytes() for name in ("weights.safetensors", "optimizer.safetensors")]
    return hashlib.sha256(b"".join(parts)).hexdigest()
