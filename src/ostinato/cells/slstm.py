"""sLSTM: exponential gates and a normalised memory (Beck et al., "xLSTM: Extended Long Short-Term Memory", 2024)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.init import gate_weights
from ostinato.cells.standard import StandardCell
from ostinato.errors import SettingsError

INPUT, FORGET, CELL, OUTPUT = range(4)
FORGETS = ("sigmoid", "exponential")
NOTHING = -1e4
"""The logarithm of no weight at all: its exponential is 0 in every precision."""


class NormalisedMemory(NamedTuple):
    """The output, the memory divided by the weight of all that was written, and the logarithm of that weight."""

    h: Float[Array, " hidden"]
    c: Float[Array, " hidden"]
    weight: Float[Array, " hidden"]


class SLSTM(StandardCell):
    r"""An LSTM whose input gate is exponential, so that later writing can outweigh all that came before.

    With $a = W x_t + b + R h_{t-1}$, rows in the order $i, f, z, o$, the published equations are

    $$c_t = f \odot c_{t-1} + e^{a_i} \odot \tanh(a_z),\quad n_t = f \odot n_{t-1} + e^{a_i},\qquad
      h_t = \sigma(a_o) \odot c_t / n_t$$

    with $f = \sigma(a_f)$ (`forget="sigmoid"`) or $e^{a_f}$ (`"exponential"`). They are computed from
    $\bar c = c / n$ and $l = \log n$, which needs no further state against overflow:

    $$w = \sigma(a_i - \log f - l_{t-1}),\quad \bar c_t = (1 - w) \odot \bar c_{t-1} + w \odot \tanh(a_z),\quad
      l_t = \log f + l_{t-1} + \mathrm{softplus}(a_i - \log f - l_{t-1}),\quad h_t = \sigma(a_o) \odot \bar c_t$$

    Shapes: `x (input,)`, `h, c, weight (hidden,)` (c is $\bar c$, weight is l), `W (4, hidden, input)`,
    `R (4, hidden, hidden)`, `b (4, hidden)`. One head; the blocks around it (normalisation, projections) are layers of
    their own. PyTorch and Keras have none. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = SLSTM(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    rows = 4

    forget: str = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget: str = "sigmoid",
        forget_bias: float | None = None,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        if forget not in FORGETS:
            raise SettingsError(f"forget: expected one of {', '.join(FORGETS)}, got {forget!r}")
        self.input_size, self.hidden_size, self.forget = input_size, hidden_size, forget
        weights = gate_weights(init, self.rows, hidden_size, input_size, key=key, dtype=dtype)
        self.W, self.R = weights.W, weights.R
        self.b = (weights.b + weights.b_h).at[FORGET].add(weights.forget_bias if forget_bias is None else forget_bias)

    def init_state(self, *, key: PRNGKeyArray | None = None) -> NormalisedMemory:
        del key
        zeros = jnp.zeros(self.hidden_size, self.b.dtype)
        return NormalisedMemory(zeros, zeros, jnp.full_like(zeros, NOTHING))

    def update(
        self, from_input: Array, from_hidden: Array | None, state: NormalisedMemory, dt: Any = None
    ) -> tuple[NormalisedMemory, Array]:
        del dt
        assert from_hidden is not None
        w, z, o, beside = self._gates(from_input, from_hidden, state)
        c = (1 - w) * state.c + w * z
        return NormalisedMemory(o * c, c, _softplus(beside) - beside + (from_input + from_hidden)[INPUT]), o * c

    def gate_values(self, from_input: Array, from_hidden: Array | None, state: NormalisedMemory) -> dict[str, Array]:
        assert from_hidden is not None
        return {"gates": jnp.stack(self._gates(from_input, from_hidden, state)[:3])}

    def _gates(self, from_input: Array, from_hidden: Array, state: NormalisedMemory) -> tuple[Array, ...]:
        """How much is written, what, how much is shown, and how heavy the new is beside the old, as a logarithm."""
        a = from_input + from_hidden
        log_f = a[FORGET] if self.forget == "exponential" else -_softplus(-a[FORGET])
        beside = a[INPUT] - (log_f + state.weight)
        return jax.nn.sigmoid(beside), jnp.tanh(a[CELL]), jax.nn.sigmoid(a[OUTPUT]), beside


def _softplus(a: Array) -> Array:
    """In operations that the compiled loop knows."""
    return jnp.maximum(a, jnp.zeros_like(a)) + jnp.log1p(jnp.exp(-jnp.abs(a)))
