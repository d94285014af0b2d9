"""Echo-state networks on their usual tasks: NARMA, Mackey-Glass by itself, the Santa Fe laser, short-term memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ostinato.analysis import memory_capacity
from ostinato.cells import ES2N, Cell, EchoState
from ostinato.data import stream
from ostinato.data.catalogue import load
from ostinato.models import ESN
from ostinato.precision import float64
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.tasks import mackey_glass, narma

NARMA = "Rodan and Tino 2011: the task; bars set from a run of the same equations in another program"
JAEGER = "Jaeger and Haas 2004: the task; bar set from a run of the same equations in another program"
LASER = "Weigend and Gershenfeld 1994: the data; bar set from a run of the same equations in another program"
CENI = "Ceni and Gallicchio 2023, in a notebook of ReservoirPy"
TRAIN, TEST, WASHOUT = 2000, 1800, 100
GENERATED, HORIZON, STARTS, HISTORY = 3000, 84, 50, 1000
# Chosen on the second part of the laser (steps 2000 to 5000) with seeds 100 and 101; judged on the third, 5000 to 8000.
LASER_SETTINGS: dict[str, Any] = {"hidden_size": 200, "input_scaling": 4.0, "bias_scaling": 0.2, "penalty": 1e-4}


def run(settings: StudySettings) -> list[Claim]:
    """Task by task, the mean of the seeds, a linear model of the last ten inputs beside it."""
    seeds = settings.seed_list(5)
    sizes = {40: 0.5} if settings.quick else {200: 0.08, 500: 0.045}
    tasks = [narma_task(seed) for seed in seeds]
    units, starts, goes_on = (60, 5, 0.0) if settings.quick else (400, STARTS, -2.7)
    generated = np.tanh(mackey_glass(GENERATED + 60 * starts + HORIZON) - 1)
    record = np.asarray(load("santafe_laser").table["intensity"], np.float64) / 255
    options, ahead = (LASER_SETTINGS | {"hidden_size": 50}, 0.3) if settings.quick else (LASER_SETTINGS, 0.1)
    return [
        *(narma_claim(units, Bar.at_most(most), tasks, settings) for units, most in sizes.items()),
        going_on(generated, units, seeds, Bar.at_most(goes_on), settings),
        laser(record, options, seeds, Bar.at_most(ahead), settings),
        *memory(settings),
    ]


def narma_task(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and what is wanted."""
    u = np.random.default_rng(seed).uniform(0, 0.5, TRAIN + TEST)
    return u, narma(u)


def narma_claim(
    units: int, bar: Bar, series: Sequence[tuple[np.ndarray, np.ndarray]], settings: StudySettings
) -> Claim:
    """NMSE of NARMA of order 10: fresh inputs for each seed, fitted to the first part, judged by the second."""
    options = {"spectral_radius": 0.95, "input_scaling": 0.2, "bias_scaling": 0.2, "penalty": 1e-8}
    errors, linear = [], []
    for seed, (u, y) in enumerate(series):
        scores = one_step(u, y, slice(TRAIN), slice(TRAIN, None), seed, hidden_size=units, **options)
        errors.append(scores["nrmse"] ** 2)
        linear.append(scores["baselines"]["linear"]["nrmse"] ** 2)
    settings.note(f"reservoir: NARMA-10, {units} units: NMSE {np.round(errors, 4).tolist()}")
    name = f"NARMA-10: error over variance, {units} units, mean of {len(series)} seeds"
    beside = {"linear in the last 10 inputs": float(np.mean(linear))}
    return Claim(name, NARMA, None, float(np.mean(errors)), bar, beside, {"by_seed": errors})


def one_step(
    inputs: np.ndarray, targets: np.ndarray | None, seen: slice, held: slice, seed: int, **options: Any
) -> dict[str, Any]:
    """What a reservoir that is fitted to one stretch of a series scores on another, after steps that only warm it up.

    Without targets it is asked for the next value of its inputs.
    """
    part = lambda values, rows: () if values is None else (values[rows],)
    model = ESN(**options, washout=WASHOUT, scale=False, seed=seed).fit(inputs[seen], *part(targets, seen))
    rows = slice(held.start - WASHOUT, held.stop)
    return model.evaluate(inputs[rows], *part(targets, rows))


