"""The other tasks of the neural Turing machine, smaller than published, beside an LSTM (Graves et al. 2014)."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import PRNGKeyArray

from ostinato.data import Examples, stream
from ostinato.layers import RNN
from ostinato.memory import NTM, feed_forward
from ostinato.tasks import AssociativeRecall, DynamicNGram, PrioritySort, RepeatCopy
from ostinato.tasks.bits import BitTask
from ostinato.training import Ensemble, each, fit

from .base import Claim, Study, StudySettings
from .seeds import SeedBatches, measure

SOURCE = "Graves, Wayne and Danihelka 2014, sections 4.2 to 4.5: the NTM before the LSTM"
UNITS, WIDTH, LSTM_UNITS = 100, 20, 100
BATCH, STEPS, EVERY, RATE, LSTM_RATES = 8, 2000, 500, 0.001, (0.003, 0.01)
FRESH = 500
# Those from 100 on were looked at while the settings were made.
FIRST_SEED = 10


class Problem(NamedTuple):
    """A task as it is trained, the rows that the NTM has for it, and the task that is asked of it afterwards."""

    task: BitTask
    rows: int
    beyond: BitTask | None = None


PROBLEMS = {
    "repeat copy": Problem(RepeatCopy(lengths=(1, 5), repeats=(1, 5), bits=6, scale=5), 24),
    "associative recall": Problem(AssociativeRecall(items=(2, 6)), 48, AssociativeRecall(items=(12, 12))),
    # Its bits are a number of its own, which the type checker takes for a setting.
    "dynamic N-gram": Problem(DynamicNGram(order=2, length=60), 16),  # pyright: ignore[reportCallIssue]
    "priority sort": Problem(PrioritySort(items=8, wanted=6, bits=6), 24),
}


class Found(NamedTuple):
    """By network: bits a sequence on the way, by the number of training sequences; at the end; beyond the training."""

    course: dict[int, list[float]]
    bits: list[float]
    beyond: list[float] | None


def run(settings: StudySettings) -> list[Claim]:
    """Task after task: both networks on the same sequences, as many of them."""
    names = list(PROBLEMS)[1:2] if settings.quick else list(PROBLEMS)
    return [claim for name in names for claim in claims(name, settings)]


def claims(name: str, settings: StudySettings) -> list[Claim]:
    """What a fresh sequence costs after the whole budget, and beyond the training where something is asked there."""
    problem = PROBLEMS[name]
    seeds = [FIRST_SEED + seed for seed in settings.seed_list(2)]
    machines = trained(f"{name}, NTM", problem, ntm, seeds, [RATE], settings)
    others = trained(f"{name}, LSTM", problem, lstm, seeds, LSTM_RATES, settings)
    rows = [row(f"{name}: bits a sequence", machines.bits, others.bits, len(seeds))]
    if isinstance(problem.task, DynamicNGram):
        best = float(problem.task.optimal_bits(problem.task.sample(stream(0, "fresh"), FRESH)))
        rows[0].baseline["the best predictor there can be"] = round(best, 3)
    if machines.beyond is not None and others.beyond is not None:
        rows.append(row(f"{name}, beyond: bits a sequence of 12 items", machines.beyond, others.beyond, len(seeds)))
    rows[0].detail.update(
        {
            "NTM": machines._asdict(),
            "LSTM": others._asdict(),
            "settings": {
                "task": repr(problem.task),
                "seeds": seeds,
                "order": "each seed in turn; of the LSTM all seeds at its first rate, then all at the second",
                "NTM": f"{UNITS} tanh units without memory, {problem.rows} rows of {WIDTH}, drawn once; rate {RATE}",
                "LSTM": f"{LSTM_UNITS} units, rates {LSTM_RATES}",
                "learning": "BPTT, Adam with a cosine to 0, gradient norm at most 1",
                "sequences_per_update": BATCH,
                "updates": STEPS,
            },
        }
    )
    return rows


def row(name: str, machines: list[float], others: list[float], seeds: int) -> Claim:
    """One claim: each seed of the NTM costs less than any of the LSTM, at either rate."""
    by_rate = np.reshape(others, (-1, seeds)).mean(axis=1)
    return Claim(
        f"{name}, NTM, mean of {seeds} seeds",
        SOURCE,
        None,
        float(np.mean(machines)),
        "every seed below every one of the LSTM",
        {f"LSTM of {LSTM_UNITS} units, the better of its rates": float(by_rate.min())},
        max(machines) < min(others),
        {},
    )


def trained(
    name: str,
    problem: Problem,
    make: Callable[[Problem, PRNGKeyArray], RNN],
    seeds: list[int],
    rates: Sequence[float],
    settings: StudySettings,
) -> Found:
    """The whole budget for each seed at each rate, side by side; what was reached on the way is only told."""
    task, (steps, every) = problem.task, (4, 2) if settings.quick else (STEPS, EVERY)
    members = [seed for _ in rates for seed in seeds]
    watched = task.sample(stream(0, "watched"), FRESH)
    course: dict[int, list[float]] = {}

    def watch(model: Ensemble) -> dict[str, float]:
        bits = cost(model, task, watched)
        course[(len(course) + 1) * every * BATCH] = bits
        settings.note(f"ntm-tasks: {name}, {len(course) * every * BATCH} sequences: {bits} bits")
        return {"bits": float(np.mean(bits))}

    adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(1.0, steps)))
    result = fit(
        Ensemble.make(lambda key: make(problem, key), members),
        SeedBatches(task, BATCH, members, every),
        loss=task.loss,
        optimizer=optax.chain(each(adam), scaled(np.repeat(rates, len(seeds)))),
        steps=steps,
        every=every,
        validate=watch,
    )
    bits = cost(result.last, task, task.sample(stream(0, "fresh"), FRESH))
    if problem.beyond is None:
        return Found(course, bits, None)
    return Found(course, bits, cost(result.last, problem.beyond, problem.beyond.sample(stream(0, "beyond"), FRESH)))


def cost(model: Ensemble, task: BitTask, examples: Examples) -> list[float]:
    """Bits a sequence, of each member."""
    return np.round(measure(model, task, examples)["bits_per_sequence"], 3).tolist()


def scaled(rates: np.ndarray) -> optax.GradientTransformation:
    """Each member of an `Ensemble` at a rate of its own."""

    def scale(updates: Any, params: Any) -> Any:
        del params
        return jax.tree.map(lambda u: u * jnp.asarray(rates, u.dtype).reshape(-1, *(u.ndim - 1) * (1,)), updates)

    return optax.stateless(scale)


def ntm(problem: Problem, key: PRNGKeyArray) -> RNN:
    """One head to read and one to write, steered by a layer without memory."""
    task, memory = problem.task, {"rows": problem.rows, "width": WIDTH, "start": "random", "controller": feed_forward}
    return RNN(NTM, task.input_size, UNITS, output_size=task.output_size, key=key, **memory)


def lstm(problem: Problem, key: PRNGKeyArray) -> RNN:
    """One layer, with more weights than the other network has."""
    return RNN("lstm", problem.task.input_size, LSTM_UNITS, output_size=problem.task.output_size, key=key)


STUDY = Study("Repeat copy, associative recall, N-grams, priority sort: a neural Turing machine and an LSTM", run)
