"""Locally recurrent layer with filters for synapses (Back and Tsoi, Neural Computation 3, 1991)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.activations import activation_function
from ostinato.cells.base import Cell
from ostinato.cells.init import default_dtype, glorot_limit, uniform
from ostinato.errors import SettingsError


class InputDelays(NamedTuple):
    """The last inputs, the newest first: what synapses of finite response remember."""

    x: Float[Array, "past input"]


class SynapseDelays(NamedTuple):
    """The last inputs and the last outputs of every synapse, the newest first."""

    x: Float[Array, "past input"]
    y: Float[Array, "feedback hidden input"]


class Filters(Cell):
    r"""Every synapse is a linear filter, with poles and zeros; a `Stack` of these is a locally recurrent network.

    $$y_{nm}[t] = \sum_{p=0}^{L-1} w_{nm}^{(p)}\, x_m[t-p] + \sum_{p=1}^{I} v_{nm}^{(p)}\, y_{nm}[t-p],\qquad
      s_n = \sum_m y_{nm} + b_n,\qquad y_n = a(s_n)$$

    L is `taps`, I is `feedback`. Without feedback the response is finite (FIR); with one tap and no feedback it is a
    feed-forward layer. No unit sees another one.

    Shapes: `x (input,)`, `w (taps, hidden, input)`, `v (feedback, hidden, input)` or None, `b (hidden,)`; the state
    holds `x (taps - 1, input)` and, with feedback, `y (feedback, hidden, input)`, the newest first.

    `w` starts uniform after Glorot and Bengio over all taps, `v` uniform in ±1/(2I): inside the region where every
    synapse is stable. Training may leave it: `analysis.poles` watches. PyTorch and Keras have none. Rules of its own:
    `learning.RBP` (exact) and `learning.CRBP`.

    Raises `SettingsError` for sizes that make no filter.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = Filters(3, 5, taps=4, feedback=2, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape, state.x.shape, state.y.shape
    ((5,), (3, 3), (2, 5, 3))

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    activation: str | Callable[[Array], Array] = eqx.field(static=True)
    w: Float[Array, "taps hidden input"]
    v: Float[Array, "feedback hidden input"] | None
    b: Float[Array, " hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        taps: int = 3,
        feedback: int = 2,
        activation: str | Callable[[Array], Array] = "tanh",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        if hidden_size < 1 or input_size < 0:
            raise SettingsError(f"sizes: expected input_size >= 0, hidden_size >= 1, got {input_size}, {hidden_size}")
        if taps < 1 or feedback < 0:
            raise SettingsError(f"taps, feedback: expected taps >= 1 and feedback >= 0, got {taps} and {feedback}")
        self.input_size, self.hidden_size = input_size, hidden_size
        activation_function(activation)
        self.activation = activation
        k_w, k_v = jr.split(key)
        dtype = default_dtype(dtype)
        self.w = uniform(k_w, (taps, hidden_size, input_size), glorot_limit(taps * input_size, hidden_size), dtype)
        self.v = uniform(k_v, (feedback, hidden_size, input_size), 0.5 / feedback, dtype) if feedback else None
        self.b = jnp.zeros(hidden_size, dtype)

    @property
    def taps(self) -> int:
        """L: the present input and those remembered."""
        return self.w.shape[0]

    @property
    def feedback(self) -> int:
        """I: how many past outputs a synapse sees."""
        return 0 if self.v is None else self.v.shape[0]

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Any:
        del key
        x = jnp.zeros((self.taps - 1, self.input_size), self.b.dtype)
        return InputDelays(x) if self.v is None else SynapseDelays(x, jnp.zeros_like(self.v))

    def filter(self, x: Float[Array, " input"], state: Any) -> tuple[Any, Float[Array, " hidden"]]:
        """The state after the step, and the sums before the activation."""
        seen = jnp.concatenate([x[None], state.x])
        y = jnp.sum(self.w * seen[:, None], axis=0)
        if self.v is None:
            return InputDelays(seen[:-1]), jnp.sum(y, axis=1) + self.b
        y = y + jnp.sum(self.v * state.y, axis=0)
        return SynapseDelays(seen[:-1], jnp.concatenate([y[None], state.y[:-1]])), jnp.sum(y, axis=1) + self.b

    def __call__(self, x: Array, state: Any, *, dt: Any = None, key: PRNGKeyArray | None = None) -> tuple[Any, Array]:
        del dt, key
        state, s = self.filter(x, state)
        return state, activation_function(self.activation)(s)

    def internals(self, x: Array, state: Any) -> dict[str, Array]:
        return {"s": self.filter(x, state)[1]}
