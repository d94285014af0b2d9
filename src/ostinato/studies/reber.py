"""The embedded Reber grammar with eight LSTM units (Hochreiter and Schmidhuber 1997, experiment 1)."""

import numpy as np

from ostinato.layers import RNN
from ostinato.tasks import EmbeddedReber
from ostinato.training import Ensemble

from .base import Claim, Study, StudySettings
from .seeds import Trained, mean_needed, train

SOURCE = "Hochreiter and Schmidhuber 1997, experiment 1"
# With 4 blocks of one cell; 148 of 150 trials succeeded.
PUBLISHED_STRINGS = 8440.0
UNITS, BATCH, STEPS, EVERY, RATE = 8, 4, 8000, 100, 0.02
HELD_OUT = 1000


def run(settings: StudySettings) -> list[Claim]:
    """LSTM and Elman network of eight units, the same strings, the same budget; all seeds side by side."""
    seeds = settings.seed_list(10)
    steps, batch = (2500, 2 * BATCH) if settings.quick else (STEPS, BATCH)
    task = EmbeddedReber(max_length=20) if settings.quick else EmbeddedReber()
    size, budget = task.input_size, steps * batch

    def trained(cell: str) -> Trained:
        model = Ensemble.make(lambda key: RNN(cell, size, UNITS, output_size=size, key=key), seeds)
        found = train(
            model, task, seeds, batch=batch, steps=steps, every=EVERY, rate=RATE, right="strings", fresh=HELD_OUT
        )
        shares = np.round(found.metrics["strings"], 3).tolist()
        settings.note(f"reber, {cell}: of {HELD_OUT} fresh strings after {budget} training strings right {shares}")
        return found

    lstm, elman = trained("lstm"), trained("elman")
    solved = int(np.sum(lstm.metrics["strings"] == 1))
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
        solved / len(seeds),
        "1: every seed",
        {
            "the same for the Elman network": float(np.mean(elman.metrics["strings"] == 1)),
            "strings right, Elman network, mean of seeds": float(elman.metrics["strings"].mean()),
            "strings right at best without memory of the second symbol": task.chance["strings"],
        },
        solved == len(seeds),
        detail,
    )
    reached = sum(n is not None for n in lstm.needed)
    strings = Claim(
        f"Mean training strings until 1000 others are right, {reached} of {len(seeds)} seeds",
        f"{SOURCE}, 4 blocks of 1 cell",
        None if settings.quick else PUBLISHED_STRINGS,
        mean_needed(lstm.needed),
        f"every seed within {budget} strings; another optimiser and criterion than in 1997, so no comparison of speed",
        {},
        reached == len(seeds),
        {"strings_needed": lstm.needed, "looked_every": EVERY * batch},
    )
    return [share, strings]


STUDY = Study("Embedded Reber grammar: an LSTM of eight units beside an Elman network", run)
