"""Second-order network: a matrix for each symbol (Giles et al., Neural Computation 4, 1992)."""

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Hidden
from ostinato.cells.init import gate_weights
from ostinato.cells.standard import DrawnCell


class SecondOrder(DrawnCell):
    r"""Units that see products of state and input: with inputs 1 of m, each symbol has a matrix of transitions.

    $$h_t = \sigma\Big(\sum_k x_{t,k}\, R_k h_{t-1} + b\Big),\qquad y_t = h_t$$

    A finite automaton is such a network with 1-of-n states, so that automata are learned, and read out again, more
    easily than with sums. It starts with the first unit at 1 and the others at 0.

    Shapes: `x (input,)`, `h (hidden,)`, `R (input, hidden, hidden)`, `b (hidden,)`: `R[k, i, j]` is the weight
    $W_{ijk}$ of the paper. The product depends on both, so this is a plain cell. PyTorch and Keras have none. Exact
    online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = SecondOrder(2, 4, key=jax.random.key(0))
    >>> state, y = cell(jnp.array([0.0, 1.0]), cell.init_state())
    >>> y.shape, cell.R.shape
    ((4,), (2, 4, 4))

    ```
    """

    output_field = "h"

    R: Float[Array, "input hidden hidden"]
    b: Float[Array, " hidden"]

    if TYPE_CHECKING:  # for whom a class with fields of its own has a constructor of these
        __init__ = DrawnCell.__init__

    def draw(self, init: str, dtype: DTypeLike | None, key: PRNGKeyArray) -> None:
        weights = gate_weights(init, max(self.input_size, 1), self.hidden_size, 0, key=key, dtype=dtype)
        self.R, self.b = weights.R[: self.input_size], jnp.zeros_like(weights.b[0])

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Hidden:
        del key
        return Hidden(jnp.zeros(self.hidden_size, self.b.dtype).at[0].set(1))

    def hidden(self, state: Hidden) -> Float[Array, " hidden"]:
        return state.h

    def __call__(
        self, x: Array, state: Hidden, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Hidden, Array]:
        return self.step_with_hidden(x, state.h, state, dt=dt, key=key)

    def step_with_hidden(
        self, x: Array, seen: Array, state: Hidden, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Hidden, Array]:
        del state, dt, key
        h = jax.nn.sigmoid(x @ (self.R @ seen) + self.b)
        return Hidden(h), h
