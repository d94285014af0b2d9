"""Liquid cells: time constants that the input sets (Hasani et al., AAAI 2021; closed form: Nature MI 2022)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Hidden
from ostinato.cells.standard import StandardCell
from ostinato.errors import SettingsError


class LTC(StandardCell):
    r"""A liquid time-constant network: what a neuron receives changes how fast it leaks.

    $$\dot h = -\frac{h}{\tau} + f \odot (A - h),\qquad f = \sigma(W x + R h + b),\qquad y = h$$

    by one fused step of length `dt`, else `step`, which is stable for every length:

    $$h_t = \frac{h_{t-1} + \delta\, f \odot A}{1 + \delta\, (1 / \tau + f)}$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (1, hidden, input)`, `R (1, hidden, hidden)`, `b (1, hidden)`; `A` and
    `log_tau` `(hidden,)`. The authors make several such steps at one input: give shorter steps, or `RungeKutta`,
    `Adaptive` around the cell. PyTorch and Keras have none. Exact online gradients: RTRL.

    Raises `SettingsError` for a step that is not positive.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = LTC(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state(), dt=0.5)
    >>> y.shape
    (5,)

    ```
    """

    step: float = eqx.field(static=True)
    A: Float[Array, " hidden"]
    log_tau: Float[Array, " hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        step: float = 1.0,
        tau: ArrayLike = 1.0,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        super().__init__(input_size, hidden_size, init=init, dtype=dtype, key=key)
        self.step = _positive(step, "step")
        # Neurons alternate between what excites and what inhibits.
        self.A = jnp.where(jnp.arange(hidden_size) % 2 == 0, 1, -1).astype(self.b.dtype)
        self.log_tau = jnp.log(jnp.broadcast_to(jnp.asarray(tau, self.b.dtype), (hidden_size,)))

    def show(self, state: Hidden) -> Float[Array, " hidden"]:
        """h: what the cell gives in a state."""
        return state.h

    def rate(self, x: Float[Array, " input"], state: Hidden) -> Hidden:
        r"""$\dot h$ at a moment."""
        f = jax.nn.sigmoid((self.project(x) + self.R @ state.h)[0])
        return Hidden(f * (self.A - state.h) - state.h * jnp.exp(-self.log_tau))

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        assert from_hidden is not None
        long = self.step if dt is None else dt
        f = jax.nn.sigmoid((from_input + from_hidden)[0])
        h = (state.h + long * f * self.A) / (1 + long * (jnp.exp(-self.log_tau) + f))
        return Hidden(h), h


class CfC(StandardCell):
    r"""The closed form of a liquid network: two candidates, and a gate that turns from one to the other with time.

    With $a = W x_t + b + R h_{t-1}$, rows in the order f, g, u, v:

    $$s = \sigma(a_u\, \delta + a_v),\qquad h_t = (1 - s) \odot \tanh(a_f) + s \odot \tanh(a_g),\qquad y_t = h_t$$

    with $\delta$ the `dt` of the step, else `step`. Nothing is integrated, so a long step costs what a short one does.

    Shapes: `x (input,)`, `h (hidden,)`, `W (4, hidden, input)`, `R (4, hidden, hidden)`, `b (4, hidden)`. The authors
    put a feed-forward network before the four rows; here it is a layer below. PyTorch and Keras have none. Exact
    online gradients: RTRL. Raises `SettingsError` for a step that is not positive.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = CfC(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state(), dt=0.5)
    >>> y.shape
    (5,)

    ```
    """

    rows = 4

    step: float = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        step: float = 1.0,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        super().__init__(input_size, hidden_size, init=init, dtype=dtype, key=key)
        self.step = _positive(step, "step")

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del state
        assert from_hidden is not None
        a = from_input + from_hidden
        s = jax.nn.sigmoid(a[2] * (self.step if dt is None else dt) + a[3])
        h = (1 - s) * jnp.tanh(a[0]) + s * jnp.tanh(a[1])
        return Hidden(h), h


def _positive(value: float, name: str) -> float:
    if value <= 0:
        raise SettingsError(f"{name}: expected a positive number, got {value}")
    return float(value)
