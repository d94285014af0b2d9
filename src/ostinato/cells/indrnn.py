"""Independently recurrent network (Li et al., "Building a longer and deeper RNN", CVPR 2018)."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.activations import activation_function
from ostinato.cells.base import Hidden
from ostinato.cells.init import gate_weights
from ostinato.cells.standard import UnconnectedCell
from ostinato.errors import SettingsError


class IndRNN(UnconnectedCell):
    r"""Every unit sees the input and its own state, no other unit's: layers on top mix the units.

    $$h_t = a(W x_t + b + u \odot h_{t-1}),\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (1, hidden, input)`, `b (1, hidden)`, `u (hidden,)`.

    The gradient through T steps grows like $u^T$, so the paper keeps $|u| \le \gamma^{1/T}$, with T the `length`:

    * `u` starts uniform in $(0, \gamma^{1/T})$; in the last recurrent layer, where only the final step is read
      (`last=True`), in $(\epsilon^{1/T}, \gamma^{1/T})$, so that it remembers. Without `length`, T is taken as endless:
      the bound is 1.
    * `constrained()` gives the cell with u back inside its bound; in training it stands in the optimiser, as
      `optax.chain(optax.adam(2e-4), constrained_updates())`.

    There is no product with the state, so exact RTRL costs no more than the forward pass. PyTorch and Keras have none.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = IndRNN(3, 5, length=1000, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape, cell.recurrent() is None
    ((5,), True)

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    activation: str | Callable[[Array], Array] = eqx.field(static=True)
    bound: float | None = eqx.field(static=True)
    W: Float[Array, "1 hidden input"]
    b: Float[Array, "1 hidden"]
    u: Float[Array, " hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        activation: str | Callable[[Array], Array] = "relu",
        length: int | None = None,
        gamma: float = 2.0,
        epsilon: float = 0.5,
        last: bool = False,
        constrain: bool = True,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        if length is not None and length < 1:
            raise SettingsError(f"length: expected 1 or more, got {length}")
        if not 0 < epsilon <= gamma:
            raise SettingsError(f"epsilon, gamma: expected 0 < epsilon <= gamma, got {epsilon} and {gamma}")
        self.input_size, self.hidden_size = input_size, hidden_size
        activation_function(activation)
        self.activation = activation
        top = 1.0 if length is None else gamma ** (1 / length)
        bottom = 0.0 if not last else 1.0 if length is None else epsilon ** (1 / length)
        self.bound = top if constrain else None
        weights = gate_weights(init, 1, hidden_size, input_size, recurrent_size=0, key=key, dtype=dtype)
        self.W, self.b = weights.W, weights.b + weights.b_h
        self.u = jr.uniform(jr.fold_in(key, 1), (hidden_size,), self.b.dtype, bottom, top)

    def constrained(self) -> "IndRNN":
        """The same cell with `|u| <= bound`; itself where it was made with `constrain=False`."""
        if self.bound is None:
            return self
        return eqx.tree_at(lambda cell: cell.u, self, jnp.clip(self.u, -self.bound, self.bound))

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del from_hidden, dt
        h = activation_function(self.activation)(from_input[0] + self.u * state.h)
        return Hidden(h), h
