"""RECOLLECT's memory: one gate that sees the input alone (van den Berg, Roelfsema and Bohte, PLoS ONE 19, 2024)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Hidden
from ostinato.cells.init import default_dtype
from ostinato.cells.local import DiagonalCell
from ostinato.cells.standard import UnconnectedCell
from ostinato.errors import SettingsError

GATE, CANDIDATE = range(2)


class Recollect(UnconnectedCell, DiagonalCell):
    r"""A light gated unit whose gate and candidate see the input, never the memory.

    $$g = \varphi(W_g x_t + b_g),\quad c = \varphi(W_c x_t + b_c),\quad h_t = g \odot h_{t-1} + (1 - g) \odot c,\quad
      y_t = h_t$$

    with $\varphi(a) = 1 / (1 + e^{\theta - s a})$. Where g is 1 the memory keeps, where it is 0 it is replaced.

    Shapes: `x (input,)`, `h (hidden,)`, `W (2, hidden, input)`, `b (2, hidden)`, rows g, c. All weights start uniform
    in ±`scale`. The Q units of the paper are a linear read-out on top: `layers.ActionValues`.

    No unit sees another one, so exact online gradients are one trace for each synapse, `sensitivities`:

    $$e^c_{ij} \leftarrow g_j e^c_{ij} + (1 - g_j)\, s\, c_j (1 - c_j)\, x_i,\qquad
      e^g_{ij} \leftarrow g_j e^g_{ij} + (h_j^{t-1} - c_j)\, s\, g_j (1 - g_j)\, x_i$$

    The published code leaves the slope s out of its derivatives; `plasticity` divides by it, so that steps are those of
    the published rule. PyTorch and Keras have no such cell.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = Recollect(4, 7, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(4), cell.init_state())
    >>> y.shape, cell.recurrent() is None
    ((7,), True)

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    slope: float = eqx.field(static=True)
    theta: float = eqx.field(static=True)
    W: Float[Array, "2 hidden input"]
    b: Float[Array, "2 hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        slope: float = 2.0,
        theta: float = 0.0,
        scale: float = 0.25,
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        if hidden_size < 1 or input_size < 0:
            raise SettingsError(f"sizes: expected input_size >= 0, hidden_size >= 1, got {input_size}, {hidden_size}")
        if slope <= 0:
            raise SettingsError(f"slope: expected a positive number, got {slope}")
        self.input_size, self.hidden_size = input_size, hidden_size
        self.slope, self.theta = slope, theta
        k_W, k_b = jr.split(key)
        dtype = default_dtype(dtype)
        self.W = jr.uniform(k_W, (2, hidden_size, input_size), dtype, -scale, scale)
        self.b = jr.uniform(k_b, (2, hidden_size), dtype, -scale, scale)

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del from_hidden, dt
        g, c = self._units(from_input)
        h = g * state.h + (1 - g) * c
        return Hidden(h), h

    def gate_values(self, from_input: Array, from_hidden: Array | None, state: Any) -> dict[str, Array]:
        del from_hidden, state
        g, c = self._units(from_input)
        return {"gate": g, "candidate": c}

    def plasticity(self, gate: float) -> Any:
        rates = jnp.asarray([gate / self.slope, 1 / self.slope], self.b.dtype)
        return eqx.tree_at(
            lambda cell: (cell.W, cell.b),
            eqx.filter(self, eqx.is_inexact_array),
            (jnp.broadcast_to(rates[:, None, None], self.W.shape), jnp.broadcast_to(rates[:, None], self.b.shape)),
        )

    def _units(self, from_input: Array) -> tuple[Array, Array]:
        units = jax.nn.sigmoid(self.slope * from_input - self.theta)
        return units[GATE], units[CANDIDATE]
