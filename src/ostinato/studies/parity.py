"""Parity of 256 bits after training on 40: which networks find the two states, and which cannot."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import PRNGKeyArray

from ostinato.data import Examples, stream
from ostinato.layers import RNN
from ostinato.tasks import Parity
from ostinato.training import Ensemble, each, fit

from .base import Claim, Study, StudySettings
from .seeds import SeedBatches, measure

SOURCE = "Beck et al., xLSTM, 2024, and Merrill et al. 2024: state tracking needs a recurrence that mixes its state"
CELLS = ("elman", "lstm", "slstm", "min-gru")
FAILS = "min-gru"
UNITS, BATCH, STEPS, RATE = 32, 32, 2200, 0.003
SHORT, LONG = 40, 256
# The steps that count grow from 2 to all of them in this part of the training.
GROWS = 0.7
FRESH, NEEDED = 500, 3


class Growing:
    """Batches whose first steps count alone, and more of them as training goes on; the weights still sum to 1."""

    def __init__(self, batches: SeedBatches, length: int, steps: int):
        self.batches, self.length, self.grown = batches, length, GROWS * steps

    def __len__(self) -> int:
        return len(self.batches)

    def at(self, step: int) -> Examples:
        """The batch of a step."""
        examples = self.batches.at(step)
        counted = min(self.length, 2 + int((self.length - 2) * step / self.grown))
        factor = np.where(np.arange(self.length) < counted, self.length / counted, 0)
        return eqx.tree_at(lambda e: e.weight, examples, examples.weight * jnp.asarray(factor, "float32")[None, None])


def run(settings: StudySettings) -> list[Claim]:
    """All seeds of a cell side by side on the same bits; then other bits, more than six times as many."""
    seeds = settings.seed_list(5)
    steps, length, longer = (30, 8, 16) if settings.quick else (STEPS, SHORT, LONG)
    task, far = Parity(length), Parity(longer)
    claims = []
    for cell in CELLS:
        model = Ensemble.make(lambda key, cell=cell: network(cell, key), seeds)
        adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(RATE, steps)))
        batches = Growing(SeedBatches(task, BATCH, seeds, 100), length, steps)
        model = fit(model, batches, loss=task.loss, optimizer=each(adam), steps=steps, every=steps).last
        found = measure(model, task, task.sample(stream(0, "fresh"), FRESH))
        there = measure(model, far, far.sample(stream(0, "far"), FRESH))
        near, share = found["accuracy"].tolist(), there["accuracy"].tolist()
        settings.note(f"parity, {cell}: at {length} {near}, at {longer} {share}")
        solved = int(np.sum(there["all_right"] == 1))
        fails = cell == FAILS
        claims.append(
            Claim(
                f"{cell}: seeds of {len(seeds)} that are right at every step of {FRESH} sequences of {longer} bits",
                SOURCE,
                None,
                float(solved),
                "none" if fails else f"at least {NEEDED} of 5",
                {
                    f"accuracy at {longer}, mean": float(np.mean(share)),
                    f"accuracy at {length}, as in training, mean": float(np.mean(near)),
                    "chance": task.chance["accuracy"],
                },
                solved == 0 if fails else solved >= NEEDED,
                {
                    "accuracy": share,
                    "right at the last step": there["last"].tolist(),
                    "sequences right throughout": there["all_right"].tolist(),
                    "accuracy as in training": near,
                    "settings": {
                        "units": UNITS,
                        "learning": f"BPTT, Adam {RATE} with a cosine to 0, gradient norm at most 1, a target a step; "
                        f"the steps that count grow from 2 to {length} in the first {GROWS:.0%} of the updates",
                        "chosen": "for the Elman network, on seeds from 100 on, which are not reported",
                        "updates": steps,
                        "sequences_per_update": BATCH,
                    },
                },
            )
        )
    return claims


def network(cell: str, key: PRNGKeyArray) -> RNN:
    """One layer with a read-out."""
    return RNN(cell, 1, UNITS, output_size=2, key=key)


STUDY = Study("Parity of 256 bits after training on 40: Elman network, LSTM, sLSTM, minGRU", run)
