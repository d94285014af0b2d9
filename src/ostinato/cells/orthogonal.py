"""A network whose recurrent matrix is orthogonal at every moment of training (Helfrich, Willmott and Ye, ICML 2018)."""

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Hidden
from ostinato.cells.init import gate_weights
from ostinato.cells.standard import DrawnCell, ProjectedCell


class Orthogonal(DrawnCell, ProjectedCell):
    r"""A simple network that neither forgets nor grows: its recurrent matrix turns the state and keeps its length.

    $$Q = (I + S)^{-1} (I - S),\quad S = A - A^\top,\qquad
      h_t = \mathrm{modrelu}(W x_t + Q h_{t-1}),\qquad y_t = h_t$$

    with $\mathrm{modrelu}(a) = \mathrm{sgn}(a)\, [\,|a| + b\,]_+$. Cayley's form makes Q orthogonal for every A, so any
    optimiser may be used. Q is made once for a whole sequence.

    Shapes: `x (input,)`, `h (hidden,)`, `W (1, hidden, input)`, `A (1, hidden, hidden)`, `b (hidden,)`. Q starts as
    turns of pairs of units by angles up to a right one. It never has the eigenvalue -1. PyTorch and Keras have none.
    Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = Orthogonal(3, 6, key=jax.random.key(0))
    >>> Q = cell.recurrent()[0][0]
    >>> bool(jnp.allclose(Q @ Q.T, jnp.eye(6), atol=1e-5))
    True

    ```
    """

    W: Float[Array, "1 hidden input"]
    A: Float[Array, "1 hidden hidden"]
    b: Float[Array, " hidden"]

    if TYPE_CHECKING:  # for whom a class with fields of its own has a constructor of these
        __init__ = DrawnCell.__init__

    def draw(self, init: str, dtype: DTypeLike | None, key: PRNGKeyArray) -> None:
        hidden = self.hidden_size
        weights = gate_weights(init, 1, hidden, self.input_size, recurrent_size=0, key=key, dtype=dtype)
        self.W, self.b = weights.W, jnp.zeros_like(weights.b[0])
        # A turn by the angle a is Cayley's form of tan(a / 2).
        angles = jr.uniform(jr.fold_in(key, 1), (hidden // 2,), weights.b.dtype, 0, jnp.pi / 2)
        first = 2 * jnp.arange(hidden // 2)
        self.A = jnp.zeros((1, hidden, hidden), weights.b.dtype)
        self.A = self.A.at[0, first, first + 1].set(jnp.tan(angles / 2))

    def project(self, x: Float[Array, " input"]) -> Float[Array, "1 hidden"]:
        return self.W @ x

    def recurrent(self) -> tuple[Float[Array, "1 hidden hidden"], None]:
        # Solving has no half precision.
        wide = self.A[0] if jnp.finfo(self.A.dtype).bits >= 32 else self.A[0].astype(jnp.float32)
        S, eye = wide - wide.T, jnp.eye(self.hidden_size, dtype=wide.dtype)
        return jnp.linalg.solve(eye + S, eye - S).astype(self.A.dtype)[None], None

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del state, dt
        assert from_hidden is not None
        a = (from_input + from_hidden)[0]
        long = jnp.maximum(jnp.abs(a) + self.b, jnp.zeros_like(a))
        h = jnp.where(a >= 0, long, -long)
        return Hidden(h), h
