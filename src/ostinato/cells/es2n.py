"""Reservoir at the edge of stability (Ceni and Gallicchio, "Edge of Stability Echo State Network", 2023)."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, DTypeLike, PRNGKeyArray

from ostinato.cells.activations import activation_function
from ostinato.cells.base import Hidden
from ostinato.cells.echo_state import drawn_reservoir
from ostinato.cells.init import default_dtype, orthogonal
from ostinato.cells.standard import StandardCell
from ostinato.errors import SettingsError


class ES2N(StandardCell):
    r"""A reservoir beside a turn of its own state: it remembers nearly as many steps as it has units.

    $$h_t = \beta\, a(W x_t + b + R h_{t-1}) + (1 - \beta)\, O h_{t-1},\qquad y_t = h_t$$

    with O a random orthogonal matrix. $\beta$ = `proximity`: at 1 it is an `EchoState`, towards 0 all is linear and
    nothing is lost.

    Shapes: `x (input,)`, `h (hidden,)`, `W (1, hidden, input)`, `R (2, hidden, hidden)`, rows R, O, `b (1, hidden)`.
    The rest as in `EchoState`, drawn alike; nothing is learned but a read-out. PyTorch and Keras have none.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = ES2N(1, 50, proximity=0.05, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(1), cell.init_state())
    >>> y.shape
    (50,)

    ```
    """

    proximity: float = eqx.field(static=True)
    activation: str | Callable[[Array], Array] = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        proximity: float = 0.1,
        spectral_radius: float = 0.9,
        connectivity: float = 0.1,
        input_scaling: float = 1.0,
        bias_scaling: float = 0.0,
        activation: str | Callable[[Array], Array] = "tanh",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        if hidden_size < 1 or input_size < 0:
            raise SettingsError(
                f"sizes: expected input_size >= 0 and hidden_size >= 1, got {input_size} and {hidden_size}"
            )
        if not 0 < proximity <= 1 or not 0 < connectivity <= 1:
            raise SettingsError(
                f"proximity, connectivity: expected more than 0, at most 1, got {proximity} and {connectivity}"
            )
        if spectral_radius < 0:
            raise SettingsError(f"spectral_radius: expected 0 or more, got {spectral_radius}")
        activation_function(activation)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.proximity, self.activation = proximity, activation
        dtype = default_dtype(dtype)
        *keys, k_turn = jr.split(key, 5)
        shape = (hidden_size, input_size)
        W, R, b = drawn_reservoir(jnp.stack(keys), shape, connectivity, spectral_radius, dtype)
        self.W, self.b = input_scaling * W, bias_scaling * b
        self.R = jnp.concatenate([R, orthogonal(k_turn, hidden_size, hidden_size, 1, dtype)])

    @property
    def fixed(self) -> tuple[str, ...]:
        return ("W", "R", "b")

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del state, dt
        assert from_hidden is not None
        new = activation_function(self.activation)(from_input[0] + from_hidden[0])
        h = self.proximity * new + (1 - self.proximity) * from_hidden[1]
        return Hidden(h), h
