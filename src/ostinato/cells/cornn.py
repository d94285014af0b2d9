"""Coupled oscillators (Rusch and Mishra, "Coupled Oscillatory Recurrent Neural Network (coRNN)", ICLR 2021)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.cells.init import gate_weights
from ostinato.errors import SettingsError


class Oscillation(NamedTuple):
    """Where each oscillator is, and how fast it moves."""

    y: Float[Array, " hidden"]
    z: Float[Array, " hidden"]


class CoRNN(Cell):
    r"""Damped oscillators that drive one another; with short steps the gradient neither explodes nor vanishes.

    $$\ddot y = \tanh(W x + b + R_y y + R_z \dot y) - \gamma y - \epsilon \dot y$$

    by one step of length h, z before y:

    $$z_t = z_{t-1} + h\,[\tanh(W x_t + b + R_y y_{t-1} + R_z z_{t-1}) - \gamma y_{t-1} - \epsilon z_{t-1}],\qquad
      y_t = y_{t-1} + h z_t$$

    h is the `dt` of the step where the sequence has one, else `step`; `gamma` and `epsilon` are not learned.
    `RungeKutta` and `Adaptive` integrate the same equation with less error.

    Shapes: `x (input,)`, `y, z (hidden,)`, `W (1, hidden, input)`, `R (2, hidden, hidden)`, rows y, z, `b (1, hidden)`.
    Its two products see different vectors, so this is a plain cell. PyTorch and Keras have none. Exact online
    gradients: RTRL.

    Raises `SettingsError` for a step that is not positive, or a negative frequency or damping.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = CoRNN(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    output_field = "y"

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    step: float = eqx.field(static=True)
    gamma: float = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)
    W: Float[Array, "1 hidden input"]
    R: Float[Array, "2 hidden hidden"]
    b: Float[Array, "1 hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        step: float = 0.1,
        gamma: float = 1.0,
        epsilon: float = 1.0,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        if step <= 0:
            raise SettingsError(f"step: expected a positive number, got {step}")
        if gamma < 0 or epsilon < 0:
            raise SettingsError(f"gamma, epsilon: expected 0 or more, got {gamma} and {epsilon}")
        self.input_size, self.hidden_size = input_size, hidden_size
        self.step, self.gamma, self.epsilon = float(step), float(gamma), float(epsilon)
        weights = gate_weights(init, 2, hidden_size, input_size, key=key, dtype=dtype)
        self.W, self.R, self.b = weights.W[:1], weights.R, (weights.b + weights.b_h)[:1]

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Oscillation:
        del key
        zeros = jnp.zeros(self.hidden_size, self.b.dtype)
        return Oscillation(zeros, zeros)

    def show(self, state: Oscillation) -> Float[Array, " hidden"]:
        """y: what the cell gives in a state."""
        return state.y

    def rate(self, x: Float[Array, " input"], state: Oscillation) -> Oscillation:
        """Velocity and acceleration at a moment."""
        drive = self.W[0] @ x + self.b[0] + self.R[0] @ state.y + self.R[1] @ state.z
        return Oscillation(state.z, jnp.tanh(drive) - self.gamma * state.y - self.epsilon * state.z)

    def __call__(
        self, x: Array, state: Oscillation, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Oscillation, Array]:
        del key
        h = self.step if dt is None else dt
        z = state.z + h * self.rate(x, state).z
        y = state.y + h * z
        return Oscillation(y, z), y
