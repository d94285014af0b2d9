"""Temporal order of two and three marked symbols (Hochreiter and Schmidhuber 1997, experiments 6a and 6b)."""

from typing import Any

import equinox as eqx
import jax.random as jr
import numpy as np
from jaxtyping import PRNGKeyArray

from ostinato.cells import LSTM, Cell, Elman
from ostinato.layers import RNN, ManyToOne
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.seeds import Outcome
from ostinato.tasks import TemporalOrder

from .lags import RATE, learned, within_the_budget

SOURCE = "Hochreiter and Schmidhuber 1997, experiment 6"
# Mean training sequences of their LSTMs.
PUBLISHED = {2: 31_390.0, 3: 571_100.0}
UNITS, BATCH, STEPS, EVERY = 8, 20, 1200, 50
HELD_OUT = 2560
# To begin with, a memory of 1 / (1 - sigmoid(5)), about 150 steps, that distractors hardly reach.
FORGET_BIAS, INPUT_BIAS = 5.0, -3.0
INPUT = 0


def run(settings: StudySettings) -> list[Claim]:
    """LSTM and Elman network of eight units, the same sequences, the same budget; all seeds side by side."""
    if settings.quick:
        return judged(TemporalOrder(2, windows=((2, 4), (10, 12)), lengths=(20, 22)), 400, settings)
    return [claim for markers in PUBLISHED for claim in judged(TemporalOrder(markers), STEPS, settings)]


def judged(task: TemporalOrder, steps: int, settings: StudySettings) -> list[Claim]:
    """The two rows of one number of markers."""
    seeds = settings.seed_list(10)
    budget, classes = steps * BATCH, task.output_size

    def trained(name: str, cell: type[Cell]) -> Outcome:
        make = lambda key: network(cell, task, key)
        name, budget = f"temporal-order, {task.markers} markers, {name}", {"batch": BATCH, "steps": steps}
        return learned(name, make, task, seeds, settings, **budget, every=EVERY, right="accuracy", fresh=HELD_OUT)

    lstm, elman = trained("LSTM", LSTM), trained("Elman network", Elman)
    detail = {
        "accuracy": lstm.metrics["accuracy"].tolist(),
        "within_0.3": lstm.metrics["within"].tolist(),
        "elman_accuracy": elman.metrics["accuracy"].tolist(),
        "settings": {
            "cell": f"LSTM with forget gate, forget bias {FORGET_BIAS}, input gate bias {INPUT_BIAS}",
            "units": UNITS,
            "learning": f"BPTT over whole sequences, Adam {RATE} with a cosine to 0, gradient norm at most 1",
            "sequences_per_update": BATCH,
            "sequences_in_all": budget,
            "lengths": list(task.lengths),
            "windows": [list(window) for window in task.windows],
        },
    }
    right = Claim(
        f"{task.markers} markers, {classes} classes: share of {len(seeds)} seeds whose LSTM of {UNITS} units is right "
        f"on all of {HELD_OUT} fresh sequences",
        SOURCE,
        None,
        float(np.mean(lstm.metrics["accuracy"] == 1)),
        Bar.exactly(1).noting("every seed"),
        {
            "accuracy, Elman network in the same budget, mean of seeds": float(elman.metrics["accuracy"].mean()),
            "accuracy, chance": task.chance["accuracy"],
        },
        detail,
    )
    name = f"{task.markers} markers: mean training sequences"
    published = None if settings.quick else PUBLISHED[task.markers]
    return [right, within_the_budget(name, SOURCE, published, lstm.needed, budget, EVERY * BATCH, "sequences")]


def network(cell: type[Cell], task: TemporalOrder, key: PRNGKeyArray) -> ManyToOne:
    """One recurrent layer, a read-out of its last state; an LSTM begins open to the past and shut to the input."""
    k_rnn, k_out = jr.split(key)
    options: dict[str, Any] = {"forget_bias": FORGET_BIAS} if cell is LSTM else {}
    rnn = RNN(cell, task.input_size, UNITS, key=k_rnn, **options)
    if cell is LSTM:
        rnn = eqx.tree_at(lambda r: r.stack.layers[0].b, rnn, replace_fn=lambda b: b.at[INPUT].add(INPUT_BIAS))
    return ManyToOne(rnn, task.output_size, key=k_out)
