r"""Lyapunov exponents: how fast nearby trajectories part, and how fast gradients vanish or explode with the lag.

Benettin, Galgani, Giorgilli and Strelcyn, Meccanica 15 (1980); Vogt, Puelma Touzel, Shlizerman and Lajoie, "On Lyapunov
exponents for RNNs", Frontiers in Applied Mathematics and Statistics 8 (2022).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.analysis.maps import StateMap, as_map, as_vectors, in_float64
from ostinato.errors import NonFiniteError, SettingsError, ShapeError
from ostinato.precision import float64


class Lyapunov(NamedTuple):
    """The exponents, the largest first, and their running estimates `(steps, exponents)`; both per unit of `dt`."""

    exponents: np.ndarray
    running: np.ndarray

    @property
    def dimension(self) -> float:
        r"""Kaplan and Yorke's: $k + \sum_{i \le k} \lambda_i / |\lambda_{k+1}|$, k the last with a sum of 0 or more.

        It needs the whole spectrum, or as much of it as makes the sum negative; NaN otherwise.
        """
        sums = np.cumsum(self.exponents)
        if sums[0] < 0:
            return 0.0
        if (sums >= 0).all():
            return float("nan")
        k = int(np.flatnonzero(sums < 0)[0])
        return k + float(sums[k - 1] / abs(self.exponents[k]))


def lyapunov(
    layer: Any,
    start: Any,
    steps: int,
    *,
    xs: Any = None,
    exponents: int | None = None,
    skip: int = 100,
    every: int = 1,
    dt: float = 1.0,
) -> Lyapunov:
    r"""The Lyapunov spectrum along a trajectory, by repeated QR factors of the Jacobians, in float64.

    $$J_t Q_{t-1} = Q_t R_t,\qquad \lambda_i = \frac{1}{T\,dt} \sum_t \ln |R_t[i, i]|$$

    * `layer`: a cell or a stack, driven by `xs` `(skip + steps, features)` or by zeros (open loop); a `StateMap` with
      `feed` (closed loop: the network runs on its own outputs); or a function from vector to vector.
    * `start`: a state, or its vector. `skip` steps let the trajectory and the directions settle first.
    * `exponents`: how many, the largest; all by default. `every`: steps between two factorisations.
    * `dt`: time of a step, for a map that integrates an equation of continuous time.

    Raises `SettingsError`, `ShapeError`, `StateError`, `NonFiniteError` (the trajectory leaves all bounds).

    ```python
    >>> import numpy as np
    >>> found = lyapunov(lambda s: jnp.array([0.5, 0.2]) * s, np.ones(2), 50)
    >>> bool(np.allclose(found.exponents, np.log([0.5, 0.2])))
    True

    ```
    """
    if steps < 1 or skip < 0 or every < 1 or dt <= 0 or steps % every or skip % every:
        raise SettingsError(
            f"steps, skip, every, dt: expected steps and skip as multiples of every, all above 0, got {steps}, {skip}, "
            f"{every}, {dt}"
        )
    with float64():
        step = in_float64(as_map(layer))
        inputs = _inputs(step, xs, skip + steps)
        s = _vector(step, start)
        k = len(s) if exponents is None else exponents
        if not 1 <= k <= len(s):
            raise SettingsError(f"exponents: expected 1 to {len(s)}, got {k}")
        # Directions that no axis is special to; they turn to the fastest ones by themselves.
        first = np.linalg.qr(np.random.default_rng(0).normal(size=(len(s), k)))[0]
        logs = np.asarray(_factors(step, s, jnp.asarray(first), inputs, (skip + steps) // every, every))
    logs = logs[skip // every :]
    if not np.isfinite(logs[:, 0]).all():
        raise NonFiniteError("the trajectory does not stay finite: no exponents")
    running = np.cumsum(logs, axis=0) / (np.arange(1, len(logs) + 1)[:, None] * every * dt)
    order = np.argsort(-running[-1], kind="stable")
    return Lyapunov(running[-1][order], running[:, order])


class GradientDecay(NamedTuple):
    """Mean logarithm of the gradient's norm at each lag, and the slope of a line through it, per step."""

    lags: np.ndarray
    log_norms: np.ndarray
    slope: float


