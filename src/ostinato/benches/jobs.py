"""Whole trainings, from data to a fitted model: the first in a process, a later one, a whole process; and one step."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
import optax

from ostinato.benches.base import BenchSettings, Row
from ostinato.communities import CommunityModel
from ostinato.data import Batches, Communities, SequenceSource, load
from ostinato.layers import RNN, ManyToOne
from ostinato.learning.base import weighted_loss
from ostinato.losses import squared
from ostinato.models.forecast.forecaster import Forecaster
from ostinato.models.sequences.classifier import SequenceClassifier
from ostinato.models.trained import TrainedEstimator
from ostinato.training import fit as train


class Job(NamedTuple):
    """A training: its data as arrays, and the estimator fitted to them for so many epochs."""

    arrays: Callable[[], dict[str, np.ndarray]]
    fit: Callable[[dict[str, np.ndarray], int], TrainedEstimator]
    epochs: int


class Work(NamedTuple):
    """What a peer does: the job of that name on the arrays in a file, in its own process where `whole` is set."""

    job: str
    arrays: Path
    epochs: int
    whole: bool


def run(settings: BenchSettings) -> list[Row]:
    """For each job: a later fit in one process, and whole processes with and without programs that were kept."""
    rows = []
    for name, job in JOBS.items():
        epochs = 2 if settings.quick else job.epochs
        with tempfile.TemporaryDirectory() as folder:
            arrays = job.arrays()
            path = Path(folder) / "arrays.npz"
            # None of the names is that of an option.
            np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]
            rows.append(_later(settings, name, path, epochs))
            if not settings.quick:
                rows += [_process(settings, name, path, epochs, Path(folder), kept=kept) for kept in (False, True)]
    return [*rows, _step(settings)]


def fit(name: str, path: str, epochs: int) -> TrainedEstimator:
    """One job on the arrays in a file."""
    with np.load(path) as arrays:
        return JOBS[name].fit(dict(arrays), epochs)


def processor_seconds(function: Callable[[], Any]) -> tuple[float, float]:
    """What a call takes on all processors, in this process and those that it starts and ends; and by the clock."""
    began, clock = _used(), time.perf_counter()
    function()
    return _used() - began, time.perf_counter() - clock


def _used() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def _later(settings: BenchSettings, name: str, path: Path, epochs: int) -> Row:
    """A fit like one before it in the same process; another length is asked for too."""
    ours = lambda: fit(name, str(path), epochs)
    first = processor_seconds(ours)[0]
    times, clocks = _turns(settings, {"ours": ours, **settings.peer_call(Work(name, path, epochs, False))})
    other = processor_seconds(lambda: fit(name, str(path), epochs + 1))[0]
    detail = {
        "measured": "processor time, all threads",
        "steps": ours().steps_,
        "first_fit_us": 1e6 * first,
        "another_length_us": 1e6 * other,
        "clock_us": clocks,
    }
    settings.note(f"{name}: {times}, {detail}")
    return Row(f"{name}, {epochs} epochs, later fit", times["ours"], *settings.beside(times), None, detail)


def _process(settings: BenchSettings, name: str, path: Path, epochs: int, folder: Path, *, kept: bool) -> Row:
    """A process from its start to its end."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    if kept:
        environment["JAX_COMPILATION_CACHE_DIR"] = str(folder / "programs")
        environment["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        environment["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    program = f"from ostinato.benches.jobs import fit; fit({name!r}, {str(path)!r}, {epochs})"
    # The same interpreter and nothing else: what is measured begins with its start.
    ours = lambda: subprocess.run([sys.executable, "-c", program], env=environment, check=True)  # noqa: S603
    if kept:
        ours()
    times, clocks = _turns(settings, {"ours": ours, **settings.peer_call(Work(name, path, epochs, True))})
    words = "whole process, programs kept on disk" if kept else "whole process, nothing compiled before"
    settings.note(f"{name}, {words}: {times}")
    detail = {"measured": "processor time, all threads", "clock_us": clocks}
    return Row(f"{name}, {epochs} epochs, {words}", times["ours"], *settings.beside(times), None, detail)


def _step(settings: BenchSettings) -> Row:
    """A step of the loop, set-up left out, beside the same step compiled by itself on one batch that is there."""
    count = 20 if settings.quick else 400
    windows = np.lib.stride_tricks.sliding_window_view(_wave()["y"], 30)
    batches = Batches(SequenceSource(windows[:, :24, None], windows[:, 24:]), 64)
    model = ManyToOne(RNN("gru", 1, 32, key=jax.random.key(0)), 6, key=jax.random.key(1))
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(3e-3))
    loop = lambda steps: lambda: train(model, batches, loss=squared, optimizer=optimizer, steps=steps, every=steps)
    arrays, rest = eqx.partition(model, eqx.is_inexact_array)
    examples = batches.at(0)

    def step(arrays: Any, state: Any) -> tuple[Any, Any]:
        loss = lambda arrays: weighted_loss(squared, eqx.combine(arrays, rest)(examples.inputs)[0], examples)
        updates, state = optimizer.update(jax.grad(loss)(arrays), state, arrays)
        return eqx.apply_updates(arrays, updates), state

    compiled = jax.jit(step, donate_argnums=(0, 1))

    def alone() -> None:
        moving = jax.tree.map(lambda a: a + 0, (arrays, optimizer.init(arrays)))
        for _ in range(count):
            moving = compiled(*moving)
        jax.block_until_ready(moving)

    functions = {"once": loop(count), "twice": loop(2 * count), "alone": alone}
    for function in functions.values():
        function()
    times, clocks = _turns(settings, functions)
    found = (times["twice"] - times["once"]) / count
    detail = {"measured": "processor time, all threads", "set_up_us": times["once"] - count * found, "clock_us": clocks}
    settings.note(f"step: {times}")
    case = "forecaster, one training step of the loop"
    return Row(case, found, "the compiled step alone", times["alone"] / count, None, detail)


