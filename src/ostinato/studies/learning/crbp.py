"""Causal recursive back-propagation: how much its truncation leaves out, and what that does to learning.

The system to identify is that of Back and Tsoi, "A simplified gradient algorithm for IIR synapse multilayer
perceptrons", Neural Computation 5 (1993): a linear filter of third order, then a sine,

    z[t] = 0.0154 x[t] + 0.0462 x[t-1] + 0.0462 x[t-2] + 0.0154 x[t-3] + 1.99 z[t-1] - 1.572 z[t-2] + 0.4583 z[t-3]
    y[t] = sin(π z[t])

with x uniform in ±1. The coefficients are those of the public SAF-Toolbox (`WSAF_IIR_Volterra_compare_demo.m`), where
the third one of the numerator is 0.0465; it was taken to be symmetric here. Its sine has no factor, or π/2; π, which
bends more, was chosen here. The paper itself was not at hand.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray
from scipy.signal import lfilter

from ostinato.analysis import poles
from ostinato.cells import Filters
from ostinato.data import Examples, SequenceBatch
from ostinato.layers import Stack, unroll
from ostinato.learning import BPTT, CRBP, RBP, GradientRule
from ostinato.losses import squared
from ostinato.precision import float64
from ostinato.studies import Bar, Claim, StudySettings

SOURCE = "Campolucci, Uncini, Piazza and Rao 1999"
NUMERATOR, DENOMINATOR = (0.0154, 0.0462, 0.0462, 0.0154), (1.0, -1.99, 1.572, -0.4583)
BARS = {0: 0.95, 3: 0.995, 5: 0.9999}
# The size of a tap relative to the one before it, and the largest modulus of the poles, which are real.
FILTERS = {"fading taps": (0.25, 0.25), "flat taps": (1.0, 0.25), "slow poles": (0.25, 0.75)}
STEPS, CHUNK, RATE, HIDDEN, HORIZON = 40_000, 10, 3e-3, 4, 5


def run(settings: StudySettings) -> list[Claim]:
    """The truncation on random networks, then Back and Tsoi's system by both rules."""
    return [*truncation(settings), *identification(settings)]


def random_network(key: PRNGKeyArray, fade: Float[Array, ""], radius: Float[Array, ""]) -> Stack:
    """A stable 2-4-1 network of three taps and two feedbacks: normal taps that fade, real poles within a radius."""
    layers = []
    for inputs, units, k in zip((2, 4), (4, 1), jr.split(key), strict=True):
        k_w, k_r, k_b = jr.split(k, 3)
        cell = Filters(inputs, units, dtype="float64", key=k)
        w = 0.5 * jr.normal(k_w, cell.w.shape, "float64") * (fade ** jnp.arange(3.0, dtype="float64"))[:, None, None]
        first, second = radius * jr.uniform(k_r, (2, units, inputs), "float64", -1.0, 1.0)
        v = jnp.stack([first + second, -first * second])
        b = 0.1 * jr.normal(k_b, (units,), "float64")
        layers.append(eqx.tree_at(lambda c: (c.w, c.v, c.b), cell, (w, v, b)))
    return Stack(layers)


