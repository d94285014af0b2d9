"""Hierarchical multiscale LSTM: levels that find the ends of their own segments (Chung, Ahn and Bengio, ICLR 2017)."""

from itertools import pairwise
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.cells.init import gate_weights, glorot_limit, uniform
from ostinato.errors import SettingsError

FORGET = 1


class Segments(NamedTuple):
    """What the levels show, what they hold, and which of them have just ended a segment; lowest level first."""

    h: Float[Array, " hidden"]
    c: Float[Array, " hidden"]
    z: Float[Array, " levels"]


def boundary(a: Float[Array, ""], slope: Float[Array, ""]) -> Float[Array, ""]:
    r"""1 where $\tilde z = \min(1, \max(0, (\alpha a + 1)/2))$ above one half, else 0; its gradient is $\tilde z$'s."""
    soft = jnp.clip((slope * a + 1) / 2, 0, 1)
    # Straight through: the second term is 0, with the derivative of `soft`.
    return jax.lax.stop_gradient(jnp.round(soft)) + (soft - jax.lax.stop_gradient(soft))


class HMLSTM(Cell):
    r"""A stack of LSTMs in one cell: a level hears of the level below, and is flushed, only where a segment ends.

    With $z^0_t = 1$, $h^0_t = x_t$, and for level $\ell$ (the products from above are not there for the highest):

    $$a = b^\ell + R^\ell h^\ell_{t-1} + z^\ell_{t-1} D^\ell h^{\ell+1}_{t-1} + z^{\ell-1}_t W^\ell h^{\ell-1}_t$$
    $$i, f, o = \sigma(a_i, a_f, a_o),\quad g = \tanh(a_g),\quad
      z^\ell_t = \big[\, \tfrac12(\alpha a_z + 1) > \tfrac12 \,\big]$$
    $$(c_t, h_t) = \begin{cases}
      (f c_{t-1} + i g,\ o \tanh c_t) & \text{update: } z^\ell_{t-1} = 0,\ z^{\ell-1}_t = 1\\
      (c_{t-1},\ h_{t-1}) & \text{copy: } z^\ell_{t-1} = 0,\ z^{\ell-1}_t = 0\\
      (i g,\ o \tanh c_t) & \text{flush: } z^\ell_{t-1} = 1\end{cases}$$
    $$y_t = [\sigma(G h_t)_\ell\, h^\ell_t]_{\ell = 1 \ldots L}$$

    The boundary z passes its gradient straight through, as that of $\min(1, \max(0, (\alpha a_z + 1)/2))$. With a
    higher `slope` α that is closer to the step: raise it during training (the paper: from 1 by 0.04 an epoch, to 5).
    The highest level has no boundary, its z stays 0. A `Readout` behind the cell is the paper's output module.

    Shapes: `x (input,)`, `h, c (hidden,)`, `z (levels,)`; of a level with n units `R (4n+1, n)`, `b (4n+1,)`, `W (4n+1,
    below)`, `D (4n+1, above)`, rows in the order i, f, g, o of n units each, then z (not for the highest); `G (levels,
    hidden)`; `slope ()`, which is not learned. The units are shared out evenly among `levels`. Forget bias 1; PyTorch
    and Keras have none. Record `z` for the segments found. Exact online gradients, with the boundary's as said: RTRL.

    Raises `SettingsError` for fewer units than levels, or no level.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> cell = HMLSTM(3, 8, levels=2, key=jax.random.key(0))
    >>> ys, state, tape = ost.unroll(cell, jnp.ones((1, 5, 3)), record=("z",))
    >>> ys.shape, tape["z"].shape, sorted(set(tape["z"].ravel().tolist()))
    ((1, 5, 8), (1, 5, 2), [0.0, 1.0])

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    sizes: tuple[int, ...] = eqx.field(static=True)
    W: tuple[Float[Array, "_ _"], ...]
    R: tuple[Float[Array, "_ _"], ...]
    D: tuple[Float[Array, "_ _"], ...]
    b: tuple[Float[Array, " _"], ...]
    G: Float[Array, "levels hidden"]
    slope: Float[Array, ""]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        levels: int | None = None,
        slope: float = 1.0,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        levels = min(3, hidden_size) if levels is None else levels
        if not 1 <= levels <= hidden_size:
            raise SettingsError(f"levels: expected 1 to {hidden_size}, one unit or more each, got {levels}")
        self.input_size, self.hidden_size = input_size, hidden_size
        self.sizes = tuple(len(units) for units in np.array_split(np.arange(hidden_size), levels))
        key, *keys = jr.split(key, levels + 1)
        W, R, D, b = [], [], [], []
        for level, (below, units, k) in enumerate(zip((input_size, *self.sizes), self.sizes, keys, strict=False)):
            k_gates, k_above, k_z = jr.split(k, 3)
            top = level == levels - 1
            above = 0 if top else self.sizes[level + 1]
            gates = gate_weights(init, 4, units, below, key=k_gates, dtype=dtype)
            bias = (gates.b + gates.b_h).at[FORGET].add(gates.forget_bias)
            real = bias.dtype
            rows = [a.reshape(4 * units, -1) for a in (gates.W, gates.R)]
            rows.append(uniform(k_above, (4 * units, above), glorot_limit(above, units), real))
            if not top:
                one = [
                    uniform(k_row, (1, a.shape[1]), glorot_limit(a.shape[1], 1), real)
                    for k_row, a in zip(jr.split(k_z, 3), rows, strict=True)
                ]
                rows = [jnp.concatenate(pair) for pair in zip(rows, one, strict=True)]
                D.append(rows[2])
            W.append(rows[0])
            R.append(rows[1])
            b.append(jnp.pad(bias.ravel(), (0, 0 if top else 1)))
        self.W, self.R, self.D, self.b = tuple(W), tuple(R), tuple(D), tuple(b)
        self.G = uniform(key, (levels, hidden_size), glorot_limit(hidden_size, levels), b[0].dtype)
        self.slope = jnp.asarray(slope, b[0].dtype)

    @property
    def fixed(self) -> tuple[str, ...]:
        return ("slope",)

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Segments:
        del key
        zeros = jnp.zeros(self.hidden_size, self.slope.dtype)
        return Segments(zeros, zeros, zeros[: len(self.sizes)])

    def hidden(self, state: Segments) -> Float[Array, " hidden"]:
        return state.h

    def step_with_hidden(
        self, x: Array, seen: Array, state: Segments, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Segments, Array]:
        del dt, key
        seen_by, h_before, c_before = (self.by_level(a) for a in (seen, state.h, state.c))
        below, ended = x, jnp.ones_like(self.slope)
        h, c, z = [], [], []
        for level, units in enumerate(self.sizes):
            a = self.b[level] + self.R[level] @ seen_by[level] + ended * (self.W[level] @ below)
            top = level == len(self.sizes) - 1
            flush = jnp.zeros_like(self.slope) if top else state.z[level]
            if not top:
                a = a + flush * (self.D[level] @ seen_by[level + 1])
            i, f, g, o = (a[k * units : (k + 1) * units] for k in range(4))
            new = jax.nn.sigmoid(i) * jnp.tanh(g)
            updated = ended * (jax.nn.sigmoid(f) * c_before[level] + new) + (1 - ended) * c_before[level]
            c.append(flush * new + (1 - flush) * updated)
            copy = (1 - flush) * (1 - ended)
            below = copy * h_before[level] + (1 - copy) * jax.nn.sigmoid(o) * jnp.tanh(c[-1])
            ended = jnp.zeros_like(self.slope) if top else boundary(a[-1], self.slope)
            h.append(below)
            z.append(ended)
        new_state = Segments(jnp.concatenate(h), jnp.concatenate(c), jnp.stack(z))
        gates = jax.nn.sigmoid(self.G @ new_state.h)
        return new_state, jnp.concatenate([gate * part for gate, part in zip(gates, h, strict=True)])

    def __call__(
        self, x: Array, state: Segments, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Segments, Array]:
        return self.step_with_hidden(x, self.hidden(state), state, dt=dt, key=key)

    def by_level(self, units: Float[Array, " hidden"]) -> list[Array]:
        """The units of each level, lowest first."""
        borders = np.cumsum([0, *self.sizes])
        return [units[first:last] for first, last in pairwise(borders)]
