"""What a continuous stack learns and a network without one does not: reversal, and brackets, beyond the training."""

from collections.abc import Sequence

import equinox as eqx
import numpy as np
from jaxtyping import PRNGKeyArray

from ostinato.data import stream
from ostinato.layers import RNN
from ostinato.memory import StackCell, feed_forward, with_rows
from ostinato.tasks import Dyck, Reversal, Task
from ostinato.training import Ensemble

from .base import Claim, Study, StudySettings
from .seeds import measure, train

UNITS, WIDTH, BATCH, STEPS, EVERY, RATE = 32, 8, 20, 2500, 500, 0.01
LSTM_UNITS, FRESH = 48, 200
# Networks of smaller seeds were looked at while the settings were made.
FIRST_SEED = 10

REVERSAL = (
    "string reversal",
    "Grefenstette, Hermann, Suleyman and Blunsom 2015: reversal beyond the trained length, all right",
    Reversal(lengths=(1, 12)),
    {f"length {n}": Reversal(lengths=(n, n)) for n in (12, 40)},
)
DYCK = (
    "Dyck words",
    "Hao et al. 2018 (StackNN): words of depth 12 after training to depth 6",
    Dyck(length=20, depths=(1, 6)),
    {
        "length 20, depth 6": Dyck(length=20, depths=(6, 6)),
        "length 110, depth 12": Dyck(length=110, depths=(12, 12)),
    },
)


def run(settings: StudySettings) -> list[Claim]:
    """Both tasks: a stack around a layer without memory, and an LSTM, the same sequences, the same budget."""
    return [claim(*given, settings) for given in (REVERSAL, DYCK)[: 1 if settings.quick else 2]]


def claim(name: str, source: str, task: Task, beyond: dict[str, Task], settings: StudySettings) -> Claim:
    """One row: the share of fresh sequences without a mistake, far beyond the training."""
    seeds = [FIRST_SEED + seed for seed in settings.seed_list(5)]
    scores = {}
    for network, make in (("stack", stack), ("LSTM", lstm)):
        model = Ensemble.make(lambda key, make=make: make(task, key), seeds)
        scores[network] = reached(network, model, task, beyond, seeds, settings)
    far = list(beyond)[-1]
    whole = np.array(scores["stack"][far]["whole"])
    right = int(np.sum(whole == 1))
    return Claim(
        f"{name}, a stack: {far}: share of {FRESH} fresh sequences without a mistake, median of {len(seeds)} seeds",
        source,
        1.0,
        float(np.median(whole)),
        f"1; on {right} of {len(seeds)} seeds",
        {f"LSTM of {LSTM_UNITS} units, median": float(np.median(scores["LSTM"][far]["whole"]))},
        bool(np.median(whole) == 1),
        {
            "by_seed": scores,
            "settings": {
                "controller": f"{UNITS} tanh units without memory; vectors of {WIDTH} on the stack",
                "learning": f"BPTT, Adam {RATE} with a cosine to 0, gradient norm at most 1",
                "sequences_per_update": BATCH,
                "updates": STEPS,
            },
        },
    )


def stack(task: Task, key: PRNGKeyArray) -> RNN:
    """A stack as long as a training sequence, steered by a layer without memory."""
    settings = {"controller": feed_forward, "rows": task.time_size, "width": WIDTH}
    return RNN(StackCell, task.input_size, UNITS, output_size=task.output_size, key=key, **settings)


def lstm(task: Task, key: PRNGKeyArray) -> RNN:
    """One layer, with more weights than the other network has."""
    return RNN("lstm", task.input_size, LSTM_UNITS, output_size=task.output_size, key=key)


def reached(
    network: str,
    model: Ensemble,
    task: Task,
    beyond: dict[str, Task],
    seeds: Sequence[int],
    settings: StudySettings,
) -> dict[str, dict[str, list[float]]]:
    """Trained on the one task, measured on the others, with a stack as long as these need."""
    steps = 10 if settings.quick else STEPS
    trained = train(
        model,
        task,
        seeds,
        batch=BATCH,
        steps=steps,
        every=min(EVERY, steps),
        rate=RATE,
        right="whole",
        watched=FRESH,
        fresh=FRESH,
    )
    found = {}
    for name, other in beyond.items():
        longer = trained.model
        if network == "stack":
            cell = lambda ensemble: ensemble.members.stack.layers[0]
            longer = eqx.tree_at(cell, longer, with_rows(cell(longer), other.time_size))
        scores = measure(longer, other, other.sample(stream(0, f"fresh {name}"), FRESH))
        found[name] = {metric: values.tolist() for metric, values in scores.items()}
        settings.note(f"stack: {network}, {name}: {found[name]}")
    return found


STUDY = Study("Reversal and nested brackets beyond the training: a network with a stack, and an LSTM", run)
