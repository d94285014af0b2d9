"""Community networks trained side by side: members of an ensemble and folds of a cross-validation alike."""

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from ostinato.communities.network import CommunityCell, CommunityNetwork, forecasts, seen_squared
from ostinato.data import Examples, SequenceBatch, TimeStandardizer, permutation, stream
from ostinato.layers import RNN
from ostinato.layers.rnn import cell_constructor
from ostinato.runs import Run
from ostinato.training import Ensemble, Event, each, fit

SCHEDULES = ("cosine", "constant", "staircase")
STAIR, STAIR_EPOCHS, STAIR_END = 0.25, 12, 100


@dataclass(frozen=True)
class Job:
    """One of the networks: the rows that it is trained on, and the seed of everything random in it."""

    rows: np.ndarray
    seed: int


class Side:
    """Networks of one shape with the scaling of each, `(members, ...)`: what training leaves and files keep."""

    def __init__(self, networks: Ensemble, scales: Sequence[TimeStandardizer]):
        self.networks, self.scales = networks, list(scales)

    def forecast(
        self, first: Float[np.ndarray, "n features"], steps: int
    ) -> Float[np.ndarray, "members n steps features"]:
        """What each network expects after the first time, in the units of the data; absent species are exactly 0."""
        scaled = np.stack([(first - scale.mean[0]) / scale.scale[0] for scale in self.scales])
        size = max(1 << (len(first) - 1).bit_length(), 8)  # few shapes, few compilations
        padded = np.concatenate([scaled, np.repeat(scaled[:, :1], size - len(first), axis=1)], axis=1)
        given = jnp.asarray(padded, jnp.result_type(float))
        made = np.asarray(forecasts(self.networks.members, given, steps), np.float64)[:, : len(first)]
        found = np.stack([scale.inverse(y, 1) for scale, y in zip(self.scales, made, strict=True)])
        species = self.networks.members.cell.zero.shape[-1]
        found = np.maximum(found, 0.0)
        # Scaling back and forth rounds: what is absent is 0 to the last digit.
        found[..., :species] *= (first[:, :species] > 0)[None, :, None, :]
        return found


class Rounds:
    """Batches of the same size for every network: its rows come round and round, in their order or shuffled.

    A batch holds `values (members, batch, times, features)`. `len` is the number of steps in which the network with
    the most rows has seen them all.
    """

    def __init__(self, jobs: Sequence[Job], values: Sequence[np.ndarray], batch_size: int, shuffle: bool):
        self.jobs, self.values, self.shuffle = jobs, values, shuffle
        self.size = min(batch_size, max(len(job.rows) for job in jobs))
        self.missing = any(bool(np.isnan(v).any()) for v in values)
        self.dtype = np.dtype(jnp.result_type(float))

    def __len__(self) -> int:
        return math.ceil(max(len(job.rows) for job in self.jobs) / self.size)

    def at(self, step: int) -> Examples:
        """The batch of a step."""
        place = step * self.size + np.arange(self.size)
        values = np.stack([v[self._order(job, place)] for job, v in zip(self.jobs, self.values, strict=True)])
        seen = ~np.isnan(values)
        values = jnp.asarray(np.where(seen, values, 0).astype(self.dtype))
        weight = np.full((*values.shape[:2], values.shape[2] - 1), 1 / (self.size * (values.shape[2] - 1)), self.dtype)
        inputs = SequenceBatch(values, observed=jnp.asarray(seen) if self.missing else None)
        return Examples(inputs, (values[:, :, 1:], jnp.asarray(seen[:, :, 1:])), jnp.asarray(weight))

    def _order(self, job: Job, place: np.ndarray) -> np.ndarray:
        count = len(job.rows)
        if not self.shuffle:
            return place % count
        rounds = {r: permutation(count, job.seed, int(r), name="communities") for r in np.unique(place // count)}
        return np.array([rounds[p // count][p % count] for p in place])


def train(
    model: Any,
    values: Float[np.ndarray, "n times features"],
    hours: Float[np.ndarray, "times"],
    species: int,
    jobs: Sequence[Job],
    *,
    run: Run | None = None,
    callback: Callable[[Event], None] | None = None,
) -> tuple[Side, list[dict[str, Any]]]:
    """Train one network for each job, all in one compiled step; `model` is the estimator with the settings."""
    scales = [TimeStandardizer.fit(values[job.rows], width=model.width, pooled=model.pooled_scale) for job in jobs]
    rounds = Rounds(
        jobs,
        [scale.transform(values[job.rows]) for job, scale in zip(jobs, scales, strict=True)],
        model.batch_size,
        model.shuffle,
    )
    networks = build(model, scales, hours, species, [job.seed for job in jobs])
    result = fit(
        networks,
        rounds,
        loss=seen_squared,
        optimizer=each(optimizer(model, len(rounds))),
        epochs=model.epochs,
        every=max(model.epochs // 20, 1) * len(rounds),
        run=run,
        callback=callback,
        seed=0,
    )
    return Side(result.model, scales), result.history


def build(
    model: Any, scales: Sequence[TimeStandardizer], hours: np.ndarray, species: int, seeds: Sequence[int]
) -> Ensemble:
    """The networks before training: that of seed s begins with the weights of `stream(s, "weights")`."""
    features = scales[0].mean.shape[1]
    dtype = jnp.result_type(float)
    masked = species if model.mask else 0
    zero = np.stack([(-s.mean / s.scale)[:, :masked] for s in scales])
    apart = np.diff(hours)
    dt = jnp.asarray(apart / apart.mean(), dtype)

    settings = dict(model.cell_settings or {})
    if model.init is not None and "init" in inspect.signature(cell_constructor(model.cell)).parameters:
        settings = {"init": model.init, **settings}

    def make(key: Array, zero: Array, number: Array) -> CommunityNetwork:
        rnn = RNN(
            model.cell,
            features,
            model.hidden_size,
            model.num_layers,
            output_size=features,
            key=key,
            **settings,
        )
        return CommunityNetwork(CommunityCell(rnn.cell, zero, dt), number, model.forcing)

    keys = jnp.stack([stream(seed, "weights") for seed in seeds])
    return Ensemble(eqx.filter_vmap(make)(keys, jnp.asarray(zero, dtype), jnp.asarray(seeds, jnp.int32)))


def optimizer(model: Any, steps_per_epoch: int) -> optax.GradientTransformation:
    """Adam; `l2` is added to the gradient, as PyTorch's `weight_decay` is, and not decoupled from it."""
    rate, steps = model.learning_rate, model.epochs * steps_per_epoch
    if model.schedule == "cosine":
        rate = optax.warmup_cosine_decay_schedule(0.1 * rate, rate, max(steps // 20, 1), max(steps, 2))
    elif model.schedule == "staircase":
        ends = range(STAIR_EPOCHS, STAIR_END, STAIR_EPOCHS)
        rate = optax.piecewise_constant_schedule(rate, {epoch * steps_per_epoch: STAIR for epoch in ends})
    parts = [] if model.clip is None else [optax.clip_by_global_norm(model.clip)]
    return optax.chain(*parts, optax.add_decayed_weights(model.l2), optax.adam(rate))
