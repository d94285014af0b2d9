"""The genetic algorithm: XOR in time to each of its three stopping rules, and an oscillator of two neurons."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from ostinato.cells import CTRNN
from ostinato.data import Examples, SequenceBatch, stream
from ostinato.layers import RNN, unroll
from ostinato.learning import GeneticAlgorithm, RandomSearch
from ostinato.losses import squared
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.batches import Same
from ostinato.training import fit

SOURCE = "one gene per weight, one chromosome per network, fitness the reciprocal of the mean squared error"
BEER = "Beer, Adaptive Behavior 3, 1995: two neurons are enough for a limit cycle"
POPULATION, GENERATIONS, ERROR, EXACTLY = 128, 500, 0.01, 40
STEP, PERIOD, CYCLES = 0.2, 20.0, 3


def run(settings: StudySettings) -> list[Claim]:
    """Generations to each end, random search with as many evaluations beside it; then the oscillator."""
    seeds = settings.seed_list(5)
    rules = {
        "every bit right": ("share", {"share": 1.0}),
        f"error at most {ERROR}": ("error", {"error": ERROR}),
        f"{EXACTLY} generations": ("generations", {"generations": EXACTLY}),
    }
    claims = []
    for name, (reason, limit) in rules.items():
        most = 60 if settings.quick else GENERATIONS
        results = [
            xor(seed, GeneticAlgorithm(population=POPULATION, span=2.0, mutation=0.5, **limit), most) for seed in seeds
        ]
        reached = [result.stopped == reason for result, _ in results]
        taken = [result.steps for result, _ in results]
        beside = [xor(seed, RandomSearch(POPULATION, 2.0), steps)[1] for seed, steps in zip(seeds, taken, strict=True)]
        settings.note(f"XOR in time, {name}: {taken} generations, ended by {[r.stopped for r, _ in results]}")
        detail = {
            "generations": taken,
            "error": [found["error"] for _, found in results],
            "share": [found["share"] for _, found in results],
            "population": POPULATION,
        }
        claims.append(
            Claim(
                f"XOR in time until {name}: median generations of {len(seeds)} seeds",
                SOURCE,
                None,
                float(np.median(taken)),
                Bar.exactly(len(seeds)).of(f"seeds that end by it within {most} generations", sum(reached)),
                {
                    "random search, error with as many networks": float(np.median([b["error"] for b in beside])),
                    "random search, share": float(np.median([b["share"] for b in beside])),
                },
                detail,
            )
        )
    return [*claims, oscillator(seeds, settings)]


def xor(seed: int, rule: Any, steps: int) -> tuple[Any, dict[str, float]]:
    """The result on XOR of a bit and the one before, and what its network makes of the examples."""
    bits = jr.bernoulli(stream(seed, "bits"), 0.5, (16, 12, 1)).astype(jnp.result_type(float))
    targets = jnp.concatenate([jnp.zeros((16, 1, 1), bits.dtype), jnp.abs(bits[:, 1:] - bits[:, :-1])], axis=1)
    weight = jnp.ones((16, 12), bits.dtype).at[:, 0].set(0) / (16 * 11)
    model = RNN("elman", 1, 4, output_size=1, output_activation="sigmoid", key=stream(seed, "network"))
    batches = Same(Examples(SequenceBatch(bits), targets, weight))
    result = fit(model, batches, loss=squared, rule=rule, steps=steps, every=steps, seed=seed)
    error = np.abs(np.asarray(result.model(bits)[0] - targets))[:, 1:]
    return result, {"error": float(np.mean(np.square(error))), "share": float(np.mean(error <= 0.5))}


def oscillator(seeds: list[int], settings: StudySettings) -> Claim:
    """Two neurons evolved on three cycles of a sine, then run for thirty without it."""
    steps = round(CYCLES * PERIOD / STEP)
    wave = 0.5 + 0.3 * jnp.sin(2 * jnp.pi * STEP / PERIOD * jnp.arange(1, steps + 1))[None, :, None]
    examples = Examples(SequenceBatch(jnp.zeros((1, steps, 0))), wave, jnp.full((1, steps), 1 / steps))

    def first(y: Array, target: Array) -> Float[Array, ""]:
        return jnp.square(y[0] - target[0])

    generations = 40 if settings.quick else GENERATIONS
    found = []
    for seed in seeds:
        cell = CTRNN(0, 2, step=STEP, key=stream(seed, "network"))
        rule = GeneticAlgorithm(population=2 * POPULATION, span=4.0, mutation=0.3, elite=4)
        result = fit(cell, Same(examples), loss=first, rule=rule, steps=generations, every=generations, seed=seed)
        ys = np.asarray(jax.jit(lambda c: unroll(c, jnp.zeros((10 * steps, 0)))[0])(result.model))[:, 0]
        found.append({"error": result.history[-1]["measured"]["loss"], **cycle(ys[5 * steps :])})
        settings.note(f"oscillator, seed {seed}: {found[-1]}")
    sustained = [f["amplitude"] > 0.15 and abs(f["period"] / PERIOD - 1) < 0.1 for f in found]
    beside = {"the mean of the wave, squared error": float(jnp.var(wave))}
    detail = {"seeds": found, "generations": generations, "population": 2 * POPULATION, "period_wanted": PERIOD}
    name = f"Oscillator of two neurons: seeds of {len(seeds)} that go on for 30 cycles, period {PERIOD:g} within 10 %"
    return Claim(name, BEER, None, float(sum(sustained)), Bar.at_least(1), beside, detail)


def cycle(ys: np.ndarray) -> dict[str, float]:
    """Amplitude, and period by upward crossings of the mean; 0 where there are fewer than three."""
    centred = ys - ys.mean()
    up = np.flatnonzero((centred[:-1] < 0) & (centred[1:] >= 0))
    period = STEP * float(np.mean(np.diff(up))) if len(up) > 2 else 0.0
    return {"amplitude": float(np.ptp(ys) / 2), "period": period}
