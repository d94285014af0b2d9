"""The adding problem over 1000 steps: IndRNN beside a tanh RNN (Li et al., IndRNN, CVPR 2018)."""

import math
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.random as jr
import numpy as np
import optax
from jaxtyping import PRNGKeyArray

from ostinato.cells import IndRNN, constrain
from ostinato.data import stream
from ostinato.layers import RNN, ManyToOne
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.batches import SeedBatches
from ostinato.studies.optimizers import at_rates, fading_adam
from ostinato.studies.seeds import measure
from ostinato.tasks import Adding
from ostinato.training import Ensemble, each, fit

SOURCE = "Li et al., IndRNN, CVPR 2018, figure 2: IndRNN converges at T=1000, the tanh RNN fails at T=100"
LENGTH, UNITS, LAYERS, BATCH, STEPS = 1000, 128, 2, 20, 700
RATE = 0.02
TANH_RATES = (0.01, 0.001, 0.0001)
BAR, FAILS = 0.01, 0.15
HELD_OUT, PIECE = 1000, 100


def run(settings: StudySettings) -> list[Claim]:
    """IndRNN, its seeds side by side; then a tanh RNN, its learning rates side by side, on the batches of seed 0."""
    task = Adding(length=30 if settings.quick else LENGTH)
    steps = 300 if settings.quick else STEPS
    seeds = settings.seed_list(5)
    ind = Ensemble.make(lambda key: indrnn(task.length, key), seeds)
    errors = train(ind, task, seeds, steps, [RATE] * len(seeds), scales(ind, task.length), settings)
    zeros = [seeds[0]] * len(TANH_RATES)
    tanh = Ensemble.make(lambda key: elman(key), zeros)
    beside = train(tanh, task, zeros, steps, TANH_RATES, None, settings)
    chance = task.chance["mse"]
    worst = float(errors.max())
    settings.note(
        f"adding, T={task.length}: IndRNN {np.round(errors, 5).tolist()}, tanh RNN {np.round(beside, 4).tolist()}"
    )
    return [
        Claim(
            f"Squared error at T={task.length}, IndRNN 2 x {UNITS}, worst of {len(seeds)} seeds",
            SOURCE,
            None,
            worst,
            Bar.below(BAR),
            {
                f"tanh RNN, {UNITS} units, best of {len(TANH_RATES)} learning rates": float(beside.min()),
                "the mean": chance,
            },
            {
                "by_seed": errors.tolist(),
                "tanh_by_rate": dict(zip(map(str, TANH_RATES), beside.tolist(), strict=True)),
                "settings": {
                    "sequences_per_update": BATCH,
                    "updates": steps,
                    "fresh_sequences": HELD_OUT,
                    "optimizer": f"Adam {RATE} (tanh RNN: its own), cosine to 0, gradient norm at most 1",
                    "rates": "u of both layers and b of the upper one: rate / T; W of the upper one: rate / sqrt(T)",
                    "start": "u as in the paper (gamma 2, epsilon 0.5); W of the upper layer Glorot / sqrt(T)",
                },
            },
        ),
        Claim(
            f"Squared error at T={task.length}, tanh RNN, {UNITS} units, best of {len(TANH_RATES)} learning rates",
            SOURCE,
            None,
            float(beside.min()),
            Bar.at_least(FAILS).noting("in the same budget"),
            {"the mean": chance},
        ),
    ]


def indrnn(length: int, key: PRNGKeyArray) -> ManyToOne:
    """Two layers; what the upper one reads is summed over T steps, so its input weights begin smaller by sqrt(T)."""

    def layer(input_size: int, hidden_size: int, *, key: PRNGKeyArray) -> IndRNN:
        last = input_size == hidden_size
        cell = IndRNN(input_size, hidden_size, length=length, last=last, key=key)
        return eqx.tree_at(lambda c: c.W, cell, replace_fn=lambda W: W / math.sqrt(length)) if last else cell

    k_rnn, k_out = jr.split(key)
    return ManyToOne(RNN(layer, 2, UNITS, LAYERS, key=k_rnn), 1, key=k_out)


def elman(key: PRNGKeyArray) -> ManyToOne:
    """One tanh layer with an orthogonal recurrent matrix."""
    k_rnn, k_out = jr.split(key)
    return ManyToOne(RNN("elman", 2, UNITS, key=k_rnn), 1, key=k_out)


def scales(model: Ensemble, length: int) -> Any:
    """A factor of the learning rate for each parameter: a change that acts T times in a row is made T times smaller."""
    ones = jax.tree.map(lambda leaf: 1.0, eqx.filter(model, eqx.is_inexact_array))
    lower, upper = range(LAYERS)
    each_step = lambda m: (
        m.members.rnn.stack.layers[lower].u,
        m.members.rnn.stack.layers[upper].u,
        m.members.rnn.stack.layers[upper].b,
        m.members.rnn.stack.layers[upper].W,
    )
    return eqx.tree_at(each_step, ones, (1 / length, 1 / length, 1 / length, 1 / math.sqrt(length)))


def train(
    model: Ensemble,
    task: Adding,
    seeds: list[int],
    steps: int,
    rates: Sequence[float],
    factors: Any,
    settings: StudySettings,
) -> np.ndarray:
    """The squared error of each member on fresh sequences after the whole budget."""

    def by_parameter(updates: Any, params: Any) -> Any:
        del params
        return updates if factors is None else jax.tree.map(lambda leaf, factor: leaf * factor, updates, factors)

    optimizer = optax.chain(each(fading_adam(1.0, steps)), at_rates(rates), optax.stateless(by_parameter))
    result = fit(
        model,
        SeedBatches(task, BATCH, seeds, 20),
        loss=task.loss,
        optimizer=optimizer,
        steps=steps,
        constrain=constrain,
        callback=lambda event: settings.note(
            f"adding: step {event.step} of {steps}, loss {event.loss / len(seeds):.4f}"
        ),
    )
    pieces = [task.sample(stream(0, "fresh", i), PIECE) for i in range(HELD_OUT // PIECE)]
    return np.mean([measure(result.last, task, piece)["mse"] for piece in pieces], axis=0)
