"""Neural Turing machine (Graves, Wayne and Danihelka, arXiv 1410.5401, 2014)."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells import Cell
from ostinato.errors import SettingsError
from ostinato.types import State

from .addressing import content_weights, interpolate, read, sharpen, shift, write
from .controller import Controlled, cut, feed_forward, positive

STARTS = ("constant", "random", "learned")


class NTMState(NamedTuple):
    """The controller's state, the memory, where each head is (readers first), and what was read last."""

    controller: State
    M: Float[Array, "rows width"]
    w: Float[Array, "heads rows"]
    r: Float[Array, "readers width"]


class NTM(Controlled):
    r"""A controller with heads that move over a memory: they look for content, or go on from where they are.

    For each head, with $k, \beta, g, s, \gamma$ from what the controller asks for:

    $$w^c = \mathrm{softmax}(\beta \cos(k, M_i)),\quad w^g = g\,w^c + (1 - g)\,w_{t-1},\quad
      \tilde w_i = \sum_j w^g_j s_{i-j},\quad w_t = \tilde w^\gamma / \textstyle\sum \tilde w^\gamma$$
    $$r_t = w^r_t M_{t-1},\qquad M_t = M_{t-1} \odot (1 - w^w_t e^\top) + w^w_t a^\top,\qquad y_t = [h_t, r_t]$$

    with $\beta = \mathrm{softplus}$, $g = \sigma$, $s = \mathrm{softmax}$, $\gamma = 1 + \mathrm{softplus}$,
    $e = \sigma$; k and a as they come. All heads look at the memory before it is written.

    * `hidden_size`, `controller`: any cell, by name in `CELLS` or as a constructor; `feed_forward` has no memory.
    * `rows`, `width`: the memory; `readers`, `writers`: heads; `reach`: the largest shift.
    * `start`: each row begins `"constant"` (all entries 1e-6), `"random"` (drawn once, not learned) or `"learned"`.
      Every head begins at row 0.

    Shapes: `x (input,)`, `M (rows, width)`, `w (readers + writers, rows)`, `r (readers, width)`, `y (hidden + readers
    width,)`; `V (asked, hidden)`, `c (asked,)`. PyTorch and Keras have none; public ports of it for PyTorch often
    mirror the direction of s. Exact online gradients: RTRL.

    Raises `SettingsError` for sizes below 1, a kernel longer than the memory, or an unknown start.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> model = ost.RNN(NTM, 9, 32, output_size=8, rows=16, width=10, key=jax.random.key(0))
    >>> ys, state = model(jnp.ones((2, 5, 9)))
    >>> ys.shape, state[0].M.shape
    ((2, 5, 8), (2, 16, 10))

    ```
    """

    rows: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    readers: int = eqx.field(static=True)
    writers: int = eqx.field(static=True)
    reach: int = eqx.field(static=True)
    start: str = eqx.field(static=True)
    M: Float[Array, "rows width"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int = 100,
        *,
        controller: str | Callable[..., Cell] = "lstm",
        rows: int = 128,
        width: int = 20,
        readers: int = 1,
        writers: int = 1,
        reach: int = 1,
        start: str = "constant",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        for name, value in (("rows", rows), ("width", width), ("readers", readers), ("writers", writers)):
            positive(value, name)
        if not 0 <= 2 * reach < rows:
            raise SettingsError(f"reach: expected 0 or more and 2 reach + 1 at most {rows} rows, got {reach}")
        if start not in STARTS:
            raise SettingsError(f"start: expected one of {', '.join(STARTS)}, got {start!r}")
        self.rows, self.width, self.readers, self.writers = rows, width, readers, writers
        self.reach, self.start = reach, start
        heads, k_rest, k_memory = readers + writers, *jr.split(key)
        asked = heads * (width + 2 * reach + 4) + 2 * writers * width
        super().__init__(
            input_size, hidden_size, asked=asked, read=readers * width, controller=controller, dtype=dtype, key=k_rest
        )
        drawn = jr.normal(k_memory, (rows, width), self.c.dtype) / width**0.5
        self.M = jnp.full_like(drawn, 1e-6) if start == "constant" else drawn

    @property
    def fixed(self) -> tuple[str, ...]:
        return () if self.start == "learned" else ("M",)

    def init_state(self, *, key: PRNGKeyArray | None = None) -> NTMState:
        w = jnp.zeros((self.readers + self.writers, self.rows), self.c.dtype).at[:, 0].set(1)
        r = jnp.zeros((self.readers, self.width), self.c.dtype)
        return NTMState(self.controller.init_state(key=key), self.M, w, r)

    def __call__(
        self, x: Array, state: NTMState, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[NTMState, Array]:
        inner, h, asked = self.ask(x, state.r, state.controller, dt=dt, key=key)
        heads, size = self.readers + self.writers, self.width
        keys, betas, gates, kernel, gammas, erase, add = cut(
            asked,
            heads * size,
            heads,
            heads,
            heads * (2 * self.reach + 1),
            heads,
            self.writers * size,
            self.writers * size,
        )
        content = content_weights(state.M, keys.reshape(heads, size), jax.nn.softplus(betas))
        gated = interpolate(content, state.w, jax.nn.sigmoid(gates))
        moved = shift(gated, jax.nn.softmax(kernel.reshape(heads, -1), axis=-1))
        w = sharpen(moved, 1 + jax.nn.softplus(gammas))
        r = read(state.M, w[: self.readers])
        erase = jax.nn.sigmoid(erase).reshape(self.writers, size)
        M = write(state.M, w[self.readers :], erase, add.reshape(self.writers, size))
        return NTMState(inner, M, w, r), jnp.concatenate([h, r.ravel()])


feed_forward_ntm = partial(NTM, controller=feed_forward)
"""The NTM of the table with no other memory than its rows."""
