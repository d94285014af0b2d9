"""Batches for networks that are trained side by side on communities of their own."""

import math
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from ostinato.communities.members import Member
from ostinato.data import Examples, SequenceBatch, permutation


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
        place = step * self.size + np.arange(self.size)
        values = np.stack([v[self._order(member, place)] for member, v in zip(self.members, self.values, strict=True)])
        seen = ~np.isnan(values)
        values = jnp.asarray(np.where(seen, values, 0).astype(self.dtype))
        weight = np.full((*values.shape[:2], values.shape[2] - 1), 1 / (self.size * (values.shape[2] - 1)), self.dtype)
        inputs = SequenceBatch(values, observed=jnp.asarray(seen) if self.missing else None)
        return Examples(inputs, (values[:, :, 1:], jnp.asarray(seen[:, :, 1:])), jnp.asarray(weight))

    def _order(self, member: Member, place: np.ndarray) -> np.ndarray:
        count = len(member.rows)
        if not self.shuffle:
            return place % count
        rounds = {r: permutation(count, member.seed, int(r), name="communities") for r in np.unique(place // count)}
        return np.array([rounds[p // count][p % count] for p in place])
