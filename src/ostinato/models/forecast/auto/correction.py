"""The network of a forecaster that adapts: what a mixture of simple forecasts misses, read from the same past."""

from collections.abc import Sequence
from copy import copy
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from ostinato.data import Batches, Examples, Rows, SequenceBatch
from ostinato.data.stored import LARGEST, Stored, filled_up, on_device
from ostinato.models.forecast.network import ForecastNet
from ostinato.models.forecast.windows import OriginWindows


class Correction(ForecastNet):
    """A `ForecastNet` whose output is added to a forecast that is made elsewhere: it starts as 0."""

    @classmethod
    def make(cls, *given: object, **options: object) -> "Correction":
        """A network whose head gives 0."""
        made = cls(*given, **options)  # pyright: ignore[reportArgumentType]
        return eqx.tree_at(lambda net: net.head, made, made.head.silent())

    def apply_head(self, ys: Array, inputs: SequenceBatch, xs: SequenceBatch, key: PRNGKeyArray | None) -> Array:
        del inputs
        return self.said(ys, xs, key)[..., 0]


class MissedWindows(OriginWindows):
    """The windows of some origins whose target is what a forecast misses there, `missed (n, horizon, targets)`.

    NaN where the truth is not known.
    """

    def __init__(self, missed: np.ndarray, *given: object, **options: object):
        super().__init__(*given, **options)  # pyright: ignore[reportArgumentType]
        self.missed = missed

    def only(self, rows: np.ndarray) -> "MissedWindows":
        """Some of the windows."""
        fewer = copy(self)
        fewer.series, fewer.origins, fewer.missed = self.series[rows], self.origins[rows], self.missed[rows]
        return fewer

    def take(self, rows: np.ndarray, time: int) -> Rows:
        """The windows of some origins."""
        found, missed = super().take(rows, time), self.missed[rows]
        known = ~np.isnan(missed)
        target = {"values": np.where(known, missed, 0), "known": known}
        return found._replace(targets=target, weight=known.any((1, 2)).astype(float))


class SideBySide:
    """Batches for an `Ensemble`: each member sees all windows in an order of its own."""

    def __init__(self, source: OriginWindows, batch_size: int, seeds: Sequence[int]):
        size = min(batch_size, len(source))
        self.source, self.each = source, [Batches(source, size, seed=seed, buckets=1) for seed in seeds]

    def __len__(self) -> int:
        return len(self.each[0])

    def at(self, step: int) -> Examples:
        """The batch of a step, with the members as the first axis."""
        rows = self._rows(step)
        own = np.maximum(rows, 0).ravel()
        place = np.where(rows < 0, -1, np.arange(rows.size).reshape(rows.shape))
        return _gather(on_device(self._parts(own)), jnp.asarray(place))

    def stored(self) -> Stored | None:
        """All windows on the device; None where that is too much."""
        one = sum(np.asarray(a).nbytes for a in jax.tree.leaves(self._parts(np.zeros(1, int))))
        if one * len(self.source) > LARGEST:
            return None
        data = on_device(jax.tree.map(filled_up, self._parts(np.arange(len(self.source)))))
        return Stored(data, (_gather,), lambda step: (0, self._rows(step)))

    def _rows(self, step: int) -> np.ndarray:
        return np.stack([batches.rows(step) for batches in self.each]).astype(np.int32)

    def _parts(self, rows: np.ndarray) -> tuple[Any, ...]:
        taken = self.source.take(rows, self.source.context + self.source.horizon)
        return taken.values, taken.observed, taken.targets, taken.weight


def _gather(data: Any, rows: Any) -> Examples:
    """The batch of those windows, `(members, batch)`; -1 is a row that only fills up."""

    def taken(a: Any) -> Any:
        found = a[jnp.maximum(rows, 0)]
        empty = (rows < 0).reshape(*rows.shape, *(1,) * (found.ndim - rows.ndim))
        return jnp.where(empty, jnp.zeros_like(found), found)

    values, observed, targets, weight = jax.tree.map(taken, data)
    total = jnp.sum(weight, axis=1, keepdims=True)
    weight = weight / jnp.where(total > 0, total, jnp.ones_like(total))
    return Examples(SequenceBatch(values, observed=observed), targets, weight)


def size_of(windows: int) -> tuple[int, int]:
    """Units and steps of training for so many windows: small for few, so that there is little to learn by heart."""
    units = next((u for most, u in ((300, 8), (1000, 16), (5000, 32)) if windows <= most), 48)
    return units, int(np.clip(2 * windows, 300, 2000))


def earned(missed: np.ndarray, said: np.ndarray, blocks: int = 8) -> float:
    r"""The share w of a correction that it has earned on rows that it did not see, from 0 to 1.

    The least-squares $w = \sum m c / \sum c^2$, less its standard error by leaving out one of some blocks in time after
    the other, so that a correction that helps by chance is left out. `missed`, `said (n, horizon, targets)`.
    """
    up, down = (np.nansum(a.reshape(len(a), -1), 1) for a in (missed * said, np.where(np.isnan(missed), 0, said**2)))
    if len(up) < 2 or down.sum() <= 0:
        return 0.0
    groups = np.array_split(np.arange(len(up)), min(blocks, len(up)))
    left = np.array([(up.sum() - up[g].sum()) / max(down.sum() - down[g].sum(), 1e-300) for g in groups])
    n = len(groups)
    error = np.sqrt((n - 1) / n * np.sum((left - left.mean()) ** 2))
    return float(np.clip(up.sum() / down.sum() - error, 0, 1))
