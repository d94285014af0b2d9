"""Minimal gated units: one gate that resets and updates (Zhou et al. 2016; simplified: Heck and Salem 2017)."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ostinato.cells.base import Hidden
from ostinato.cells.reset_before import ConstantGates, ReducedGates, blend
from ostinato.cells.standard import StandardCell

FORGET, CANDIDATE = range(2)


class MGU(ReducedGates):
    r"""A GRU in which one gate does the work of two: 2(n² + nm + n) parameters.

    $$f = \sigma(W_f x_t + b_f + R_f h_{t-1}),\quad n = \tanh(W_n x_t + b_n + R_n (f \odot h_{t-1}))$$
    $$h_t = (1 - f) \odot h_{t-1} + f \odot n,\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (2, hidden, input)`, `R (2, hidden, hidden)`, `b (2, hidden)`, rows f, n.
    The "forget gate" of the paper writes: where f is 1, the old state is gone. Two products depend on one another, so
    this is a plain cell; `MGUAfter` has the fast kernels. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = MGU(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    gate_count = 1
    gate_sees = "xhb"


class MGU1(MGU):
    r"""A minimal gated unit whose gate sees the state and a bias, $f = \sigma(R_f h_{t-1} + b_f)$: nm parameters fewer.

    Shapes: `W (1, hidden, input)`, `R (2, hidden, hidden)`, `b (2, hidden)`; the rest as `MGU`.

    ```python
    >>> import jax
    >>> MGU1(3, 5, key=jax.random.key(0)).W.shape
    (1, 5, 3)

    ```
    """

    gate_sees = "hb"


class MGU2(MGU):
    r"""A minimal gated unit whose gate sees the state alone, $f = \sigma(R_f h_{t-1})$: nm + n parameters fewer.

    Shapes: `W (1, hidden, input)`, `R (2, hidden, hidden)`, `b (1, hidden)`; the rest as `MGU`.

    ```python
    >>> import jax
    >>> MGU2(3, 5, key=jax.random.key(0)).b.shape
    (1, 5)

    ```
    """

    gate_sees = "h"


class MGU3(ConstantGates):
    r"""A minimal gated unit whose gate is a constant that is learned: nm + n² parameters fewer.

    $$f = \sigma(b_f),\quad n = \tanh(W x_t + b_n + R (f \odot h_{t-1})),\quad h_t = (1 - f) \odot h_{t-1} + f \odot n$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (1, hidden, input)`, `R (1, hidden, hidden)`, `b (2, hidden)`, rows f, n.
    With f constant there is only one product, with $R\,\mathrm{diag}(f)$. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = MGU3(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    gate_count = 1


class MGUAfter(StandardCell):
    r"""A minimal gated unit with the gate after the recurrent product, which makes it one product and so fast.

    With $a = W x_t + b$ and $q = R h_{t-1}$, rows in the order $f, n$:

    $$f = \sigma(a_f + q_f),\quad n = \tanh(a_n + f \odot q_n),\quad h_t = (1 - f) \odot h_{t-1} + f \odot n$$

    Shapes and number of parameters as `MGU`; another function, so weights cannot be exchanged.
    Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = MGUAfter(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    rows = 2

    def gates(self, from_input: Array, from_hidden: Array) -> tuple[Array, Array]:
        """The gate and the candidate."""
        f = jax.nn.sigmoid(from_input[FORGET] + from_hidden[FORGET])
        return f, jnp.tanh(from_input[CANDIDATE] + f * from_hidden[CANDIDATE])

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del dt
        assert from_hidden is not None
        f, n = self.gates(from_input, from_hidden)
        h = blend("chung", f, n, state.h)
        return Hidden(h), h

    def gate_values(self, from_input: Array, from_hidden: Array | None, state: Hidden) -> dict[str, Array]:
        del state
        assert from_hidden is not None
        return {"gates": jnp.stack(self.gates(from_input, from_hidden))}
