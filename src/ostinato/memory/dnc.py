"""Differentiable neural computer (Graves et al., Nature 538, 2016)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells import Cell
from ostinato.types import State

from .addressing import content_weights, read, write
from .controller import Controlled, cut, positive
from .rows import allocation, links, precedence, read_weights, usage


class DNCState(NamedTuple):
    """The controller's state, the memory and how much each row is used, the order of writing, heads, what was read."""

    controller: State
    M: Float[Array, "rows width"]
    u: Float[Array, " rows"]
    p: Float[Array, " rows"]
    L: Float[Array, "rows rows"]
    w_write: Float[Array, " rows"]
    w_read: Float[Array, "readers rows"]
    r: Float[Array, "readers width"]


class DNC(Controlled):
    r"""A controller whose memory knows which rows are free and in which order they were written.

    With the functions of `ostinato.memory`, and what the controller asks for as $k, \beta, e, v, f, g, \pi$:

    $$u_t = \mathrm{usage},\quad w^w_t = g^w \big(g^a\, \mathrm{allocation}(u_t) + (1 - g^a)\, c^w\big),\quad
      M_t = M_{t-1} \odot (1 - w^w_t e^\top) + w^w_t v^\top$$
    $$p_t = \mathrm{precedence},\quad L_t = \mathrm{links},\quad w^r_t = \pi_1 L_t^\top w^r_{t-1} + \pi_2 c^r +
      \pi_3 L_t w^r_{t-1},\quad r_t = w^r_t M_t,\quad y_t = [h_t, r_t]$$

    $c^w$ is the content of $M_{t-1}$, $c^r$ that of $M_t$; $\beta = 1 + \mathrm{softplus}$; e, f and g are logistic,
    π a softmax. No weight depends on `rows`: a trained network runs with more of them (`memory.with_rows`).

    Shapes: `x (input,)`, `M (rows, width)`, `L (rows, rows)`, `r (readers, width)`, `y (hidden + readers width,)`;
    `V (readers width + 3 width + 5 readers + 3, hidden)`, `c` as long. PyTorch and Keras have none. Exact online
    gradients: RTRL.

    Raises `SettingsError` for sizes below 1.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> model = ost.RNN(DNC, 6, 32, output_size=4, rows=8, width=5, key=jax.random.key(0))
    >>> ys, state = model(jnp.ones((2, 5, 6)))
    >>> ys.shape, state[0].L.shape
    ((2, 5, 4), (2, 8, 8))

    ```
    """

    rows: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    readers: int = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        hidden_size: int = 64,
        *,
        controller: str | Callable[..., Cell] = "lstm",
        rows: int = 16,
        width: int = 16,
        readers: int = 4,
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        for name, value in (("rows", rows), ("width", width), ("readers", readers)):
            positive(value, name)
        self.rows, self.width, self.readers = rows, width, readers
        asked = readers * width + 3 * width + 5 * readers + 3
        super().__init__(
            input_size, hidden_size, asked=asked, read=readers * width, controller=controller, dtype=dtype, key=key
        )

    def init_state(self, *, key: PRNGKeyArray | None = None) -> DNCState:
        zeros = lambda *shape: jnp.zeros(shape, self.c.dtype)
        rows, width, readers = self.rows, self.width, self.readers
        return DNCState(
            self.controller.init_state(key=key),
            zeros(rows, width),
            zeros(rows),
            zeros(rows),
            zeros(rows, rows),
            zeros(rows),
            zeros(readers, rows),
            zeros(readers, width),
        )

    def __call__(
        self, x: Array, state: DNCState, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[DNCState, Array]:
        inner, h, asked = self.ask(x, state.r, state.controller, dt=dt, key=key)
        readers, size = self.readers, self.width
        keys, betas, write_key, write_beta, erase, v, gates, modes = cut(
            asked, readers * size, readers, size, 1, size, size, readers + 2, 3 * readers
        )
        gates = jax.nn.sigmoid(gates)
        free, to_free_row, to_write = gates[:readers], gates[readers], gates[readers + 1]
        u = usage(state.u, state.w_write, state.w_read, free)
        content = content_weights(state.M, write_key[None], 1 + jax.nn.softplus(write_beta))[0]
        w_write = to_write * (to_free_row * allocation(u) + (1 - to_free_row) * content)
        M = write(state.M, w_write[None], jax.nn.sigmoid(erase)[None], v[None])
        L = links(state.L, w_write, state.p)
        content = content_weights(M, keys.reshape(readers, size), 1 + jax.nn.softplus(betas))
        w_read = read_weights(L, content, state.w_read, jax.nn.softmax(modes.reshape(readers, 3), axis=-1))
        r = read(M, w_read)
        p = precedence(state.p, w_write)
        return DNCState(inner, M, u, p, L, w_write, w_read, r), jnp.concatenate([h, r.ravel()])
