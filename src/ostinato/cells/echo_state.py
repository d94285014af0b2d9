"""The reservoir of an echo-state network (Jaeger, GMD Report 148, 2001; leaky units: Jaeger et al. 2007)."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.activations import activation_function
from ostinato.cells.base import Hidden
from ostinato.cells.init import default_dtype
from ostinato.cells.standard import StandardCell
from ostinato.errors import SettingsError


class EchoState(StandardCell):
    r"""A random sparse recurrent layer that is not trained: a read-out on top learns from its echoes.

    $$h_t = (1 - \alpha)\, h_{t-1} + \alpha\, a(W x_t + b + R h_{t-1}),\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h (hidden,)`, `W (1, hidden, input)`, `R (1, hidden, hidden)`, `b (1, hidden)`.

    * R: normal numbers at a share `connectivity` of the places, scaled to `spectral_radius`; W: uniform in
      ±`input_scaling`; b: uniform in ±`bias_scaling`. `leak` is $\alpha$.
    * W, R and b are `fixed`: they have gradients, but `training.fit` does not change them, whatever the rule or the
      optimiser, and searches leave them out. With `trainable=True` they are weights like any others.

    For tanh and $\alpha = 1$, $\lVert R \rVert_2 < 1$ is sufficient for the echo-state property. PyTorch and Keras have
    none. The read-out is learned by `Ridge`, `RLS`, `LMS`, or by gradient.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = EchoState(1, 50, spectral_radius=0.8, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(1), cell.init_state())
    >>> y.shape, round(float(jnp.max(jnp.abs(jnp.linalg.eigvals(cell.R[0])))), 4)
    ((50,), 0.8)

    ```
    """

    leak: float = eqx.field(static=True)
    activation: str | Callable[[Array], Array] = eqx.field(static=True)
    trainable: bool = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        spectral_radius: float = 0.9,
        connectivity: float = 0.1,
        input_scaling: float = 1.0,
        bias_scaling: float = 0.0,
        leak: float = 1.0,
        activation: str | Callable[[Array], Array] = "tanh",
        trainable: bool = False,
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        if hidden_size < 1 or input_size < 0:
            raise SettingsError(
                f"sizes: expected input_size >= 0 and hidden_size >= 1, got {input_size} and {hidden_size}"
            )
        if not 0 < leak <= 1:
            raise SettingsError(f"leak: expected more than 0, at most 1, got {leak}")
        if not 0 < connectivity <= 1:
            raise SettingsError(f"connectivity: expected more than 0, at most 1, got {connectivity}")
        if spectral_radius < 0:
            raise SettingsError(f"spectral_radius: expected 0 or more, got {spectral_radius}")
        activation_function(activation)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.leak, self.activation, self.trainable = leak, activation, trainable
        dtype = default_dtype(dtype)
        shape = (hidden_size, input_size)
        W, R, b = drawn_reservoir(jr.split(key, 4), shape, connectivity, spectral_radius, dtype)
        self.W, self.R, self.b = input_scaling * W, R, bias_scaling * b

    @property
    def fixed(self) -> tuple[str, ...]:
        return () if self.trainable else ("W", "R", "b")

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del dt
        assert from_hidden is not None
        new = activation_function(self.activation)((from_input + from_hidden)[0])
        h = new if self.leak == 1 else (1 - self.leak) * state.h + self.leak * new
        return Hidden(h), h


def scaled_to_radius(R: Float[Array, "n n"], radius: float) -> Float[Array, "n n"]:
    """The matrix with its largest absolute eigenvalue made `radius`; a nilpotent one stays as it is."""
    wide = R if jnp.finfo(R.dtype).bits >= 32 else R.astype(jnp.float32)  # the decomposition has no half precision
    found = jnp.max(jnp.abs(jnp.linalg.eigvals(wide)))
    scale = jnp.where(found > 0, radius / jnp.where(found > 0, found, jnp.ones_like(found)), jnp.ones_like(found))
    return R * scale.astype(R.dtype)


def drawn_reservoir(
    keys: Array, shape: tuple[int, int], connectivity: float, spectral_radius: float, dtype: DTypeLike
) -> tuple[Array, Array, Array]:
    """W `(1, hidden, input)`, b `(1, hidden)` uniform in -1 to 1; R `(1, hidden, hidden)` normal on a share of places.

    R is scaled to the spectral radius; four keys; `shape` is `(hidden, input)`.
    """
    hidden, _ = shape
    k_in, k_values, k_places, k_bias = keys
    values = jr.normal(k_values, (hidden, hidden), dtype)
    there = jr.uniform(k_places, (hidden, hidden)) < connectivity
    R = scaled_to_radius(jnp.where(there, values, jnp.zeros_like(values)), spectral_radius)
    return jr.uniform(k_in, (1, *shape), dtype, -1, 1), R[None], jr.uniform(k_bias, (1, hidden), dtype, -1, 1)
