"""The networks of a community model, side by side: members of an ensemble and folds of a cross-validation alike."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.communities.network import CommunityCell, CommunityNetwork, forecasts
from ostinato.data import TimeStandardizer, stream
from ostinato.layers import RNN
from ostinato.layers.rnn import cell_constructor
from ostinato.training import Ensemble


@dataclass(frozen=True)
class Member:
    """One of the networks: the rows that it is trained on, and the seed of everything random in it."""

    rows: np.ndarray
    seed: int


class ScaledNetworks:
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
