"""Parity of 256 bits after training on 40: which networks find the two states, and which cannot."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from ostinato.data import Examples, stream
from ostinato.layers import RNN
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.batches import Changed, SeedBatches
from ostinato.studies.optimizers import fading_adam
from ostinato.studies.seeds import measure
from ostinato.tasks import Parity
from ostinato.training import Ensemble, each, fit
from ostinato.training.loop import BatchSource

SOURCE = "Beck et al., xLSTM, 2024, and Merrill et al. 2024: state tracking needs a recurrence that mixes its state"
BARS = {"elman": Bar.at_least(3), "lstm": Bar.at_least(3), "slstm": Bar.at_least(3), "min-gru": Bar.exactly(0)}
UNITS, BATCH, STEPS, RATE = 32, 32, 2200, 0.003
SHORT, LONG = 40, 256
# The steps that count grow from 2 to all of them in this part of the training.
GROWS = 0.7
FRESH = 500


def growing(batches: BatchSource, length: int, steps: int) -> Changed:
    """Batches whose first steps count alone, and more of them as training goes on; the weights still sum to 1."""

    def counted(examples: Examples, step: int) -> Examples:
        first = min(length, 2 + int((length - 2) * step / (GROWS * steps)))
        factor = np.where(np.arange(length) < first, length / first, 0)
        return eqx.tree_at(lambda e: e.weight, examples, examples.weight * jnp.asarray(factor, "float32")[None, None])

    return Changed(batches, counted)


def run(settings: StudySettings) -> list[Claim]:
    """All seeds of a cell side by side on the same bits; then other bits, more than six times as many."""
    steps, length, longer = (30, 8, 16) if settings.quick else (STEPS, SHORT, LONG)
    return [judged(cell, steps, length, longer, settings) for cell in BARS]


def judged(cell: str, steps: int, length: int, longer: int, settings: StudySettings) -> Claim:
    """The claim about a cell, trained on sequences of one length and asked about fresh ones of a longer one."""
    seeds, task, far = settings.seed_list(5), Parity(length), Parity(longer)
    model = Ensemble.make(lambda key: network(cell, key), seeds)
    batches = growing(SeedBatches(task, BATCH, seeds, 100), length, steps)
    optimizer = each(fading_adam(RATE, steps))
    model = fit(model, batches, loss=task.loss, optimizer=optimizer, steps=steps, every=steps).last
    found = measure(model, task, task.sample(stream(0, "fresh"), FRESH))
    there = measure(model, far, far.sample(stream(0, "far"), FRESH))
    near, share = found["accuracy"].tolist(), there["accuracy"].tolist()
    settings.note(f"parity, {cell}: at {length} {near}, at {longer} {share}")
    return Claim(
        f"{cell}: seeds of {len(seeds)} that are right at every step of {FRESH} sequences of {longer} bits",
        SOURCE,
        None,
        float(np.sum(there["all_right"] == 1)),
        BARS[cell],
        {
            f"accuracy at {longer}, mean": float(np.mean(share)),
            f"accuracy at {length}, as in training, mean": float(np.mean(near)),
            "chance": task.chance["accuracy"],
        },
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


def network(cell: str, key: PRNGKeyArray) -> RNN:
    """One layer with a read-out."""
    return RNN(cell, 1, UNITS, output_size=2, key=key)
