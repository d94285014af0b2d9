"""Elman's simple recurrent network (Elman, "Finding structure in time", Cognitive Science 14, 1990)."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
from jaxtyping import Array, DTypeLike, PRNGKeyArray

from ostinato.cells.activations import activation_function
from ostinato.cells.base import Hidden
from ostinato.cells.standard import StandardCell


class Elman(StandardCell):
    r"""A hidden layer that sees the input and itself one step ago.

    $$h_t = a(W x_t + b + R h_{t-1}), \qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (1, hidden, input)`, `R (1, hidden, hidden)`, `b (1, hidden)`.
    The output layer `Y = O(V h + c)` is a `Readout` on top (`RNN(..., output_size=)`).

    Differs from PyTorch: one bias instead of two that are only ever added. Exact online gradients: RTRL.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = Elman(3, 5, activation="relu", key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> y.shape
    (5,)

    ```
    """

    activation: str | Callable[[Array], Array] = eqx.field(static=True)

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
        super().__init__(input_size, hidden_size, init=init, dtype=dtype, key=key)
        activation_function(activation)
        self.activation = activation

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del state, dt
        assert from_hidden is not None
        h = activation_function(self.activation)((from_input + from_hidden)[0])
        return Hidden(h), h