def gradient_decay(layer: Any, start: Any, xs: Any, lags: int, *, first: int = 1) -> GradientDecay:
    r"""How the gradient through time shrinks or grows with the lag: the vanishing gradient, measured, in float64.

    $$g(k) = \operatorname{mean}_t \ln \lVert v^\top J_{t+k} \cdots J_{t+1} \rVert,\qquad \lVert v \rVert = 1$$

    where $J_t = \partial s_t / \partial s_{t-1}$ along the sequence `xs` `(time, features)`. v is drawn once for each
    end. The slope over lags `first` to `lags` tends to the largest Lyapunov exponent; the mean of logarithms is taken,
    because the logarithm of the mean is led by few large values.

    Raises `SettingsError` where the sequence is not longer than `lags`.

    ```python
    >>> import jax, numpy as np
    >>> from ostinato.cells import IndRNN
    >>> cell = IndRNN(1, 3, key=jax.random.key(0))
    >>> cell = eqx.tree_at(lambda c: c.u, cell, jnp.full((3,), 0.5)) if hasattr(cell, "u") else cell
    >>> decay = gradient_decay(cell, cell.init_state(), np.ones((30, 1)), 5)
    >>> decay.lags.tolist()
    [1, 2, 3, 4, 5]

    ```
    """
    with float64():
        step = in_float64(as_map(layer))
        inputs = _inputs(step, xs, len(xs))
        if not 1 <= first < lags < len(inputs):
            raise SettingsError(f"first, lags: expected 1 <= first < lags < {len(inputs)} steps, got {first}, {lags}")
        s = _vector(step, start)
        jacobians = _along(step, s, inputs)
        v = np.random.default_rng(0).normal(size=(len(inputs) - lags, len(s)))
        logs = np.asarray(_backwards(jacobians, jnp.asarray(v / np.linalg.norm(v, axis=1, keepdims=True)), lags))
    lag = np.arange(1, lags + 1)
    means = logs.mean(0)
    used = slice(first - 1, None)
    slope = float(np.polyfit(lag[used], means[used], 1)[0])
    return GradientDecay(lag, means, slope)


def jacobians_along(layer: Any, start: Any, xs: Any) -> Float[np.ndarray, "time n n"]:
    r"""The Jacobian of each step along a sequence `xs` `(time, features)`: $J_t = \partial s_t / \partial s_{t-1}$."""
    with float64():
        step = in_float64(as_map(layer))
        return np.asarray(_along(step, _vector(step, start), _inputs(step, xs, len(xs))))


def _inputs(step: Any, xs: Any, time: int) -> Array:
    """An input for each step, `(time, features)`; nothing to a map that takes none."""
    if not isinstance(step, StateMap) or step.feed is not None:
        if xs is not None and np.size(xs):
            raise SettingsError("xs: this map takes no input from outside")
        return jnp.zeros((time, 0))
    given = jnp.broadcast_to(step.x, (time, len(step.x))) if xs is None else jnp.asarray(xs, "float64")
    if given.shape != (time, step.layer.input_size):
        raise ShapeError(f"xs: expected ({time}, {step.layer.input_size}), (skip + steps, features), got {given.shape}")
    return given


def _vector(step: Any, start: Any) -> Array:
    if isinstance(step, StateMap) and not (hasattr(start, "ndim") and start.ndim == 1 and len(start) == step.size):
        start = step.vector(in_float64(start))
    return jnp.asarray(as_vectors(step, np.asarray(start)[None])[0])


def _at(step: Any, x: Array) -> Callable[[Array], Array]:
    return step.at(x) if x.size else step


@eqx.filter_jit
def _factors(step: Any, s: Array, Q: Array, inputs: Array, blocks: int, every: int) -> Array:
    """The logarithms of the diagonal of R after each block of steps."""

    def block(carry: tuple[Array, Array], xs: Array) -> tuple[tuple[Array, Array], Array]:
        s, Q = carry
        for x in xs:
            now, push = jax.linearize(_at(step, x), s)
            s, Q = now, jax.vmap(push, 1, 1)(Q)
        Q, R = jnp.linalg.qr(Q)
        return (s, Q), jnp.log(jnp.abs(jnp.diagonal(R)))

    return jax.lax.scan(block, (s, Q), inputs.reshape(blocks, every, inputs.shape[1]))[1]


@eqx.filter_jit
def _along(step: Any, s: Array, inputs: Array) -> Array:
    def one(s: Array, x: Array) -> tuple[Array, Array]:
        return _at(step, x)(s), jax.jacfwd(_at(step, x))(s)

    return jax.lax.scan(one, s, inputs)[1]


@eqx.filter_jit
def _backwards(jacobians: Array, v: Array, lags: int) -> Array:
    """The logarithm of the norm of each row of v, pulled back over 1 to `lags` steps from its own end."""
    ends = jnp.arange(lags - 1, len(jacobians))[: len(v)]

    def one(carry: tuple[Array, Array], lag: Array) -> tuple[tuple[Array, Array], Array]:
        rows, total = carry
        rows = jnp.einsum("rn,rnm->rm", rows, jacobians[ends - lag])
        size = jnp.linalg.norm(rows, axis=1)
        total = total + jnp.log(size)
        return (rows / size[:, None], total), total

    start = (v, jnp.zeros(len(v)))
    return jax.lax.scan(one, start, jnp.arange(lags))[1].T
