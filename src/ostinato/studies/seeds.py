"""Several seeds at once: networks of one shape, trained side by side in one compiled step, none seeing another."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import numpy as np
import optax
from jaxtyping import Array

from ostinato.data import Examples, stream
from ostinato.tasks import Task
from ostinato.training import Ensemble, each, fit

from .batches import SeedBatches
from .optimizers import adam


class Outcome(NamedTuple):
    """What `train` gives.

    * `metrics`: of each member, on fresh trials after the whole budget.
    * `needed`: the training trials after which a member was first right on all of the watched ones; None for never.
    * `model`: the members after the whole budget.
    """

    metrics: dict[str, np.ndarray]
    needed: list[int | None]
    model: Ensemble


def train(
    model: Ensemble,
    task: Task,
    seeds: Sequence[int],
    *,
    batch: int,
    steps: int,
    every: int,
    rate: float | optax.Schedule,
    right: str,
    watched: int = 1000,
    fresh: int = 1000,
) -> Outcome:
    """Adam, gradients of norm 1 at most, a fixed budget; nothing is chosen on the way. A rate falls to 0 as a cosine.

    `right` names the metric that is 1 where all is right. The watched trials only say how long it took; those of the
    final metrics are others.
    """
    trials = task.sample(stream(0, "watched"), watched)
    needed: list[int | None] = [None] * len(seeds)
    evaluations = 0

    def watch(model: Ensemble) -> dict[str, float]:
        nonlocal evaluations
        evaluations += 1
        shares = measure(model, task, trials)[right]
        for i, share in enumerate(shares):
            if share == 1 and needed[i] is None:
                needed[i] = min(evaluations * every, steps) * batch
        return {"wrong": float(1 - shares.mean())}

    schedule = rate if callable(rate) else optax.cosine_decay_schedule(rate, steps)
    batches = SeedBatches(task, batch, seeds, every)
    result = fit(
        model, batches, loss=task.loss, optimizer=each(adam(schedule)), steps=steps, every=every, validate=watch
    )
    return Outcome(measure(result.last, task, task.sample(stream(0, "fresh"), fresh)), needed, result.last)


def measure(model: Ensemble, task: Task, examples: Examples) -> dict[str, np.ndarray]:
    """The task's metrics for each member, `(members,)`, all on the same examples."""
    # Shares of counts: the digits beyond are those of float32.
    return {name: np.round(np.asarray(value, np.float64), 6) for name, value in _measure(model, task, examples).items()}


@eqx.filter_jit
def _measure(model: Ensemble, task: Task, examples: Examples) -> dict[str, Array]:
    return eqx.filter_vmap(lambda member: task.metrics(member(examples.inputs)[0], examples))(model.members)


def mean_needed(needed: Sequence[int | None]) -> float | None:
    """The mean over the members that got there; None where none did."""
    reached = [n for n in needed if n is not None]
    return math.fsum(reached) / len(reached) if reached else None
