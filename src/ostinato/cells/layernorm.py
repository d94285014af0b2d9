"""Layer normalisation inside the cell (Ba, Kiros and Hinton, arXiv 1607.06450, 2016)."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.activations import activation_function
from ostinato.cells.base import GatedCell, Hidden
from ostinato.cells.elman import Elman
from ostinato.cells.gru import GRU
from ostinato.cells.lstm import CELL, FORGET, INPUT, LSTM, OUTPUT, LSTMState
from ostinato.cells.wrapper import GatedWrapper
from ostinato.errors import SettingsError
from ostinato.types import State

EPSILON = 1e-5


def normalised(a: Array) -> Array:
    """`a` with mean 0 and variance 1 over all its entries."""
    centred = a - jnp.mean(a)
    return centred * jax.lax.rsqrt(jnp.mean(centred * centred) + EPSILON)


class LayerNorm(GatedWrapper):
    r"""Any gated cell with its two products normalised over the units, each by itself, before they meet.

    $$N(a) = \frac{a - \mathrm{mean}(a)}{\sqrt{\mathrm{var}(a) + 10^{-5}}},\qquad
    s_t, y_t = \mathrm{update}(g_x \odot N(W x_t) + b,\; g_h \odot N(R\,\mathrm{hidden}(s_{t-1})) + b_h,\; s_{t-1})$$

    Shapes: `gain_x`, `gain_h`, `b_h` `(gates, hidden)`, gains 1 at first; b is the cell's own bias.

    * `together`: how many consecutive gates are normalised as one vector, e.g. `(2, 1)`; each by itself if not given.
    * `hidden_bias=True`: there is a `b_h`, for a cell that does more with the recurrent product than add it. It takes
      the place of the cell's own, which must have none.

    `layer_norm_lstm` and `layer_norm_gru` are the paper's forms; for its plain network, which normalises the sum of the
    products, see `LayerNormElman`. Exact online gradients: RTRL.

    Raises `SettingsError` for a cell with a `b_h`, and where `together` does not add up to the number of gates.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> from ostinato.cells import PeepholeLSTM
    >>> cell = LayerNorm(PeepholeLSTM(3, 5, key=jax.random.key(0)))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    together: tuple[int, ...] | None = eqx.field(static=True)
    gain_x: Float[Array, "_ hidden"]
    gain_h: Float[Array, "_ hidden"] | None
    b_h: Float[Array, "_ hidden"] | None

    def __init__(self, cell: GatedCell, *, together: Sequence[int] | None = None, hidden_bias: bool = False):
        super().__init__(cell)
        self.together = None if together is None else tuple(together)
        from_input = self.bias
        recurrent = cell.recurrent()
        if recurrent is not None and recurrent[1] is not None:
            raise SettingsError(f"{type(cell).__name__}: expected a cell without b_h, made with hidden_bias=False")
        self.gain_x = jnp.ones_like(from_input)
        self.gain_h = None if recurrent is None else jnp.ones(recurrent[0].shape[:2], recurrent[0].dtype)
        self.b_h = jnp.zeros_like(self.gain_h) if hidden_bias and self.gain_h is not None else None
        for gain in (self.gain_x, self.gain_h):
            if together is not None and gain is not None and sum(together) != gain.shape[0]:
                raise SettingsError(f"together: expected a sum of {gain.shape[0]} gates, got {tuple(together)}")

    @property
    def bias(self) -> Float[Array, "gates hidden"]:
        """What the cell's projection gives of nothing: its bias."""
        leaf = jax.tree.leaves(eqx.filter(self.cell, eqx.is_inexact_array))[0]
        return self.cell.project(jnp.zeros(self.cell.input_size, leaf.dtype))

    def project(self, x: Float[Array, " input"]) -> Float[Array, "gates hidden"]:
        bias = self.bias
        return self.gain_x * self._normalised(self.cell.project(x) - bias) + bias

    def update(self, from_input: Array, from_hidden: Array | None, state: State, dt: Any = None) -> tuple[State, Array]:
        return self.cell.update(from_input, self._from_hidden(from_hidden), state, dt)

    def gate_values(self, from_input: Array, from_hidden: Array | None, state: State) -> dict[str, Array]:
        return self.cell.gate_values(from_input, self._from_hidden(from_hidden), state)

    def _from_hidden(self, product: Array | None) -> Array | None:
        if product is None or self.gain_h is None:
            return None
        scaled = self.gain_h * self._normalised(product)
        return scaled if self.b_h is None else scaled + self.b_h

    def _normalised(self, a: Array) -> Array:
        sizes = (1,) * a.shape[0] if self.together is None else self.together
        starts = [sum(sizes[:k]) for k in range(len(sizes))]
        return jnp.concatenate([normalised(a[k : k + n]) for k, n in zip(starts, sizes, strict=True)])


