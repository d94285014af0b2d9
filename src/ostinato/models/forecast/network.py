"""The network of a forecaster: a recurrent net over the context, a head for all steps ahead, a linear skip."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.cells.init import default_dtype, glorot_limit, uniform
from ostinato.data import SequenceBatch
from ostinato.layers import RNN, rollout
from ostinato.models.forecast.features import Layout
from ostinato.types import State


class Skip(eqx.Module):
    r"""$y_{kj} = \sum_i A_{jki} x_{ij} + \sum_f B_{jkf} z_{kf} + c_{jk}$: each target from its own past, linearly."""

    A: Float[Array, "targets horizon context"]
    B: Float[Array, "targets horizon future"]
    c: Float[Array, "targets horizon"]

    def __call__(
        self, lags: Float[Array, "batch context targets"], ahead: Float[Array, "batch horizon future"]
    ) -> Array:
        known = jnp.einsum("jkf,nkf->nkj", self.B, ahead)
        return jnp.einsum("jki,nij->nkj", self.A, lags) + known + self.c.T[None]


class Head(eqx.Module):
    r"""All steps ahead from one state.

    $$y_k = V_k\,h + U z_k + c_k$$

    or with a hidden layer of `size` units

    $$y_k = V \tanh(W h + W_z z_k + e_k) + c_k$$

    where $z_k$ are the covariates known for step k and $e_k$ is learned.
    """

    W: Float[Array, "size hidden"] | None
    e: Float[Array, "horizon size"] | None
    V: Float[Array, "..."]
    U: Float[Array, "out future"]
    c: Float[Array, "horizon out"]

    def __init__(self, hidden: int, future: int, horizon: int, out: int, size: int | None, *, key: PRNGKeyArray):
        k0, k1, k2 = jr.split(key, 3)
        dtype = default_dtype(None)
        self.c = jnp.zeros((horizon, out), dtype)
        if size is None:
            self.W, self.e = None, None
            self.V = uniform(k0, (horizon, out, hidden), glorot_limit(hidden, out), dtype)
            self.U = jnp.zeros((out, future), dtype)
        else:
            self.W = uniform(k0, (size, hidden), glorot_limit(hidden, size), dtype)
            self.e = jnp.zeros((horizon, size), dtype)
            self.V = uniform(k1, (out, size), glorot_limit(size, out), dtype)
            self.U = uniform(k2, (size, future), glorot_limit(max(future, 1), size), dtype)

    def __call__(self, h: Float[Array, "batch hidden"], ahead: Float[Array, "batch horizon future"]) -> Array:
        known = jnp.einsum("of,nkf->nko", self.U, ahead)
        if self.W is None or self.e is None:
            return jnp.einsum("koh,nh->nko", self.V, h) + known + self.c[None]
        inner = jnp.tanh((h @ self.W.T)[:, None] + known + self.e[None])
        return jnp.einsum("oz,nkz->nko", self.V, inner) + self.c[None]

    def silent(self) -> "Head":
        """The head that gives 0, from which training starts where a skip does the forecast."""
        return eqx.tree_at(lambda head: head.V, self, jnp.zeros_like(self.V))


class ForecastNet(eqx.Module):
    r"""`(batch, horizon, targets)` from a `SequenceBatch` of `context + horizon` steps as `OriginWindows` makes it.

    The recurrent net reads the context: targets, past and known-future covariates, static covariates, the logarithm of
    the time step where steps are uneven, and for each target and past covariate whether it was observed, where values
    may be missing. The head reads the last output and what is known of the steps ahead; `skip` is added. With
    `subtract_last` the targets are taken relative to their last observed value, which is added again at the end. With
    `levels` above 0 there is one more axis, the quantiles, sorted, so that they never cross (rearrangement;
    Chernozhukov, Fernandez-Val and Galichon 2010).
    """

    rnn: RNN
    head: Head
    skip: Skip | None
    layout: Layout = eqx.field(static=True)
    context: int = eqx.field(static=True)
    levels: int = eqx.field(static=True)
    subtract_last: bool = eqx.field(static=True)
    indicators: bool = eqx.field(static=True)
    dropout: float = eqx.field(static=True)

    def __init__(
        self,
        cell: Any,
        hidden_size: Any,
        num_layers: int,
        layout: Layout,
        context: int,
        horizon: int,
        *,
        levels: int = 0,
        subtract_last: bool = False,
        indicators: bool = False,
        dropout: float = 0.0,
        head_size: int | None = None,
        skip: Skip | None = None,
        key: PRNGKeyArray,
    ):
        self.layout, self.context, self.levels = layout, context, levels
        self.subtract_last, self.indicators, self.dropout = subtract_last, indicators, dropout
        k_rnn, k_head = jr.split(key)
        inputs = layout.features + (layout.targets + layout.past if indicators else 0)
        self.rnn = RNN(cell, inputs, hidden_size, num_layers, dropout=dropout, key=k_rnn)
        out = layout.targets * max(levels, 1)
        head = Head(self.rnn.output_size, layout.future, horizon, out, head_size, key=k_head)
        self.skip, self.head = skip, head if skip is None else head.silent()

    @property
    def per_sequence(self) -> bool:
        """True: one forecast for each window."""
        return True

    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        """The unbatched state before the first step."""
        return self.rnn.init_state(key=key)

    def __call__(
        self, xs: SequenceBatch, state: State = None, *, key: PRNGKeyArray | None = None, start: Any = 0
    ) -> tuple[Array, State]:
        inputs, key = self.rnn_inputs(xs, key)
        ys, final = self.rnn(inputs, state, key=key, start=start)
        return self.apply_head(ys, inputs, xs, key), final

    def rnn_inputs(self, xs: SequenceBatch, key: PRNGKeyArray | None) -> tuple[SequenceBatch, PRNGKeyArray | None]:
        """What the recurrent net sees, and the key that it runs with."""
        context, seen = xs.window(0, self.context), self._seen(xs)
        lags, _ = self._lags(xs)
        rest = context.values[..., self.layout.targets :]
        rest = jnp.where(seen[..., self.layout.targets :], rest, jnp.zeros_like(rest))
        dt = None
        if self.layout.dt:
            dt = rest[..., -1]
            rest = jnp.concatenate([rest[..., :-1], jnp.log(dt)[..., None]], -1)
        parts = [lags, rest]
        if self.indicators:
            parts.append(seen[..., self.layout.hidden].astype(lags.dtype))
        return SequenceBatch(jnp.concatenate(parts, -1), context.mask, None, dt), key

    def apply_head(self, ys: Array, inputs: SequenceBatch, xs: SequenceBatch, key: PRNGKeyArray | None) -> Array:
        """The forecast from the outputs of the recurrent net."""
        del inputs
        y = self.said(ys, xs, key)
        lags, last = self._lags(xs)
        if self.skip is not None:
            y = y + self.skip(lags, xs.values[:, self.context :, self.layout.ahead])[..., None]
        if self.subtract_last:
            y = y + last[..., None]
        return jnp.sort(y, axis=-1) if self.levels else y[..., 0]

    def said(self, ys: Array, xs: SequenceBatch, key: PRNGKeyArray | None) -> Array:
        """What the head says, `(batch, horizon, targets, levels)`, before anything is added to it."""
        h = ys[:, -1]
        if key is not None and self.dropout:
            kept = jr.bernoulli(jr.fold_in(key, 0), 1 - self.dropout, h.shape)
            h = jnp.where(kept, h / (1 - self.dropout), jnp.zeros_like(h))
        y = self.head(h, xs.values[:, self.context :, self.layout.ahead])
        return y.reshape(*y.shape[:2], self.layout.targets, max(self.levels, 1))

    def _seen(self, xs: SequenceBatch) -> Array:
        context = xs.window(0, self.context)
        return jnp.ones(context.values.shape, bool) if context.observed is None else context.observed

    def _lags(self, xs: SequenceBatch) -> tuple[Array, Array]:
        """The past of the targets as the net sees it, and their last observed value."""
        targets = xs.values[:, : self.context, : self.layout.targets]
        here = self._seen(xs)[..., : self.layout.targets]
        last = targets[:, -1:] if xs.observed is None else last_observed(targets, here)
        return jnp.where(here, targets - last if self.subtract_last else targets, jnp.zeros_like(targets)), last


def last_observed(
    values: Float[Array, "batch time targets"], seen: Bool[Array, "batch time targets"]
) -> Float[Array, "batch 1 targets"]:
    """The last observed value of each target, 0 where there is none."""
    back = jnp.argmax(jnp.flip(seen, 1), 1)[:, None]
    last = jnp.take_along_axis(jnp.flip(values, 1), back, 1)
    return jnp.where(jnp.any(seen, 1)[:, None], last, jnp.zeros_like(last))


class Rolling(Cell):
    """A one-step forecaster as a cell: its state is the window, its input the newest targets, its output the next ones.

    Rolled out on its own outputs it forecasts any number of steps, each from a window of the length that it was trained
    on. `start` is the state that one row begins with.
    """

    net: ForecastNet
    start: State
    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)

    def __init__(self, net: ForecastNet, start: State):
        self.net, self.start = net, start
        self.input_size = self.hidden_size = net.layout.targets

    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        del key
        return self.start

    def __call__(
        self, x: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        del dt
        # `rest` holds the columns other than targets for all rows; the window's first one is row `step`.
        lags, seen, rest, step = state
        lags = jnp.concatenate([lags[1:], x[None]])
        seen = jnp.concatenate([seen[1:], jnp.ones((1, *seen.shape[1:]), bool)])
        shown = jax.lax.dynamic_slice_in_dim(rest, step, self.net.context + 1)
        values = jnp.concatenate([jnp.concatenate([lags, jnp.zeros_like(x)[None]]), shown], 1)
        known = jnp.concatenate([jnp.concatenate([seen, jnp.ones_like(seen[:1])]), jnp.ones(shown.shape, bool)], 1)
        y, _ = self.net(SequenceBatch(values[None], observed=known[None]), key=key)
        return (lags, seen, rest, step + 1), y[0, 0]


@eqx.filter_jit
def roll(net: ForecastNet, xs: SequenceBatch, steps: int) -> Float[Array, "batch steps targets"]:
    """The forecast of a one-step network for `steps` steps; `xs` has `context + steps` of them."""
    targets = net.layout.targets
    first = net(xs.window(0, net.context + 1))[0]
    if steps == 1:
        return first
    lags, rest = xs.values[:, : net.context, :targets], xs.values[:, :, targets:]
    seen = jnp.ones(lags.shape, bool) if xs.observed is None else xs.observed[:, : net.context, :targets]
    state = (lags, seen, rest, jnp.ones(lags.shape[0], jnp.int32))
    ys, _ = rollout(
        Rolling(net, jax.tree.map(lambda a: a[0], state)), first[:, 0], steps - 1, lambda y, t: y, state=state
    )
    return jnp.concatenate([first, ys], 1)


@eqx.filter_jit
def forward(net: ForecastNet, xs: SequenceBatch) -> Array:
    """The network without noise, compiled once for each shape."""
    return net(xs)[0]
