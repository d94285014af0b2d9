"""Continuous-time recurrent network by steps (Beer, "On the dynamics of small CTRNNs", Adaptive Behavior 3, 1995)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import GatedCell
from ostinato.cells.init import gate_weights
from ostinato.errors import SettingsError

METHODS = ("euler", "exponential")


class Potential(NamedTuple):
    """The potential of each neuron."""

    v: Float[Array, " hidden"]


class CTRNN(GatedCell):
    r"""Neurons that leak, each with its own time constant, and see each other through a sigmoid.

    $$\tau \odot \dot v = -v + W x + R\, o,\qquad o = \sigma(g \odot (v + \theta)),\qquad y = o$$

    One step of length h, with the drive $u_t = W x_t + R\, o_{t-1}$ held still, all neurons at once, by `method`
    `"euler"` or `"exponential"`:

    $$v_t = v_{t-1} + \tfrac{h}{\tau} \odot (u_t - v_{t-1})\qquad\text{or}\qquad
      v_t = u_t + e^{-h/\tau} \odot (v_{t-1} - u_t)$$

    h is the `dt` of the step where the sequence has one, else `step`. Euler is stable only for h < 2τ. Exponential
    steps are stable for all h, but hold the drive still, which slows oscillations: they are no more accurate.
    `RungeKutta` and `Adaptive` integrate the same equation with less error.

    Shapes: `x (input,)`, `v (hidden,)`, `W (1, hidden, input)`, `R (1, hidden, hidden)`; `log_tau`, `theta`, `gain`
    `(hidden,)`. `R[0, i, j]` leads from j to i: Beer's w_ji, transposed. Time constants are kept as logarithms, so that
    training leaves them positive. `tau`, `theta` and `gain` start at the given numbers.

    With h = τ and g = 1 it is `Elman` with a sigmoid and the bias θ, begun at σ(θ). θ and g of a neuron act on the
    others through what these see. PyTorch and Keras have none. Exact online gradients: RTRL.

    Raises `SettingsError` for an unknown method, a step or a time constant that is not positive.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = CTRNN(3, 5, tau=2.0, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state(), dt=0.01)
    >>> y.shape, round(float(cell.tau[0]), 6)
    ((5,), 2.0)

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    step: float = eqx.field(static=True)
    method: str = eqx.field(static=True)
    W: Float[Array, "1 hidden input"]
    R: Float[Array, "1 hidden hidden"]
    log_tau: Float[Array, " hidden"]
    theta: Float[Array, " hidden"]
    gain: Float[Array, " hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        step: float = 0.1,
        method: str = "euler",
        tau: ArrayLike | Sequence[float] = 1.0,
        theta: ArrayLike | Sequence[float] = 0.0,
        gain: ArrayLike | Sequence[float] = 1.0,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        if method not in METHODS:
            raise SettingsError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
        if step <= 0:
            raise SettingsError(f"step: expected a positive number, got {step}")
        if not isinstance(tau, Tracer) and not (np.asarray(tau) > 0).all():
            raise SettingsError(f"tau: expected positive numbers, got {tau}")
        self.input_size, self.hidden_size = input_size, hidden_size
        self.step, self.method = float(step), method
        weights = gate_weights(init, 1, hidden_size, input_size, key=key, dtype=dtype)
        self.W, self.R = weights.W, weights.R
        each = lambda value: jnp.broadcast_to(jnp.asarray(value, weights.b.dtype), (hidden_size,))
        self.log_tau, self.theta, self.gain = jnp.log(each(tau)), each(theta), each(gain)

    @property
    def tau(self) -> Float[Array, " hidden"]:
        """The time constants."""
        return jnp.exp(self.log_tau)

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Potential:
        del key
        return Potential(jnp.zeros(self.hidden_size, self.theta.dtype))

    def project(self, x: Float[Array, " input"]) -> Float[Array, "1 hidden"]:
        return self.W @ x

    def recurrent(self) -> tuple[Array, None]:
        return self.R, None

    def hidden(self, state: Potential) -> Float[Array, " hidden"]:
        return jax.nn.sigmoid(self.gain * (state.v + self.theta))

    def show(self, state: Potential) -> Float[Array, " hidden"]:
        """o: what the cell gives in a state."""
        return self.hidden(state)

    def rate(self, x: Float[Array, " input"], state: Potential) -> Potential:
        r"""$\dot v$ at a moment."""
        drive = (self.project(x) + self.R @ self.hidden(state))[0]
        return Potential((drive - state.v) / self.tau)

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Potential, dt: Any = None
    ) -> tuple[Potential, Array]:
        assert from_hidden is not None
        drive = (from_input + from_hidden)[0]
        part = (self.step if dt is None else dt) / self.tau
        if self.method == "euler":
            new = Potential(state.v + part * (drive - state.v))
        else:
            new = Potential(drive + jnp.exp(-part) * (state.v - drive))
        return new, self.show(new)