class LayerNormElman(Elman):
    r"""Elman's network with the sum of its products normalised over the units.

    $$h_t = a(g \odot N(W x_t + R h_{t-1}) + b),\qquad y_t = h_t$$

    Shapes: as `Elman`, and `gain (1, hidden)`, 1 at first; N as in `LayerNorm`.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = LayerNormElman(3, 5, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    gain: Float[Array, "1 hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        activation: str | Callable[[Array], Array] = "tanh",
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        super().__init__(input_size, hidden_size, activation=activation, init=init, dtype=dtype, key=key)
        self.gain = jnp.ones_like(self.b)

    def project(self, x: Float[Array, " input"]) -> Float[Array, "1 hidden"]:
        return self.W @ x

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del state, dt
        assert from_hidden is not None
        a = self.gain * normalised(from_input + from_hidden) + self.b
        h = activation_function(self.activation)(a[0])
        return Hidden(h), h


class NormalisedMemoryLSTM(LSTM):
    r"""An LSTM that normalises its memory where it is shown, $h_t = o \odot \tanh(g_c \odot N(c_t) + b_c)$.

    Shapes: as `LSTM`, and `gain_c`, `b_c` `(hidden,)`. Inside `LayerNorm` it is the paper's LSTM: `layer_norm_lstm`.
    """

    gain_c: Float[Array, " hidden"]
    b_c: Float[Array, " hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float | None = None,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        # Equinox keeps the written constructor; the checker expects a made one.
        settings: dict[str, Any] = {"forget_bias": forget_bias, "init": init, "dtype": dtype, "key": key}
        super().__init__(input_size, hidden_size, **settings)  # pyright: ignore[reportCallIssue]
        self.gain_c, self.b_c = jnp.ones_like(self.b[0]), jnp.zeros_like(self.b[0])

    def step(self, from_input: Array, from_hidden: Array, state: LSTMState) -> tuple[LSTMState, tuple[Array, ...]]:
        a = from_input + from_hidden
        i, f, o = jax.nn.sigmoid(a[INPUT]), jax.nn.sigmoid(a[FORGET]), jax.nn.sigmoid(a[OUTPUT])
        g = jnp.tanh(a[CELL])
        c = f * state.c + i * g
        return LSTMState(o * jnp.tanh(self.gain_c * normalised(c) + self.b_c), c), (i, f, g, o)


def layer_norm_lstm(input_size: int, hidden_size: int, *, key: PRNGKeyArray, **settings: Any) -> LayerNorm:
    """The paper's LSTM: the four gates of each product normalised as one vector, and the memory where it is shown."""
    return LayerNorm(NormalisedMemoryLSTM(input_size, hidden_size, key=key, **settings), together=(4,))


def layer_norm_gru(input_size: int, hidden_size: int, *, key: PRNGKeyArray, **settings: Any) -> LayerNorm:
    """The paper's GRU: reset and update gate of each product normalised as one vector, the candidate as another."""
    cell = GRU(input_size, hidden_size, hidden_bias=False, key=key, **settings)
    return LayerNorm(cell, together=(2, 1), hidden_bias=True)
