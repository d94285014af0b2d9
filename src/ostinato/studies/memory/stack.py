"""What a continuous stack learns and a network without one does not: reversal, and brackets, beyond the training."""

from typing import NamedTuple

import equinox as eqx
import numpy as np
import optax
from jaxtyping import PRNGKeyArray

from ostinato.data import stream
from ostinato.layers import RNN
from ostinato.memory import StackCell, feed_forward, with_rows
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.seeds import measure, train
from ostinato.tasks import Dyck, Reversal, Task
from ostinato.training import Ensemble

UNITS, WIDTH, LSTM_UNITS = 64, 8, 64
BATCH, STEPS, RATE, LSTM_RATES = 10, 4000, 0.02, (0.003, 0.01)
NEEDED, FRESH = 4, 1000
# Those from 100 on were looked at while the settings were made.
FIRST_SEED = 10


class Problem(NamedTuple):
    """What is trained, and what is asked of the network afterwards: first as in training, then beyond it."""

    name: str
    source: str
    task: Task
    asked: dict[str, Task]


PROBLEMS = (
    Problem(
        "string reversal",
        "Grefenstette, Hermann, Suleyman and Blunsom 2015: all right at up to twice the trained length",
        Reversal(lengths=(1, 12)),
        {f"length {n}": Reversal(lengths=(n, n)) for n in (12, 24, 40)},
    ),
    Problem(
        "Dyck words",
        "Hao et al. 2018 (StackNN): words of depth 12 after training to depth 6",
        Dyck(length=20, depths=(1, 6)),
        {
            "length 20, depth 6": Dyck(length=20, depths=(6, 6)),
            "length 110, depth 12": Dyck(length=110, depths=(12, 12)),
        },
    ),
)


def run(settings: StudySettings) -> list[Claim]:
    """Both tasks: a stack around a layer without memory, and an LSTM, the same sequences, the same budget."""
    return [claim for problem in PROBLEMS[: 1 if settings.quick else 2] for claim in claims(problem, settings)]


def claims(problem: Problem, settings: StudySettings) -> list[Claim]:
    """A row for each task beyond the training: on how many seeds a network is right on every fresh sequence."""
    seeds = [FIRST_SEED + seed for seed in settings.seed_list(5)]
    rates = LSTM_RATES[:1] if settings.quick else LSTM_RATES
    found = reached("stack", problem, RATE, seeds, settings)
    beside = {str(rate): reached("LSTM", problem, rate, seeds, settings) for rate in rates}
    near, *beyond = problem.asked
    rows = []
    for far in beyond:
        right = [whole == 1 for whole in found[far]["whole"]]
        rows.append(
            Claim(
                f"{problem.name}, trained to {near}: seeds of {len(seeds)} whose stack makes no mistake in "
                f"{FRESH} fresh sequences of {far}",
                problem.source,
                None,
                float(sum(right)),
                Bar.at_least(NEEDED),
                {
                    "sequences without a mistake, stack, median of seeds": float(np.median(found[far]["whole"])),
                    f"LSTM of {LSTM_UNITS} units, best of its seeds and rates": max(
                        max(scores[far]["whole"]) for scores in beside.values()
                    ),
                },
                {"stack": found, "LSTM by rate": beside, "settings": written(seeds)} if far == beyond[0] else {},
            )
        )
    return rows


def written(seeds: list[int]) -> dict[str, object]:
    """The settings, for the result file."""
    return {
        "seeds": seeds,
        "stack": f"{UNITS} tanh units without memory steer it; vectors of {WIDTH}",
        "learning": f"BPTT, Adam, gradient norm at most 1; the rate rises to {RATE} in half of the updates, then falls",
        "sequences_per_update": BATCH,
        "updates": STEPS,
    }


def reached(
    network: str, problem: Problem, rate: float, seeds: list[int], settings: StudySettings
) -> dict[str, dict[str, list[float]]]:
    """Trained on the one task, measured on the others, with a stack as long as these need."""
    make, steps = {"stack": stack, "LSTM": lstm}[network], 10 if settings.quick else STEPS
    model = Ensemble.make(lambda key: make(problem.task, key), seeds)
    # A high rate from the beginning is fast where it works, and on some seeds it never does.
    rates = optax.warmup_cosine_decay_schedule(rate / 20, rate, steps // 2, steps)
    model = train(model, problem.task, seeds, batch=BATCH, steps=steps, every=steps, rate=rates, right="whole").model
    found = {}
    for name, task in problem.asked.items():
        scores = measure(grown(model, task), task, task.sample(stream(0, f"fresh {name}"), FRESH))
        # A mean over 110 000 steps in float32 has no more digits than these; a mistake in the whole shows in "whole".
        found[name] = {"accuracy": np.round(scores["accuracy"], 4).tolist(), "whole": scores["whole"].tolist()}
        settings.note(f"stack: {problem.name}, {network}, rate {rate}, {name}: {found[name]}")
    return found


def grown(model: Ensemble, task: Task) -> Ensemble:
    """With a stack as long as the task's sequences; a network without one as it is."""
    cell = model.members.stack.layers[0]
    if not isinstance(cell, StackCell):
        return model
    return eqx.tree_at(lambda m: m.members.stack.layers[0], model, with_rows(cell, task.time_size))


def stack(task: Task, key: PRNGKeyArray) -> RNN:
    """A stack as long as a training sequence, steered by a layer without memory."""
    settings = {"controller": feed_forward, "rows": task.time_size, "width": WIDTH}
    return RNN(StackCell, task.input_size, UNITS, output_size=task.output_size, key=key, **settings)


def lstm(task: Task, key: PRNGKeyArray) -> RNN:
    """One layer, with more weights than the other network has."""
    return RNN("lstm", task.input_size, LSTM_UNITS, output_size=task.output_size, key=key)
