"""Memories that settle: how much a Hopfield network holds, Kosko's example of a BAM, circuits that keep a pulse."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ostinato.associative import BAM, Hopfield, bipolar, latch, overlap, reverberating_loop
from ostinato.data import stream
from ostinato.layers import unroll
from ostinato.studies import Bar, Claim, StudySettings

AMIT = "Amit, Gutfreund and Sompolinsky 1985: recall breaks down near a load of 0.138"
UNITS, STEPS = 1000, 10_000
LOADS = (0.10, 0.12, 0.13, 0.14, 0.15, 0.16, 0.18, 0.20)
LEVEL, BETWEEN, BROKEN = 0.7, (0.13, 0.15), 0.138


def mean_overlap(units: int, load: float, seed: int) -> float:
    """Random patterns are stored, the network starts from each of them, and what is left of it is measured."""
    key = stream(seed, f"load {load}")
    patterns = jr.rademacher(key, (round(load * units), units), "float32")
    found = Hopfield.store(patterns).recall(patterns, key=jr.fold_in(key, 1))
    return float(jnp.mean(overlap(found.state, patterns)))


def largest_rise(units: int, seed: int) -> float:
    """By how much the energy, in float64 from its definition, rises in the worst of 3 rounds from random states."""
    rng = np.random.default_rng([seed, units])
    patterns = rng.choice([-1.0, 1.0], (units // 10, units))
    network = Hopfield.store(patterns.astype(np.float32))
    state = rng.choice([-1.0, 1.0], units)
    W, worst = np.asarray(network.W, np.float64), -np.inf
    for _ in range(3):
        order = rng.permutation(units)
        after, _ = network.sweep(jnp.asarray(state, "float32"), jnp.asarray(order))
        # One row for each step: the first so many units of the order are new.
        path = np.where(np.tri(units + 1, units, -1)[:, np.argsort(order)], np.asarray(after, np.float64), state)
        energies = -0.5 * np.einsum("ti,ti->t", path @ W, path)
        worst = max(worst, float(np.max(np.diff(energies))))
        state = path[-1]
    return worst


def run(settings: StudySettings) -> list[Claim]:
    """Load by load, then the small networks."""
    units = 200 if settings.quick else UNITS
    seeds = settings.seed_list(5)
    curve = {}
    for load in LOADS:
        curve[load] = [mean_overlap(units, load, seed) for seed in seeds]
        settings.note(f"associative: load {load:g}: mean overlap {np.mean(curve[load]):.4f}")
    mean = {load: float(np.mean(values)) for load, values in curve.items()}
    crossing = crossing_of(mean)
    detail = {"mean overlap by load": {f"{load:g}": values for load, values in curve.items()}, "units": units}
    rise = max(largest_rise(units, seed) for seed in seeds)
    name = f"Hopfield, {units} units, {len(seeds)} networks:"
    claims = [
        Claim(f"{name} largest rise of the energy in a step", AMIT, 0.0, rise, Bar.at_most(1e-9)),
        Claim(f"{name} mean overlap at load 0.10", AMIT, None, mean[0.1], Bar.above(0.95), {}, detail),
        Claim(f"{name} mean overlap at load 0.20", AMIT, None, mean[0.2], Bar.below(0.5)),
        Claim(f"{name} load at which the mean overlap is {LEVEL}", AMIT, BROKEN, crossing, Bar.between(*BETWEEN)),
    ]
    if not settings.quick:
        twice = crossing_of({load: mean_overlap(2 * units, load, 0) for load in (0.14, 0.15, 0.16, 0.17)})
        nearer = Bar.below(abs(crossing - BROKEN), f"that of {units} units")
        bar = nearer.of(f"distance from {BROKEN}", abs(twice - BROKEN))
        claims.append(Claim(f"the same, {2 * units} units, 1 network", AMIT, BROKEN, twice, bar))
    return [*claims, *kosko(), *circuits()]


def crossing_of(mean: dict[float, float]) -> float:
    """The load at which the mean overlap falls through the level, between two loads by a straight line."""
    return float(np.interp(-LEVEL, [-value for value in mean.values()], list(mean)))


def kosko() -> list[Claim]:
    """The example of two pairs, in both directions."""
    A, B = bipolar(["101010", "111000"]), bipolar(["1100", "1010"])
    memory = BAM.store(A, B)
    rows = [(2, 0, 0, -2), (0, -2, 2, 0), (2, 0, 0, -2), (-2, 0, 0, 2), (0, 2, -2, 0), (-2, 0, 0, 2)]
    off = float(
        np.abs(np.asarray(memory.W) - rows).max()
        + np.abs((1, 0, 1, 0, 1, 0) @ np.asarray(memory.W) - (4, 2, -2, -4)).max()
    )
    wrong = int(jnp.sum(memory.recall(a=A).b != B) + jnp.sum(memory.recall(b=B).a != A))
    source, nothing = "Kosko 1988", Bar.exactly(0)
    return [
        Claim("BAM: difference from Kosko's matrix and its product with A1 as 0 and 1", source, 0.0, off, nothing),
        Claim("BAM: wrong bits in both directions", source, 0.0, wrong, nothing),
    ]


def circuits() -> list[Claim]:
    """A latch and a loop of seven neurons that keep a pulse."""
    xs = np.zeros((STEPS + 4, 2), np.float32)
    xs[0:2, 1] = xs[2:4, 0] = 1
    bits = np.asarray(unroll(latch(), jnp.asarray(xs))[0])[4:]
    pulse = np.asarray(unroll(reverberating_loop(7), jnp.zeros((STEPS, 2)).at[0, 0].set(1.0))[0])
    held = int(np.sum((bits == (1, 0)).all(axis=1)))
    round_ = int(np.sum((pulse == np.eye(7)[np.arange(STEPS) % 7]).all(axis=1)))
    source, always = "McCulloch and Pitts 1943", Bar.exactly(STEPS)
    return [
        Claim("latch: steps for which a bit is held", source, None, held, always),
        Claim("loop of 7: steps for which a pulse goes round", source, None, round_, always),
    ]