def truncation(settings: StudySettings) -> list[Claim]:
    """Cosines between the gradients of CRBP and RBP; RBP beside automatic differentiation."""
    seeds, time = settings.seed_list(5), 60 if settings.quick else 300
    found = []
    with float64():
        k_x, k_y = jr.split(jr.key(100))
        # Errors of the last steps are 0, so that CRBP's delays end inside the sequence.
        weight = jnp.ones((1, time)).at[:, -3 * max(BARS) :].set(0.0)
        inputs = SequenceBatch(jr.normal(k_x, (1, time, 2)))
        examples = Examples(inputs, jr.normal(k_y, (1, time, 1)), weight)
        kinds = [(jr.key(seed), fade, radius) for fade, radius in FILTERS.values() for seed in seeds]
        keys, fades, radii = (jnp.stack([jnp.asarray(p) for p in part]) for part in zip(*kinds, strict=True))
        networks = eqx.filter_vmap(random_network)(keys, fades, radii)
        exact = gradients(RBP(), networks, examples)
        by_autodiff = gradients(BPTT(), networks, examples)
        gap = float(np.max(np.abs(exact - by_autodiff)) / np.max(np.abs(by_autodiff)))
        name = f"RBP beside automatic differentiation, {len(kinds)} networks: largest difference over largest entry"
        found.append(Claim(name, SOURCE, None, gap, Bar.at_most(1e-8)))
        for horizon in BARS:
            other = gradients(CRBP(horizon), networks, examples)
            every = np.sum(exact * other, axis=1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(other, axis=1)
            for kind, cosines in zip(FILTERS, np.split(every, len(FILTERS)), strict=True):
                found.append(alike(horizon, kind, cosines))
                settings.note(f"crbp: Q={horizon}, {kind}: {found[-1].ours:.6g}")
    return found


def alike(horizon: int, kind: str, cosines: np.ndarray) -> Claim:
    """The claim about the truncation after so many steps on networks of one kind."""
    fade, radius = FILTERS[kind]
    name = f"cosine of CRBP at Q={horizon} with RBP, mean of {len(cosines)} stable 2-4-1 networks, {kind}"
    detail = {"cosines": cosines.tolist(), "tap over tap before": fade, "largest pole": radius}
    return Claim(name, SOURCE, None, float(np.mean(cosines)), Bar.at_least(BARS[horizon]), {}, detail)


def gradients(rule: GradientRule, networks: Any, examples: Examples) -> np.ndarray:
    """One row of gradients for each network."""

    @eqx.filter_jit
    def every(networks: Any, examples: Examples) -> Any:
        one = lambda network: rule(network, squared, examples, rule.init(network, examples))[1]
        return eqx.filter_vmap(one)(networks)

    leaves = jax.tree.leaves(every(networks, examples))
    return np.concatenate([np.asarray(leaf).reshape(leaf.shape[0], -1) for leaf in leaves], axis=1)


def system(rng: np.random.Generator, time: int) -> tuple[Float[Array, "time 1"], Float[Array, "time 1"]]:
    """Input and output of Back and Tsoi's system, from rest."""
    x = rng.uniform(-1, 1, time)
    y = np.sin(np.pi * np.asarray(lfilter(NUMERATOR, DENOMINATOR, x)))
    return jnp.asarray(x[:, None], jnp.float32), jnp.asarray(y[:, None], jnp.float32)


def identification(settings: StudySettings) -> list[Claim]:
    """The same networks, data and steps by CRBP and by Back and Tsoi's rule; every update sees ten steps."""
    seeds, steps = settings.seed_list(10), 2000 if settings.quick else STEPS
    streams = [system(np.random.default_rng([seed, 0]), steps) for seed in seeds]
    xs, ys = (jnp.stack(part) for part in zip(*streams, strict=True))
    networks = eqx.filter_vmap(new_network)(jnp.stack([jr.key(seed) for seed in seeds]))
    test = system(np.random.default_rng([0, 1]), 5000)
    variance = float(jnp.var(test[1][100:]))

    def errors(networks: Any) -> np.ndarray:
        every = eqx.filter_vmap(lambda network: unroll(network, test[0], kernel="reference")[0])(networks)
        found = np.mean(np.asarray(every - test[1][None], np.float64)[:, 100:, 0] ** 2, axis=1) / variance
        # What grew without end is no better than saying nothing.
        return np.where(found < 1, found, 1.0)

    found, detail = {}, {}
    for name, rule in {"CRBP": CRBP(HORIZON), "Back-Tsoi": CRBP(0)}.items():
        trained = learn(rule, networks, xs, ys)
        found[name] = errors(trained)
        radii = jnp.stack([jnp.max(jnp.abs(eqx.filter_vmap(poles)(layer)), axis=(1, 2, 3)) for layer in trained.layers])
        outside = int(jnp.sum(~(jnp.max(radii, axis=0) < 1)))
        detail[name] = {"errors": found[name].tolist(), "networks with a pole outside the unit circle": outside}
        settings.note(f"crbp, identification by {name}: errors {np.round(found[name], 5).tolist()}")
    detail["settings"] = {
        "system": {"numerator": NUMERATOR, "denominator": DENOMINATOR, "output": "sin(pi z)", "input": "uniform in ±1"},
        "system's source": "coefficients of the SAF-Toolbox, made symmetric; the factor of the sine chosen here",
        "network": f"1-{HIDDEN}-1, four taps and three feedbacks in each synapse, tanh and linear",
        "optimiser": f"Adam {RATE}, an update for every {CHUNK} steps",
        "steps": steps,
        "horizon": HORIZON,
        "test": "5,000 fresh steps, the first 100 left out; an error above that of the mean counts as 1",
    }
    return compared(found["CRBP"], found["Back-Tsoi"], float(np.mean(errors(networks))), steps, detail)


def compared(ours: np.ndarray, theirs: np.ndarray, before: float, steps: int, detail: dict[str, Any]) -> list[Claim]:
    """The claims from the errors by both rules, seed by seed."""
    mean, kept = float(np.mean(theirs)), theirs[theirs < 1]
    return [
        Claim(
            f"Back and Tsoi's system: mean squared error over variance after {steps} steps, mean of {len(ours)} seeds",
            SOURCE,
            None,
            float(np.mean(ours)),
            Bar.below(mean, "Back-Tsoi"),
            {
                "Back-Tsoi": mean,
                f"Back-Tsoi, the {len(kept)} seeds that did not diverge": float(np.mean(kept)) if len(kept) else 1.0,
                "untrained": before,
            },
            detail,
        ),
        Claim(
            "Back and Tsoi's system: share of seeds in which CRBP ends lower",
            SOURCE,
            None,
            int(np.sum(ours < theirs)) / len(ours),
            Bar.above(0.5),
        ),
    ]


def new_network(key: PRNGKeyArray) -> Stack:
    """Before learning."""
    k_0, k_1 = jr.split(key)
    hidden = Filters(1, HIDDEN, taps=4, feedback=3, dtype="float32", key=k_0)
    return Stack([hidden, Filters(HIDDEN, 1, taps=4, feedback=3, activation="linear", dtype="float32", key=k_1)])


@eqx.filter_jit
def learn(rule: GradientRule, networks: Any, xs: Float[Array, "seeds time 1"], ys: Float[Array, "seeds time 1"]) -> Any:
    """Online, every network on its own stream."""
    optimizer = optax.adam(RATE)

    def one(network: Any, xs: Array, ys: Array) -> Any:
        weights, rest = eqx.partition(network, eqx.is_inexact_array)
        chunks = jax.tree.map(lambda a: a.reshape(-1, 1, CHUNK, 1), (xs, ys))
        weight = jnp.full((1, CHUNK), 1 / CHUNK, xs.dtype)

        def update(done: Any, chunk: Any) -> tuple[Any, None]:
            weights, moments, carry = done
            examples = Examples(SequenceBatch(chunk[0]), chunk[1], weight)
            _, grads, carry = rule(eqx.combine(weights, rest), squared, examples, carry)
            with jax.numpy_dtype_promotion("standard"):
                changes, moments = optimizer.update(grads, moments, weights)
            return (eqx.apply_updates(weights, changes), moments, carry), None

        first = Examples(SequenceBatch(chunks[0][0]), chunks[1][0], weight)
        start = (weights, optimizer.init(weights), rule.init(network, first))
        return eqx.combine(jax.lax.scan(update, start, chunks)[0][0], rest)

    return eqx.filter_vmap(one)(networks, xs, ys)
