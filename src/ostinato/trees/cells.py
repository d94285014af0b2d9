"""What a node of a tree does with its children: one step, as a pure function, for recursive networks of every kind."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, DTypeLike, Float, PRNGKeyArray

from ostinato.cells import Hidden, LSTMState, activation_function
from ostinato.cells.echo_state import scaled_to_radius
from ostinato.cells.init import default_dtype, gate_weights
from ostinato.errors import SettingsError
from ostinato.types import State

INPUT, CELL, OUTPUT, FORGET = range(4)


class TreeCell(eqx.Module):
    """One node: `cell(x, children, present) -> (state, y)`; a `Cell` with up to `arity` states in the place of one.

    `children` has a leading axis `(arity,)` on every leaf; where `present` is False it holds `init_state()`.
    """

    input_size: eqx.AbstractVar[int]
    hidden_size: eqx.AbstractVar[int]
    arity: eqx.AbstractVar[int]

    @property
    def fixed(self) -> tuple[str, ...]:
        """Names of the arrays that are drawn once and not learned."""
        return ()

    @abc.abstractmethod
    def init_state(self) -> State:
        """The state of a child that is not there."""

    @abc.abstractmethod
    def __call__(self, x: Array, children: State, present: Bool[Array, " arity"]) -> tuple[State, Array]:
        """The state of the node, and what it gives."""


class Recursive(TreeCell):
    r"""A recursive network: the same step at every node (Goller and Küchler 1996; Socher et al. 2013).

    $$h_n = a\Big(W x_n + b + \sum_{i=1}^{k} R_i h_{c_i(n)}\Big),\qquad y_n = h_n$$

    Shapes: `W (1, hidden, input)`, `R (arity, hidden, hidden)`, `b (1, hidden)`. `shared=True` has one matrix for all
    children, `R (1, hidden, hidden)`, so that their order does not matter. With `arity=1` a chain is an Elman network.

    ```python
    >>> cell = Recursive(3, 5, arity=2, key=jr.key(0))
    >>> state, y = cell(jnp.ones(3), Hidden(jnp.zeros((2, 5))), jnp.array([False, False]))
    >>> y.shape
    (5,)

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    arity: int = eqx.field(static=True)
    activation: str = eqx.field(static=True)
    W: Float[Array, "1 hidden input"]
    R: Float[Array, "kinds hidden hidden"]
    b: Float[Array, "1 hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        arity: int = 2,
        shared: bool = False,
        activation: str = "tanh",
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        activation_function(activation)
        self.input_size, self.hidden_size, self.arity = input_size, hidden_size, _some(arity)
        self.activation = activation
        weights = gate_weights(init, 1 if shared else arity, hidden_size, input_size, key=key, dtype=dtype)
        self.W, self.R, self.b = weights.W[:1], weights.R, (weights.b + weights.b_h)[:1]

    def init_state(self) -> Hidden:
        return Hidden(jnp.zeros(self.hidden_size, self.b.dtype))

    def __call__(self, x: Array, children: Hidden, present: Bool[Array, " arity"]) -> tuple[Hidden, Array]:
        del present
        below = jnp.sum(children.h, axis=0)[None] if len(self.R) != self.arity else children.h
        a = self.W[0] @ x + self.b[0] + jnp.einsum("kij,kj->i", self.R, below)
        h = activation_function(self.activation)(a)
        return Hidden(h), h


class TreeReservoir(TreeCell):
    r"""The reservoir of a tree echo-state network, not learned (Gallicchio and Micheli, Neurocomputing 101, 2013).

    $$h_n = \tanh\Big(W x_n + b + \sum_{i=1}^{k} R\, h_{c_i(n)}\Big),\qquad y_n = h_n$$

    Shapes: `W (1, hidden, input)`, `R (1, hidden, hidden)`, `b (1, hidden)`. W is uniform in ±`input_scaling`, b in
    ±`bias_scaling`, R uniform at a share `connectivity` of the places and scaled to the spectral `norm`, or with
    `spectral_radius` to that. `norm` times the number of children below 1 is sufficient for a contraction; trees are
    finite, and larger ones are used.

    ```python
    >>> cell = TreeReservoir(1, 30, arity=3, norm=0.3, key=jr.key(0))
    >>> round(float(jnp.linalg.norm(cell.R[0], 2)), 5)
    0.3

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    arity: int = eqx.field(static=True)
    W: Float[Array, "1 hidden input"]
    R: Float[Array, "1 hidden hidden"]
    b: Float[Array, "1 hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        arity: int = 2,
        norm: float = 0.5,
        spectral_radius: float | None = None,
        connectivity: float = 1.0,
        input_scaling: float = 1.0,
        bias_scaling: float = 0.0,
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        if input_size < 0 or hidden_size < 1:
            raise SettingsError(f"sizes: expected input_size >= 0, hidden_size >= 1, got {input_size}, {hidden_size}")
        if not 0 < connectivity <= 1 or norm < 0 or (spectral_radius is not None and spectral_radius < 0):
            raise SettingsError(
                "connectivity, norm, spectral_radius: expected 0 to 1, 0 or more and 0 or more, "
                f"got {connectivity}, {norm} and {spectral_radius}"
            )
        self.input_size, self.hidden_size, self.arity = input_size, hidden_size, _some(arity)
        dtype = default_dtype(dtype)
        k_in, k_values, k_places, k_bias = jr.split(key, 4)
        self.W = input_scaling * jr.uniform(k_in, (1, hidden_size, input_size), dtype, -1, 1)
        self.b = bias_scaling * jr.uniform(k_bias, (1, hidden_size), dtype, -1, 1)
        values = jr.uniform(k_values, (hidden_size, hidden_size), dtype, -1, 1)
        R = jnp.where(jr.uniform(k_places, values.shape) < connectivity, values, jnp.zeros_like(values))
        if spectral_radius is None:
            R = R * (norm / jnp.maximum(jnp.linalg.norm(R, 2), jnp.finfo(dtype).tiny))
        else:
            R = scaled_to_radius(R, spectral_radius)
        self.R = R[None]

    @property
    def fixed(self) -> tuple[str, ...]:
        return ("W", "R", "b")

    def init_state(self) -> Hidden:
        return Hidden(jnp.zeros(self.hidden_size, self.b.dtype))

    def __call__(self, x: Array, children: Hidden, present: Bool[Array, " arity"]) -> tuple[Hidden, Array]:
        del present
        h = jnp.tanh(self.W[0] @ x + self.b[0] + self.R[0] @ jnp.sum(children.h, axis=0))
        return Hidden(h), h


class _Memory(TreeCell):
    """What the two LSTMs share."""

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    arity: int = eqx.field(static=True)
    W: Float[Array, "4 hidden input"]
    R: Float[Array, "4 hidden below"]
    b: Float[Array, "4 hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        arity: int = 2,
        forget_bias: float = 1.0,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        self.input_size, self.hidden_size, self.arity = input_size, hidden_size, _some(arity)
        weights = gate_weights(
            init, 4, hidden_size, input_size, recurrent_size=self._below() * hidden_size, key=key, dtype=dtype
        )
        self.W, self.R = weights.W, weights.R
        self.b = (weights.b + weights.b_h).at[FORGET].add(forget_bias)

    @abc.abstractmethod
    def _below(self) -> int:
        """How many states of children R sees side by side."""

    def init_state(self) -> LSTMState:
        zeros = jnp.zeros(self.hidden_size, self.b.dtype)
        return LSTMState(zeros, zeros)


class ChildSumTreeLSTM(_Memory):
    r"""An LSTM over trees whose children have no order (Tai, Socher and Manning, ACL 2015, child-sum).

    With $\tilde h = \sum_i h_{c_i}$ and rows in the order $i, g, o, f$:

    $$i, g, o = \sigma, \tanh, \sigma\,(W x_n + b + R \tilde h),\qquad f_i = \sigma(W_f x_n + b_f + R_f h_{c_i})$$
    $$c_n = i \odot g + \sum_i f_i \odot c_{c_i},\qquad h_n = o \odot \tanh(c_n),\qquad y_n = h_n$$

    Shapes: `W (4, hidden, input)`, `R (4, hidden, hidden)`, `b (4, hidden)`. On a chain it is an LSTM.

    ```python
    >>> ChildSumTreeLSTM(3, 5, arity=2, key=jr.key(0)).R.shape
    (4, 5, 5)

    ```
    """

    def _below(self) -> int:
        return 1

    def __call__(self, x: Array, children: LSTMState, present: Bool[Array, " arity"]) -> tuple[LSTMState, Array]:
        del present
        from_input = self.W @ x + self.b
        a = from_input[:FORGET] + self.R[:FORGET] @ jnp.sum(children.h, axis=0)
        f = jax.nn.sigmoid(from_input[FORGET][None] + children.h @ self.R[FORGET].T)
        return _node(a, jnp.sum(f * children.c, axis=0))


class TreeLSTM(_Memory):
    r"""An LSTM over trees whose children have places, first, second, ... (Tai, Socher and Manning, ACL 2015, N-ary).

    As `ChildSumTreeLSTM`, with $R [h_{c_1}; \ldots; h_{c_k}]$ in the place of $R \tilde h$, and for the forget gates

    $$f_i = \sigma(W_f x_n + b_f + R_{f,i} h_{c_i})$$

    (the published form also lets each see the other children). Shapes: `W (4, hidden, input)`,
    `R (4, hidden, arity * hidden)`, `b (4, hidden)`; a block of R for each place.

    ```python
    >>> TreeLSTM(3, 5, arity=2, key=jr.key(0)).R.shape
    (4, 5, 10)

    ```
    """

    def _below(self) -> int:
        return self.arity

    def __call__(self, x: Array, children: LSTMState, present: Bool[Array, " arity"]) -> tuple[LSTMState, Array]:
        del present
        from_input = self.W @ x + self.b
        a = from_input[:FORGET] + self.R[:FORGET] @ children.h.reshape(-1)
        blocks = self.R[FORGET].reshape(self.hidden_size, self.arity, self.hidden_size)
        f = jax.nn.sigmoid(from_input[FORGET][None] + jnp.einsum("ikj,kj->ki", blocks, children.h))
        return _node(a, jnp.sum(f * children.c, axis=0))


def _node(a: Array, kept: Array) -> tuple[LSTMState, Array]:
    c = jax.nn.sigmoid(a[INPUT]) * jnp.tanh(a[CELL]) + kept
    h = jax.nn.sigmoid(a[OUTPUT]) * jnp.tanh(c)
    return LSTMState(h, c), h


def _some(arity: Any) -> int:
    if arity < 1:
        raise SettingsError(f"arity: expected 1 or more, got {arity}")
    return int(arity)
