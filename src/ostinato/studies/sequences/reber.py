"""The embedded Reber grammar with eight LSTM units (Hochreiter and Schmidhuber 1997, experiment 1)."""

import numpy as np

from ostinato.layers import RNN
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.seeds import Outcome
from ostinato.tasks import EmbeddedReber

from .lags import RATE, learned, within_the_budget

SOURCE = "Hochreiter and Schmidhuber 1997, experiment 1"
# With 4 blocks of one cell; 148 of 150 trials succeeded.
PUBLISHED_STRINGS = 8440.0
UNITS, BATCH, STEPS, EVERY = 8, 4, 8000, 100
HELD_OUT = 1000


def run(settings: StudySettings) -> list[Claim]:
    """LSTM and Elman network of eight units, the same strings, the same budget; all seeds side by side."""
    task = EmbeddedReber(max_length=20) if settings.quick else EmbeddedReber()
    steps, batch = (2500, 2 * BATCH) if settings.quick else (STEPS, BATCH)
    return judged(task, steps, batch, settings)


def judged(task: EmbeddedReber, steps: int, batch: int, settings: StudySettings) -> list[Claim]:
    """The claims about a grammar, after so many updates on batches of its strings."""
    seeds = settings.seed_list(10)
    size, budget = task.input_size, steps * batch

    def trained(cell: str) -> Outcome:
        make = lambda key: RNN(cell, size, UNITS, output_size=size, key=key)
        budget = {"batch": batch, "steps": steps, "every": EVERY}
        return learned(f"reber, {cell}", make, task, seeds, settings, **budget, right="strings", fresh=HELD_OUT)

    lstm, elman = trained("lstm"), trained("elman")
    detail = {
        "strings_right": lstm.metrics["strings"].tolist(),
        "memory_right": lstm.metrics["memory"].tolist(),
        "elman_strings_right": elman.metrics["strings"].tolist(),
        "elman_memory_right": elman.metrics["memory"].tolist(),
        "settings": {
            "cell": "LSTM with forget gate, forget bias 1",
            "units": UNITS,
            "learning": f"BPTT over whole strings, Adam {RATE} with a cosine to 0, gradient norm at most 1",
            "strings_per_update": batch,
            "strings_in_all": budget,
            "longest_string": task.max_length,
            "share_of_the_grammar_within_it": task.coverage,
        },
    }
    share = Claim(
        f"Share of {len(seeds)} seeds whose LSTM of {UNITS} units is right at every step of {HELD_OUT} fresh strings",
        SOURCE,
        None,
        float(np.mean(lstm.metrics["strings"] == 1)),
        Bar.exactly(1).noting("every seed"),
        {
            "the same for the Elman network": float(np.mean(elman.metrics["strings"] == 1)),
            "strings right, Elman network, mean of seeds": float(elman.metrics["strings"].mean()),
            "strings right at best without memory of the second symbol": task.chance["strings"],
        },
        detail,
    )
    name, source = "Mean training strings", f"{SOURCE}, 4 blocks of 1 cell"
    published = None if settings.quick else PUBLISHED_STRINGS
    return [share, within_the_budget(name, source, published, lstm.needed, budget, EVERY * batch, "strings")]
