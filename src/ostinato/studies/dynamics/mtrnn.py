"""Movements put together from primitives: does a network need slow units? (Yamashita and Tani 2008, figure 9)."""

from itertools import permutations
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray
from scipy.stats import mannwhitneyu

from ostinato.cells import CELLS
from ostinato.data import Examples, SequenceBatch
from ostinato.layers import RNN, OutputFeedback, unroll
from ostinato.layers.feedback import FeedbackState
from ostinato.losses import squared
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.batches import Same
from ostinato.studies.optimizers import fading_adam
from ostinato.training import Ensemble, each, fit

SOURCE = "Yamashita and Tani 2008, figure 9: movements are learned worse where slow units are hardly slower"
RATIOS = (1.0, 14.0)
UNITS, SLOW, FAST_TAU = 40, 10, 2.0
PERIOD, CYCLES = 12, 8
STEPS, RATE = 3000, 0.01
FACTOR = 5.0


class Mover(eqx.Module):
    """A network that makes a movement by itself, from the initial state of its slow units; it sees what it made last.

    * `starts (movements, slow)`: learned, one for each movement.
    """

    network: OutputFeedback
    starts: Float[Array, "movements slow"]

    per_sequence = False

    def begin(self) -> FeedbackState:
        """Before the first step, a row for each movement."""
        rows = len(self.starts)
        start = jax.tree.map(lambda leaf: jnp.tile(leaf, (rows, *[1] * leaf.ndim)), self.network.init_state())
        return eqx.tree_at(lambda s: s.inner[0].u, start, start.inner[0].u.at[:, -SLOW:].set(self.starts))

    def init_state(self, *, key: PRNGKeyArray | None = None) -> None:
        """None: every movement begins anew."""
        del key

    def __call__(self, xs: SequenceBatch, state: Any = None, **options: Any) -> tuple[Array, None]:
        del state, options
        return unroll(self.network, xs.values, self.begin())[0], None

    def units(self, xs: SequenceBatch) -> Float[Array, "movements time units"]:
        """The activity of all units on the way."""
        ys, _ = self(xs)
        seen = jnp.concatenate([jnp.zeros_like(ys[:, :1]), ys[:, :-1]], axis=1)
        return jnp.tanh(unroll(self.network.stack, seen, self.begin().inner, record=("u",))[2]["0/u"])


def make(ratio: float, rows: int, key: PRNGKeyArray) -> Mover:
    """Slow units whose time constant is `ratio` times that of the fast ones."""
    k_net, k_start = jr.split(key)
    net = RNN(
        CELLS["mtrnn"].make, 2, UNITS, output_size=2, slow=SLOW, fast_tau=FAST_TAU, slow_tau=ratio * FAST_TAU, key=k_net
    )
    return Mover(OutputFeedback(net.stack), 0.5 * jr.normal(k_start, (rows, SLOW)))


