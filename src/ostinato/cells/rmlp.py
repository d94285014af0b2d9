"""Recurrent multilayer perceptron: a feed-forward network whose last layer feeds back (Tutschku, 1995)."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax.random as jr
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.activations import activation_function
from ostinato.cells.base import Hidden
from ostinato.cells.init import gate_weights
from ostinato.cells.standard import ProjectedCell


class RecurrentMLP(ProjectedCell):
    r"""Feed-forward layers, then one that sees them and itself one step ago; a `Stack` of these is the full network.

    $$z^{(0)} = x_t,\quad z^{(k)} = a(W_k z^{(k-1)} + b_k)$$
    $$h_t = a(W z^{(K)} + b + R h_{t-1}),\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, feed-forward `weights` `(size_k, size_{k-1})`, `biases` `(size_k,)`,
    `W (1, hidden, size_K)`, `R (1, hidden, hidden)`, `b (1, hidden)`. Their sizes are `layers`, one of
    `hidden_size` if not given.

    The feed-forward part has no memory, so it is computed for all steps at once. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = RecurrentMLP(3, 5, layers=(5, 5), key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape, [w.shape for w in cell.weights]
    ((5,), [(5, 3), (5, 5)])

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    activation: str | Callable[[Array], Array] = eqx.field(static=True)
    weights: tuple[Float[Array, "_ _"], ...]
    biases: tuple[Float[Array, " _"], ...]
    W: Float[Array, "1 hidden last"]
    R: Float[Array, "1 hidden hidden"]
    b: Float[Array, "1 hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        layers: Sequence[int] | None = None,
        activation: str | Callable[[Array], Array] = "tanh",
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        self.input_size, self.hidden_size = input_size, hidden_size
        activation_function(activation)
        self.activation = activation
        sizes = [input_size, *((hidden_size,) if layers is None else layers)]
        key, *keys = jr.split(key, len(sizes))
        below = [
            gate_weights(init, 1, n, m, recurrent_size=0, key=k, dtype=dtype)
            for m, n, k in zip(sizes, sizes[1:], keys, strict=False)
        ]
        self.weights = tuple(w.W[0] for w in below)
        self.biases = tuple(w.b[0] for w in below)
        top = gate_weights(init, 1, hidden_size, sizes[-1], key=key, dtype=dtype)
        self.W, self.R, self.b = top.W, top.R, top.b + top.b_h

    def layers(self, x: Array) -> list[Array]:
        """The activities of the feed-forward layers, first to last."""
        activities = []
        for W, b in zip(self.weights, self.biases, strict=True):
            x = activation_function(self.activation)(W @ x + b)
            activities.append(x)
        return activities

    def project(self, x: Float[Array, " input"]) -> Float[Array, "1 hidden"]:
        return super().project([x, *self.layers(x)][-1])

    def recurrent(self) -> tuple[Array, None]:
        return self.R, None

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del state, dt
        assert from_hidden is not None
        h = activation_function(self.activation)((from_input + from_hidden)[0])
        return Hidden(h), h

    def internals(self, x: Array, state: Hidden) -> dict[str, Array]:
        del state
        return {f"layer{k}": z for k, z in enumerate(self.layers(x))}
