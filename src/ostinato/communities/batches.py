"""Batches for networks that are trained side by side on communities of their own."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.communities.members import Member
from ostinato.data import Examples, SequenceBatch, permutation
from ostinato.data.stored import LARGEST, Stored, filled_up, on_device


class MemberBatches:
    """Batches of the same size for every network: its rows come round and round, in their order or shuffled.

    A batch holds `values (members, batch, times, features)`. `len` is the number of steps in which the network with
    the most rows has seen them all.
    """

    def __init__(self, members: Sequence[Member], values: Sequence[np.ndarray], batch_size: int, shuffle: bool):
        self.members, self.values, self.shuffle = members, values, shuffle
        self.size = min(batch_size, max(len(member.rows) for member in members))
        self.missing = any(bool(np.isnan(v).any()) for v in values)
        self.dtype = np.dtype(jnp.result_type(float))

    def __len__(self) -> int:
        return math.ceil(max(len(member.rows) for member in self.members) / self.size)

    def at(self, step: int) -> Examples:
        """The batch of a step."""
        values = np.stack([v[rows] for v, rows in zip(self.values, self._rows(step), strict=True)])
        return _examples(jnp.asarray(values.astype(self.dtype)), self.missing)

    def stored(self) -> Stored | None:
        """The communities of each network, on the device."""
        most = max(len(v) for v in self.values)
        fill = lambda v: filled_up(np.concatenate([v, np.zeros((most - len(v), *v.shape[1:]))]))
        if sum(v.nbytes for v in self.values) > LARGEST:
            return None
        data = on_device(np.stack([fill(v) for v in self.values]))
        return Stored(data, (partial(_gather, missing=self.missing),), lambda step: (0, self._rows(step)))

    def _rows(self, step: int) -> np.ndarray:
        place = step * self.size + np.arange(self.size)
        return np.stack([self._order(member, place) for member in self.members]).astype(np.int32)

    def _order(self, member: Member, place: np.ndarray) -> np.ndarray:
        count = len(member.rows)
        if not self.shuffle:
            return place % count
        rounds = {r: permutation(count, member.seed, int(r), name="communities") for r in np.unique(place // count)}
        return np.array([rounds[p // count][p % count] for p in place])


def _gather(data: Any, rows: Any, *, missing: bool) -> Examples:
    return _examples(jax.vmap(lambda values, rows: values[rows])(data, rows), missing)


def _examples(values: Float[Array, "members batch times features"], missing: bool) -> Examples:
    seen = ~jnp.isnan(values)
    values = jnp.where(seen, values, 0)
    members, size, times, _ = values.shape
    weight = jnp.full((members, size, times - 1), 1 / (size * (times - 1)), values.dtype)
    inputs = SequenceBatch(values, observed=seen if missing else None)
    return Examples(inputs, (values[:, :, 1:], seen[:, :, 1:]), weight)