def _turns(
    settings: BenchSettings, functions: dict[str, Callable[[], Any]]
) -> tuple[dict[str, float], dict[str, float]]:
    """Medians in microseconds, of processor time and by the clock; the functions take turns."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in functions}
    for turn in range(settings.repeat_count(3)):
        for name in list(functions)[:: 1 if turn % 2 == 0 else -1]:
            taken[name].append(processor_seconds(functions[name]))
    middle = lambda place: {n: 1e6 * statistics.median(t[place] for t in times) for n, times in taken.items()}
    return middle(0), middle(1)


def _wave() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"y": np.sin(np.arange(2000) * np.pi / 12) + 0.1 * rng.normal(size=2000)}


def _forecaster(arrays: dict[str, np.ndarray], epochs: int) -> TrainedEstimator:
    return Forecaster("gru", 32, context=24, horizon=6, batch_size=64, epochs=epochs).fit(arrays["y"])


def _vowels() -> dict[str, np.ndarray]:
    train = load("japanese_vowels").train
    lengths = np.array([len(v) for v in train.values])
    return {"values": np.concatenate(train.values), "lengths": lengths, "labels": np.asarray(train.labels, str)}


def _classifier(arrays: dict[str, np.ndarray], epochs: int) -> TrainedEstimator:
    sequences = np.split(arrays["values"], np.cumsum(arrays["lengths"])[:-1])
    return SequenceClassifier("gru", 32, batch_size=32, epochs=epochs).fit(sequences, arrays["labels"].tolist())


def _communities() -> dict[str, np.ndarray]:
    """Sixty communities of twelve species at four times: growth to a shared bound."""
    rng = np.random.default_rng(0)
    present = rng.integers(0, 2, (60, 12))
    present[:, 0] = 1
    values = [0.01 * present / present.sum(1, keepdims=True)]
    rates = rng.uniform(1, 3, 12)
    for _ in range(3):
        grown = values[-1] * np.exp(rates)
        values.append(grown / (1 + grown.sum(1, keepdims=True)))
    return {"values": np.stack(values, axis=1)}


def _community(arrays: dict[str, np.ndarray], epochs: int) -> TrainedEstimator:
    values = arrays["values"]
    names, kinds = tuple(f"c{i}" for i in range(len(values))), tuple(f"s{i}" for i in range(values.shape[2]))
    data = Communities(names, kinds, (), np.array([0.0, 16.0, 32.0, 48.0]), values)
    return CommunityModel(hidden_size=32, members=5, folds=0, epochs=epochs).fit(data)


JOBS: dict[str, Job] = {
    "forecaster": Job(_wave, _forecaster, 50),
    "classifier": Job(_vowels, _classifier, 60),
    "community": Job(_communities, _community, 80),
}
