"""What the studies of long time lags have in common: an LSTM beside an Elman network, and how long it took to learn."""

from collections.abc import Callable, Sequence

import numpy as np

from ostinato.layers import RNN, ManyToOne
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.seeds import Outcome, mean_needed, train
from ostinato.tasks import Task
from ostinato.training import Ensemble

RATE = 0.02


def learned(
    name: str,
    make: Callable[..., RNN | ManyToOne],
    task: Task,
    seeds: Sequence[int],
    settings: StudySettings,
    *,
    batch: int,
    steps: int,
    every: int,
    right: str,
    fresh: int,
) -> Outcome:
    """All seeds of a network side by side, and a note of the shares that are right on fresh trials."""
    model = Ensemble.make(make, seeds)
    found = train(model, task, seeds, batch=batch, steps=steps, every=every, rate=RATE, right=right, fresh=fresh)
    shares = np.round(found.metrics[right], 4).tolist()
    settings.note(f"{name}: of {fresh} fresh ones after {steps * batch} right {shares}")
    return found


def within_the_budget(
    name: str, source: str, published: float | None, needed: Sequence[int | None], budget: int, looked: int, what: str
) -> Claim:
    """How many trials were needed until others are all right: a mean, where every seed has to get there."""
    reached = sum(n is not None for n in needed)
    told = f"seeds that get there within {budget} {what}"
    bar = Bar.exactly(len(needed)).of(told, reached)
    bar = bar.noting("another optimiser and criterion than in 1997, so no comparison of speed")
    name = f"{name} until 1000 others are right, {reached} of {len(needed)} seeds"
    detail = {f"{what}_needed": list(needed), "looked_every": looked}
    return Claim(name, source, published, mean_needed(needed), bar, {}, detail)
