"""Windows around forecast origins, and the linear map of a window that fits best."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from ostinato.data import Rows
from ostinato.data.stored import filled_up
from ostinato.errors import LengthError
from ostinato.models.forecast.features import Layout

ROWS = 256
"""Windows that are forecast at once."""


class OriginWindows:
    """What is known at each forecast origin, and what came next: a source for `data.Batches`.

    The window of origin `o` has `context + horizon` steps, `o - context` to `o + horizon`. From step `context` on only
    the columns known ahead are there, the rest is 0. Its target is `{"values": (horizon, targets), "known": the same,
    False where the truth is missing}`; a window without any truth has weight 0.

    * `arrays`: for each series `(time, features)` as `Features.arrays` gives them, NaN where missing.
    * `origins`: for each series the origins, each at least `context` and at most `time - horizon`.
    * `missing`: whether to say in `observed` which entries are there.
    """

    def __init__(
        self,
        arrays: Sequence[np.ndarray],
        layout: Layout,
        context: int,
        horizon: int,
        origins: Sequence[np.ndarray],
        *,
        missing: bool = False,
    ):
        self.arrays, self.layout, self.context, self.horizon, self.missing = arrays, layout, context, horizon, missing
        self.series = np.repeat(np.arange(len(origins)), [len(o) for o in origins])
        self.origins = np.concatenate([np.zeros(0, int), *(np.asarray(o, int) for o in origins)])
        for i, (array, o) in enumerate(zip(arrays, origins, strict=True)):
            if len(o) and not (context <= np.min(o) and np.max(o) + horizon <= len(array)):
                raise LengthError(
                    f"origins of series {i}: expected {context} to {len(array) - horizon} (context {context}, horizon "
                    f"{horizon}, {len(array)} rows), got {np.min(o)} to {np.max(o)}"
                )

    def __len__(self) -> int:
        return len(self.origins)

    @property
    def lengths(self) -> np.ndarray:
        return np.full(len(self), self.context + self.horizon)

    def take(self, rows: np.ndarray, time: int) -> Rows:
        """The windows of some origins."""
        steps = np.arange(-self.context, time - self.context)
        values = np.empty((len(rows), time, self.layout.features))
        for i in np.unique(self.series[rows]):
            here = self.series[rows] == i
            values[here] = self.arrays[i][self.origins[rows[here]][:, None] + steps]
        truth = values[:, self.context :, : self.layout.targets].copy()
        values[:, self.context :, self.layout.hidden] = 0
        seen, known = ~np.isnan(values), ~np.isnan(truth)
        return Rows(
            np.where(seen, values, 0),
            {"values": np.where(known, truth, 0), "known": known},
            known.any((1, 2)).astype(float),
            None,
            None,
            seen if self.missing else None,
        )

    def stored(self) -> tuple[Any, Callable[[Any, Any, int], Rows]]:
        """The series one behind the other, and where each origin is; `take` in JAX."""
        first = np.concatenate([[0], np.cumsum([len(array) for array in self.arrays])])[self.series] + self.origins
        take = partial(_windows, layout=self.layout, context=self.context, missing=self.missing)
        return (filled_up(np.concatenate(list(self.arrays))), filled_up(first.astype(np.int32))), take


def _windows(data: Any, rows: Any, time: int, *, layout: Layout, context: int, missing: bool) -> Rows:
    series, origins = data
    values = series[origins[rows][:, None] + jnp.arange(-context, time - context, dtype=origins.dtype)[None]]
    truth = values[:, context:, : layout.targets]
    values = values.at[:, context:, layout.hidden].set(0)
    seen, known = ~jnp.isnan(values), ~jnp.isnan(truth)
    weight, targets = known.any((1, 2)).astype(values.dtype), {"values": jnp.where(known, truth, 0), "known": known}
    found: Any = (jnp.where(seen, values, 0), targets, weight, None, None, seen if missing else None)
    return Rows(*found)


def ridge_map(
    source: OriginWindows, *, subtract_last: bool = False, ridge: float = 1e-8, chunk: int = 4096
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""The linear forecast with the least squared error, one for each target j and step ahead k.

    $$\hat y_{o+k,j} = \sum_i A_{jki}\, y_{o-C+i,j} + \sum_f B_{jkf}\, z_{o+k,f} + c_{jk}$$

    with the covariates z that are known ahead. Minimises $\frac1n \sum (y - \hat y)^2 + \lambda (|A|^2 + |B|^2)$ over
    all windows whose truth is known; inputs that are missing count as 0. With `subtract_last` y is taken relative to
    its last observed value before o. Gives `A (targets, horizon, context)`, `B (targets, horizon, future)`, `c
    (targets, horizon)`.
    """
    layout, context, horizon = source.layout, source.context, source.horizon
    width = context + layout.future + 1
    gram = np.zeros((layout.targets, horizon, width, width))
    cross = np.zeros((layout.targets, horizon, width))
    count = np.zeros((layout.targets, horizon))
    for start in range(0, len(source), chunk):
        rows = source.take(np.arange(start, min(start + chunk, len(source))), context + horizon)
        ahead = rows.values[:, context:, layout.ahead]
        one = np.ones((len(ahead), 1))
        for j in range(layout.targets):
            lags, truth = rows.values[:, :context, j], rows.targets["values"][..., j]
            known = rows.targets["known"][..., j]
            if subtract_last:
                seen = np.ones(lags.shape, bool) if rows.observed is None else rows.observed[:, :context, j]
                last = last_seen(lags, seen)
                lags, truth = np.where(seen, lags - last[:, None], 0), truth - last[:, None]
            for k in range(horizon):
                use = known[:, k]
                x = np.concatenate([lags, ahead[:, k], one], 1)[use]
                gram[j, k] += x.T @ x
                cross[j, k] += x.T @ truth[use, k]
                count[j, k] += use.sum()
    penalty = np.diag([*[1.0] * (width - 1), 0.0]) * ridge
    count = np.maximum(count, 1)
    solution = np.empty((layout.targets, horizon, width))
    for j in range(layout.targets):
        for k in range(horizon):
            # Least squares with the smallest norm where columns depend on each other.
            matrix = gram[j, k] / count[j, k] + penalty
            solution[j, k] = np.linalg.lstsq(matrix, cross[j, k] / count[j, k], rcond=None)[0]
    return solution[..., :context], solution[..., context:-1], solution[..., -1]


def apply_map(
    parts: tuple[Any, Any, Any], lags: np.ndarray, ahead: np.ndarray, seen: np.ndarray, subtract_last: bool
) -> np.ndarray:
    """The linear forecast `(n, horizon, targets)` of `lags (n, context, targets)`, `ahead (n, horizon, future)`."""
    A, B, c = parts
    if subtract_last:
        last = np.stack([last_seen(lags[..., j], seen[..., j]) for j in range(lags.shape[-1])], -1)
        lags = np.where(seen, lags - last[:, None], 0)
    y = np.einsum("jki,nij->nkj", A, lags) + np.einsum("jkf,nkf->nkj", B, ahead) + c.T
    return y + last[:, None] if subtract_last else y


def last_seen(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The last observed of each row of `(n, time)`, 0 where there is none."""
    last = values.shape[1] - 1 - np.argmax(seen[:, ::-1], 1)
    return np.where(seen.any(1), values[np.arange(len(values)), last], 0)
