"""Threshold circuits with loops (McCulloch and Pitts 1943): a latch, and a pulse that goes round (Hebb 1949)."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells import GatedCell, Hidden
from ostinato.errors import SettingsError, ShapeError


class ThresholdCircuit(GatedCell):
    r"""Neurons that fire or do not, each one step after those that it hears.

    $$h_t = \mathbb 1[\, W x_t + R h_{t-1} \ge \theta \,],\qquad y_t = h_t$$

    A `Cell` as any other: `unroll(circuit, xs)`. Its derivative is 0 wherever there is one, so it is built and not
    trained: `latch()`, `reverberating_loop(n)`, or matrices of your own.

    Shapes: `x (input,)` and `h (hidden,)` of 0 and 1, `W (1, hidden, input)`, `R (1, hidden, hidden)`, `theta
    (hidden,)`.

    ```python
    >>> import jax.numpy as jnp, ostinato as ost
    >>> both = ThresholdCircuit(W=[[1, 1]], R=[[0]], theta=[2])
    >>> ys, _ = ost.unroll(both, jnp.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]))
    >>> ys[:, 0].tolist()
    [0.0, 1.0, 0.0]

    ```
    """

    output_field = "h"

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    W: Float[Array, "1 hidden input"]
    R: Float[Array, "1 hidden hidden"]
    theta: Float[Array, " hidden"]

    def __init__(self, W: Any, R: Any, theta: Any, *, dtype: DTypeLike = "float32"):
        W, R, theta = (np.asarray(a, np.float64) for a in (W, R, theta))
        if theta.ndim != 1 or not len(theta) or W.ndim != 2 or len(W) != len(theta) or R.shape != 2 * theta.shape:
            raise ShapeError(
                "W, R, theta: expected (hidden, input), (hidden, hidden) and (hidden,), "
                f"got {W.shape}, {R.shape} and {theta.shape}"
            )
        self.hidden_size, self.input_size = W.shape
        self.W, self.R, self.theta = (jnp.asarray(a, dtype) for a in (W[None], R[None], theta))

    @property
    def fixed(self) -> tuple[str, ...]:
        return ("W", "R", "theta")

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Hidden:
        del key
        return Hidden(jnp.zeros(self.hidden_size, self.theta.dtype))

    def project(self, x: Float[Array, " input"]) -> Float[Array, "1 hidden"]:
        return self.W @ x

    def recurrent(self) -> tuple[Array, None]:
        return self.R, None

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del state, dt
        assert from_hidden is not None
        h = ((from_input + from_hidden)[0] >= self.theta).astype(self.theta.dtype)
        return Hidden(h), h


def latch() -> ThresholdCircuit:
    """A bit that is kept: inputs set and reset, outputs the bit and its opposite, two steps after the input.

    Two neurons, each of which fires unless its input or the other one does (NOR). A pulse has to last two steps. The
    circuit starts with neither firing, which only an input resolves: set or reset it first.

    ```python
    >>> import jax.numpy as jnp, ostinato as ost
    >>> xs = jnp.zeros((100, 2)).at[0:2, 1].set(1.0).at[10:12, 0].set(1.0)
    >>> ys, _ = ost.unroll(latch(), xs)
    >>> ys[9].tolist(), ys[99].tolist()
    ([0.0, 1.0], [1.0, 0.0])

    ```
    """
    # The first neuron is the bit: it hears reset; its opposite hears set.
    return ThresholdCircuit(W=[[0, -1], [-1, 0]], R=[[0, -1], [-1, 0]], theta=[-0.5, -0.5])


def reverberating_loop(neurons: int) -> ThresholdCircuit:
    """A ring in which each neuron wakes the next: a pulse into the first goes round until the second input stops it.

    Raises `SettingsError` for fewer than one neuron.

    ```python
    >>> import jax.numpy as jnp, ostinato as ost
    >>> ys, _ = ost.unroll(reverberating_loop(5), jnp.zeros((12, 2)).at[0, 0].set(1.0))
    >>> ys.argmax(axis=1).tolist()
    [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]

    ```
    """
    if neurons < 1:
        raise SettingsError(f"neurons: expected 1 or more, got {neurons}")
    W = np.zeros((neurons, 2))
    W[0, 0], W[:, 1] = 1, -2
    return ThresholdCircuit(W=W, R=np.roll(np.eye(neurons), 1, axis=0), theta=np.full(neurons, 0.5))
