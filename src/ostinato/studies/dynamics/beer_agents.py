"""Two networks evolved by Beer's programs, run again: where the visual agent ends, how fast the walker walks."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ostinato.cells import CTRNN
from ostinato.data.catalogue import load
from ostinato.data.sets.beer import Neurons
from ostinato.environments.embodied import SENSORS, walk, watch_fall
from ostinato.precision import float64
from ostinato.studies import Bar, Claim, StudySettings

SOURCE = "Beer's Evolutionary Agents; figures computed before, with the original program in C++"
OFFSETS = {
    ("disc", 50.0): 25.5795220516,
    ("disc", -10.0): -18.1827697977,
    ("line", 50.0): 44.6960209971,
    ("line", -10.0): -43.3011040477,
}
VELOCITY = 0.614887


def network(found: Neurons, inputs: int) -> CTRNN:
    """The cell with these numbers; the first neurons are the sensors, one input each."""
    n = len(found.tau)
    cell = CTRNN(inputs, n, tau=found.tau, theta=found.bias, gain=found.gain, step=0.1, dtype="float64", key=jr.key(0))
    weights = jnp.eye(n, inputs, dtype="float64")[None], jnp.asarray(found.weights.T, "float64")[None]
    return eqx.tree_at(lambda c: (c.W, c.R), cell, weights)


def run(settings: StudySettings) -> list[Claim]:
    """Four falls, all falls from -50 to 50, and a walk of 200 units of time."""
    data = load("beer_agents")
    with float64():
        agent, walker = network(data["categorize"], SENSORS), network(data["cpg"], 0)
        ends = eqx.filter_jit(jax.vmap(lambda start, line: watch_fall(agent, start, line)[-1]))
        starts, lines = np.array([s for _, s in OFFSETS]), np.array([k == "line" for k, _ in OFFSETS])
        claims = []
        for (kind, start), end in zip(OFFSETS, np.asarray(ends(starts, lines)), strict=True):
            name = f"visual agent: where it is when a {kind} lands, begun at {start:g}"
            claims.append(Claim(name, SOURCE, None, float(end), Bar.within(5e-9, of=OFFSETS[kind, start])))
        everywhere = np.arange(-50.0, 51.0, 5.0)
        mean = {
            kind: float(np.mean(np.abs(ends(everywhere, np.full(len(everywhere), kind == "line")))))
            for kind in ("disc", "line")
        }
        settings.note(f"beer-agents: mean distance {mean}")
        name = "visual agent: mean distance from discs over that from lines, begun at -50 to 50"
        share = mean["disc"] / mean["line"]
        claims.append(Claim(name, SOURCE, None, share, Bar.below(1).noting("it comes to discs"), {}, mean))
        velocity = float(walk(walker)[-1]) / 200
    return [*claims, Claim("walker: mean velocity", SOURCE, None, velocity, Bar.within(5e-7, of=VELOCITY))]