def going_on(series: np.ndarray, units: int, seeds: list[int], bar: Bar, settings: StudySettings) -> Claim:
    """The network goes on by itself for 84 steps, from many places of the series that follows the training part."""
    seen = series[:GENERATED]
    at = np.arange(GENERATED, len(series) - HORIZON, 60)
    wanted, values = series[at + HORIZON - 1], []
    for seed in seeds:
        model = ESN(units, penalty=1e-10, washout=WASHOUT, scale=False, seed=seed).fit(seen)
        made = np.array([model.forecast(HORIZON, history=series[k - HISTORY : k])[-1] for k in at])
        values.append(float(np.log10(np.sqrt(np.mean(np.square(made - wanted))) / series.std())))
    lags = lambda ends: np.stack([series[ends - 1 - k] for k in range(50)] + [np.ones(len(ends))], axis=1)
    ends = np.arange(50, GENERATED - HORIZON)
    weights = np.linalg.lstsq(lags(ends), series[ends + HORIZON - 1], rcond=None)[0]
    linear = wanted - lags(at) @ weights
    beside = {
        "linear in the last 50 values": float(np.log10(np.sqrt(np.mean(linear**2)) / series.std())),
        "the mean": 0.0,
    }
    settings.note(f"reservoir: Mackey-Glass: log10 NRMSE84 {np.round(values, 3).tolist()}")
    name = f"Mackey-Glass, 84 steps by itself: log10 NRMSE, {units} units, mean of {len(seeds)} seeds"
    return Claim(name, JAEGER, None, float(np.mean(values)), bar, beside, {"by_seed": values, "starts": len(at)})


def laser(record: np.ndarray, options: dict[str, Any], seeds: list[int], bar: Bar, settings: StudySettings) -> Claim:
    """One step ahead on a part of the record that nothing was chosen on."""
    scores = [one_step(record, None, slice(TRAIN), slice(5000, 8000), seed, **options) for seed in seeds]
    errors = [score["nrmse"] for score in scores]
    settings.note(f"reservoir: laser: NRMSE {np.round(errors, 4).tolist()}")
    beside = {"linear in the last 10 values": scores[0]["baselines"]["linear"]["nrmse"]}
    name = f"Santa Fe laser: NRMSE one step ahead, {options['hidden_size']} units, mean of {len(seeds)} seeds"
    return Claim(name, LASER, None, float(np.mean(errors)), bar, beside, {"by_seed": errors})


def memory(settings: StudySettings) -> list[Claim]:
    """Memory of a hundred units, at the edge of stability and below it; long series, so that chance counts little."""
    units, delays = (20, 40) if settings.quick else (100, 200)
    kinds: dict[str, tuple[type[Cell], dict[str, float], float]] = {
        "leaky echo-state network": (EchoState, {"leak": 0.5, "spectral_radius": 0.9}, 31.94),
        "ES2N": (ES2N, {"proximity": 0.05, "spectral_radius": 0.9}, 97.40),
    }
    capacities = {}
    with float64():
        for name, (make, options, _) in kinds.items():
            cell = make(1, units, dtype="float64", input_scaling=0.1, key=stream(0, "reservoir"), **options)  # pyright: ignore
            shares = memory_capacity(cell, delays, series=stream_of_numbers(30 * delays), penalty=1e-9)
            capacities[name] = float(shares.sum())
    settings.note(f"reservoir: memory capacity {capacities}")
    ours, beside = capacities["ES2N"], capacities["leaky echo-state network"]
    published = None if settings.quick else kinds["ES2N"][2]
    name = f"memory capacity of ES2N, {units} units, {delays} delays"
    bar = Bar.all_of(Bar.at_least(0.9 * units), Bar.above(beside, "a leaky echo-state network"))
    return [Claim(name, CENI, published, ours, bar, {"leaky echo-state network": beside})]


def stream_of_numbers(length: int) -> np.ndarray:
    """Uniform in ±0.8."""
    return np.random.default_rng(0).uniform(-0.8, 0.8, length)
