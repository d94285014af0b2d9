"""Paths through random graphs of up to 8 nodes, told edge by edge: the DNC and an LSTM (Graves et al. 2016)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import PRNGKeyArray

from ostinato.cells import count_parameters
from ostinato.data import Examples, stream
from ostinato.layers import RNN
from ostinato.memory import DNC, feed_forward
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.optimizers import fading_adam
from ostinato.tasks import GraphTraversal
from ostinato.training import fit

from .ntm import measure

SOURCE = "Graves et al. 2016: traversal of random graphs; the bar is this project's own"
DEGREE, LABELS, NODES, PATH = 2, 3, (2, 8), (1, 4)
# Nodes, labels in the path, updates: graphs and paths grow in training; the last stage is the task itself.
STAGES = (((2, 4), (1, 1), 800), ((2, 6), (1, 2), 400), (NODES, PATH, 500))
UNITS, ROWS, WIDTH, LSTM_UNITS = 48, 16, 16, 64
BATCH, RATE, FRESH, BAR = 64, 0.005, 2000, 0.95


class Growing:
    """Batches of one task after the other, each for so many updates."""

    def __init__(self, seed: int, tasks: Sequence[GraphTraversal], updates: Sequence[int]):
        self.seed, self._tasks, self._ends = seed, tasks, np.cumsum(updates)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def at(self, step: int) -> Examples:
        """The batch of a step."""
        task = self._tasks[int(np.searchsorted(self._ends, step % len(self), side="right"))]
        return task.sample(stream(self.seed, "task", step), BATCH)


def run(settings: StudySettings) -> list[Claim]:
    """Seed after seed; the LSTM sees the same trials. Nothing is chosen on the way."""
    seeds = settings.seed_list(4)
    stages = [(nodes, path, 4) for nodes, path, _ in STAGES[:1]] if settings.quick else STAGES
    tasks = [traversal(nodes, path) for nodes, path, _ in stages]
    updates = [count for *_, count in stages]
    fresh = {
        "as in training": tasks[-1],
        "the largest graphs and the longest paths": traversal(*((n[1], n[1]) for n in stages[-1][:2])),
    }
    trials = {
        name: (task, task.sample(stream(0, name), 50 if settings.quick else FRESH)) for name, task in fresh.items()
    }
    found: dict[str, list[dict[str, dict[str, float]]]] = {}
    for name, make in (("DNC", dnc), ("LSTM", lstm)):
        # One optimiser for all seeds, so that they share what was compiled.
        optimizer = fading_adam(RATE, sum(updates))
        for seed in seeds:
            batches, model = Growing(seed, tasks, updates), make(stream(seed, "init"))
            steps = len(batches)
            model = fit(model, batches, loss=tasks[-1].loss, optimizer=optimizer, steps=steps, every=steps).last
            scores = {which: measure(model, *trial) for which, trial in trials.items()}
            settings.note(f"graph-traversal, {name}, seed {seed}: {scores}")
            found.setdefault(name, []).append(scores)
    return [judged(found, seeds, list(stages))]


def traversal(nodes: tuple[int, int], path: tuple[int, int]) -> GraphTraversal:
    """The task with graphs and paths of these sizes."""
    return GraphTraversal(nodes=nodes, path=path, degree=DEGREE, labels=LABELS)


def dnc(key: PRNGKeyArray) -> RNN:
    """A controller without a memory of its own, and a row for each edge of the largest graph."""
    task = traversal(NODES, PATH)
    memory = {"rows": ROWS, "width": WIDTH, "readers": 1, "controller": feed_forward}
    return RNN(DNC, task.input_size, UNITS, output_size=task.output_size, key=key, **memory)


def lstm(key: PRNGKeyArray) -> RNN:
    """One layer, with many more weights than the other network has."""
    task = traversal(NODES, PATH)
    return RNN("lstm", task.input_size, LSTM_UNITS, output_size=task.output_size, key=key)


def judged(found: dict[str, list[Any]], seeds: list[int], stages: list[Any]) -> Claim:
    """The share of answers that are right, of all seeds and of the worst."""
    shares = lambda name: [scores["as in training"]["accuracy"] for scores in found[name]]
    sizes: dict[str, Callable[[PRNGKeyArray], RNN]] = {"DNC": dnc, "LSTM": lstm}
    return Claim(
        f"DNC: answers right on paths of 1 to {stages[-1][1][1]} labels through {FRESH} random graphs of "
        f"{stages[-1][0][0]} to {stages[-1][0][1]} nodes, mean of {len(seeds)} seeds",
        SOURCE,
        None,
        float(np.mean(shares("DNC"))),
        Bar.each(Bar.above(BAR)),
        {
            f"LSTM of {LSTM_UNITS} units, mean": float(np.mean(shares("LSTM"))),
            "no memory": traversal(NODES, PATH).chance["accuracy"],
        },
        {
            "by seed": {name: dict(zip(map(str, seeds), scores, strict=True)) for name, scores in found.items()},
            "weights": {name: count_parameters(make(stream(0, "size"))) for name, make in sizes.items()},
            "settings": {
                "network": f"feed-forward controller of {UNITS} units, {ROWS} rows of {WIDTH}, one head to read",
                "graphs": f"{DEGREE} edges out of each node, with {LABELS} labels",
                "stages": [f"{nodes} nodes, path of {path}, {count} updates" for nodes, path, count in stages],
                "learning": f"Adam {RATE} with a cosine to 0, gradient norm at most 1",
                "sequences_per_update": BATCH,
                "chosen": "on seeds from 100 on, which are not reported",
            },
        },
        judged=shares("DNC"),
    )