def run(settings: StudySettings) -> list[Claim]:
    """Slow units as fast as the others, beside slow units that are 14 times slower; the seeds side by side."""
    seeds = settings.seed_list(5)
    wanted = movements()[:, : 24 if settings.quick else None]
    steps = 10 if settings.quick else STEPS
    errors, times = {}, {}
    for ratio in RATIOS:
        errors[ratio], times[ratio] = trained(ratio, wanted, seeds, steps, RATE)
        settings.note(f"mtrnn, ratio {ratio:g}: error {np.round(errors[ratio], 5).tolist()}, times {times[ratio]}")
    low, high = (float(np.mean(errors[ratio])) for ratio in RATIOS)
    p = float(mannwhitneyu(errors[RATIOS[0]], errors[RATIOS[1]]).pvalue)
    slow, fast = np.mean(times[RATIOS[1]], axis=0)
    lower = Bar.below(low, f"that at ratio {RATIOS[0]:g}").of(f"the error at ratio {RATIOS[1]:g}", high)
    bar = Bar.all_of(Bar.below(0.05), lower)
    detail = {
        "by_seed": {f"ratio {ratio:g}": found.tolist() for ratio, found in errors.items()},
        "settings": {
            "movements": f"{len(wanted)} orders of three figures, each {CYCLES} times round in {PERIOD} steps",
            "network": f"{UNITS - SLOW} fast units of time constant {FAST_TAU:g}, {SLOW} slow ones, learned starts",
            "learning": f"BPTT through its own movement, {steps} steps, Adam {RATE} with a cosine to 0",
            "chosen": "on seeds 100 and 101",
        },
    }
    return [
        Claim(
            f"p that time scales of ratio {RATIOS[1]:g} and {RATIOS[0]:g} are learned alike, {len(seeds)} seeds each",
            SOURCE,
            0.05,
            p,
            bar.noting("Mann and Whitney's test, both sides"),
            {
                f"squared error at ratio {RATIOS[0]:g}": low,
                f"squared error at ratio {RATIOS[1]:g}": high,
                "the mean of each movement": float(np.mean(np.var(wanted, axis=1))),
            },
            detail,
        ),
        Claim(
            f"autocorrelation time of slow units over that of fast ones at ratio {RATIOS[1]:g}, mean of seeds",
            SOURCE,
            None,
            float(slow / fast),
            Bar.above(FACTOR),
            {"slow, in steps": float(slow), "fast, in steps": float(fast)},
            {"by_seed, slow and fast": times[RATIOS[1]], "at ratio 1": times[RATIOS[0]]},
        ),
    ]


def movements() -> np.ndarray:
    """Every order of three closed figures, each several times round, from where all begin: `(6, time, 2)`."""
    angle = 2 * np.pi * np.arange(1, CYCLES * PERIOD + 1) / PERIOD
    sin, double, back = np.sin(angle), np.sin(2 * angle), 1 - np.cos(angle)
    figures = [np.stack(pair, axis=1) for pair in ((sin, double), (double, sin), (-sin, back - back.mean()))]
    return np.stack([0.8 * np.concatenate([figures[k] for k in order]) for order in permutations(range(3))])


def trained(
    ratio: float, wanted: np.ndarray, seeds: list[int], steps: int, rate: float
) -> tuple[np.ndarray, list[list[float]]]:
    """For each seed the squared error of what the network makes by itself, and the times of slow and fast units."""
    rows, time, _ = wanted.shape
    goal = jnp.asarray(np.stack([wanted] * len(seeds)), jnp.result_type(float))
    inputs = SequenceBatch(jnp.zeros((*goal.shape[:-1], 0), goal.dtype))
    examples = Examples(inputs, goal, jnp.full(goal.shape[:-1], 1 / (rows * time), goal.dtype))
    model = Ensemble.make(lambda key: make(ratio, rows, key), seeds)
    optimizer = each(fading_adam(rate, steps))
    best = fit(model, Same(examples), loss=squared, optimizer=optimizer, steps=steps, every=steps).last
    ys = np.asarray(eqx.filter_jit(lambda m, xs: m(xs)[0])(best, inputs), np.float64)
    units = eqx.filter_jit(eqx.filter_vmap(lambda m, xs: m.units(xs)))(best.members, inputs)
    found = []
    for activity in np.asarray(units, np.float64):
        lags = [[autocorrelation_time(activity[r, :, u]) for u in range(UNITS)] for r in range(rows)]
        slow = np.arange(UNITS) >= UNITS - SLOW
        found.append([float(np.mean(np.array(lags)[:, slow])), float(np.mean(np.array(lags)[:, ~slow]))])
    return np.mean(np.square(ys - wanted), axis=(1, 2, 3)), found


def autocorrelation_time(values: np.ndarray) -> float:
    """The lag, in steps, at which the autocorrelation first falls to 1/e, between two lags by a straight line."""
    centred = values - values.mean()
    full = np.correlate(centred, centred, "full")[len(values) - 1 :]
    share = full / full[0] if full[0] > 0 else np.zeros(len(values))
    below = int(np.argmax(share <= 1 / np.e))
    return below - (1 / np.e - share[below]) / (share[below - 1] - share[below]) if below else float(len(values))
