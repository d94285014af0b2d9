"""Gated recurrent units (Cho et al., EMNLP 2014), with the reset gate after or before the recurrent product."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Hidden
from ostinato.cells.init import gate_weights
from ostinato.cells.reset_before import ResetBefore, blend, check_convention
from ostinato.cells.standard import StandardCell

RESET, UPDATE, CANDIDATE = range(3)


class GRU(StandardCell):
    r"""One state that is partly kept, partly replaced; the reset gate acts after the recurrent product.

    With $a = W x_t + b$ and $q = R h_{t-1} + b_h$, rows in the order $r, z, n$:

    $$r = \sigma(a_r + q_r),\quad z = \sigma(a_z + q_z),\quad n = \tanh(a_n + r \odot q_n)$$
    $$h_t = (1 - z) \odot n + z \odot h_{t-1},\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (3, hidden, input)`, `R (3, hidden, hidden)`, `b, b_h (3, hidden)`.

    * `convention="torch"`: as above, z keeps the state (Cho et al. 2014, PyTorch, Keras, ONNX).
      `"chung"`: $h_t = (1 - z) h_{t-1} + z n$, z writes it (Chung et al. 2014 and many textbooks). The two differ by
      the sign of the weights of z.
    * `hidden_bias=False`: no `b_h`; the cell has 3(n² + nm + n) parameters.

    As PyTorch's GRU and Keras' with `reset_after=True`, gates in PyTorch's order. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = GRU(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    rows = 3

    convention: str = eqx.field(static=True)
    b_h: Float[Array, "3 hidden"] | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        convention: str = "torch",
        hidden_bias: bool = True,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        self.input_size, self.hidden_size = input_size, hidden_size
        self.convention = check_convention(convention)
        weights = gate_weights(init, self.rows, hidden_size, input_size, key=key, dtype=dtype)
        self.W, self.R, self.b = weights.W, weights.R, weights.b
        self.b_h = weights.b_h if hidden_bias else None

    def recurrent(self) -> tuple[Array, Array | None]:
        return self.R, self.b_h

    def gates(self, from_input: Array, from_hidden: Array) -> tuple[Array, Array, Array]:
        """Reset gate, update gate and candidate."""
        r = jax.nn.sigmoid(from_input[RESET] + from_hidden[RESET])
        z = jax.nn.sigmoid(from_input[UPDATE] + from_hidden[UPDATE])
        return r, z, jnp.tanh(from_input[CANDIDATE] + r * from_hidden[CANDIDATE])

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del dt
        assert from_hidden is not None
        _, z, n = self.gates(from_input, from_hidden)
        h = blend(self.convention, z, n, state.h)
        return Hidden(h), h

    def gate_values(self, from_input: Array, from_hidden: Array | None, state: Hidden) -> dict[str, Array]:
        del state
        assert from_hidden is not None
        return {"gates": jnp.stack(self.gates(from_input, from_hidden))}


class GRUBefore(ResetBefore):
    r"""The gated recurrent unit as first published: the reset gate acts on the state, before the recurrent product.

    $$r = \sigma(W_r x_t + b_r + R_r h_{t-1}),\quad z = \sigma(W_z x_t + b_z + R_z h_{t-1})$$
    $$n = \tanh(W_n x_t + b_n + R_n (r \odot h_{t-1})),\qquad h_t = (1 - z) \odot n + z \odot h_{t-1},\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (3, hidden, input)`, `R (3, hidden, hidden)`, `b (3, hidden)`, rows r, z, n:
    3(n² + nm + n) parameters. `convention` as for `GRU`.

    As Keras' GRU with `reset_after=False`; PyTorch has none, and the weights of the two forms cannot be exchanged. Two
    products depend on one another, so this is a plain cell without fast kernels. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = GRUBefore(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    gate_count = 2
    gate_sees = "xhb"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        convention: str = "torch",
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        super().__init__(input_size, hidden_size, convention=convention, init=init, dtype=dtype, key=key)
