"""Gated recurrent units with fewer parameters in the gates (Dey and Salem, "Gate-variants of GRU", 2017)."""

from ostinato.cells.reset_before import ConstantGates, ReducedGates


class GRU1(ReducedGates):
    r"""A GRU whose gates see the state and a bias, not the input: 2nm parameters fewer.

    $$r = \sigma(R_r h_{t-1} + b_r),\quad z = \sigma(R_z h_{t-1} + b_z)$$
    $$n = \tanh(W x_t + b_n + R_n (r \odot h_{t-1})),\qquad h_t = (1 - z) \odot h_{t-1} + z \odot n,\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (1, hidden, input)`, `R (3, hidden, hidden)`, `b (3, hidden)`, rows r, z, n.
    A plain cell, as `GRUBefore`. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = GRU1(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    gate_count = 2
    gate_sees = "hb"


class GRU2(GRU1):
    r"""A GRU whose gates see the state alone: 2(nm + n) parameters fewer.

    $$r = \sigma(R_r h_{t-1}),\quad z = \sigma(R_z h_{t-1})$$

    and the rest as `GRU1`. Shapes: `W (1, hidden, input)`, `R (3, hidden, hidden)`, `b (1, hidden)`.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = GRU2(3, 5, key=jax.random.key(0))
    >>> cell.b.shape
    (1, 5)

    ```
    """

    gate_sees = "h"


class GRU3(ConstantGates):
    r"""A GRU whose gates are constants that are learned: 2(nm + n²) parameters fewer.

    $$r = \sigma(b_r),\quad z = \sigma(b_z),\quad n = \tanh(W x_t + b_n + R (r \odot h_{t-1}))$$
    $$h_t = (1 - z) \odot h_{t-1} + z \odot n,\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (1, hidden, input)`, `R (1, hidden, hidden)`, `b (3, hidden)`, rows r, z, n.
    With r constant there is only one product, with $R\,\mathrm{diag}(r)$. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = GRU3(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    gate_count = 2
