"""A network that sees its own output of the step before: what a reservoir needs to make patterns by itself."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.errors import ShapeError
from ostinato.layers.stack import Stack
from ostinato.types import State


class FeedbackState(NamedTuple):
    """The state of the network inside, and what it gave last."""

    inner: State
    y: Float[Array, " output"]


class OutputFeedback(Cell):
    r"""$s_t, y_t = \mathrm{stack}([x_t, y_{t-1}], s_{t-1})$: the last inputs of the stack are its own outputs.

    Without inputs of its own (`input_size` 0) it runs by itself, given sequences `(*batch, time, 0)`. What it gave
    before the first step is 0.

    Raises `ShapeError` where the stack takes fewer inputs than it has outputs.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> k0, k1 = jax.random.split(jax.random.key(0))
    >>> cell = OutputFeedback(ost.Stack([ost.cells.EchoState(1, 20, key=k0), ost.Readout(20, 1, key=k1)]))
    >>> ys, _ = ost.unroll(cell, jnp.zeros((7, 0)))
    >>> cell.input_size, ys.shape
    (0, (7, 1))

    ```
    """

    output_field = "y"

    stack: Stack
    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)

    def __init__(self, stack: Stack):
        if stack.input_size < stack.output_size:
            raise ShapeError(
                f"stack: expected at least {stack.output_size} inputs, as many as outputs, got {stack.input_size}"
            )
        self.stack = stack
        self.input_size, self.hidden_size = stack.input_size - stack.output_size, stack.hidden_size

    @property
    def output_size(self) -> int:
        return self.stack.output_size

    @property
    def causal(self) -> bool:
        """Whether step t needs nothing after t."""
        return self.stack.causal

    def init_state(self, *, key: PRNGKeyArray | None = None) -> FeedbackState:
        inner = self.stack.init_state(key=key)
        dtype = eqx.filter_eval_shape(
            lambda: self.stack(jnp.zeros(self.stack.input_size, jnp.result_type(float)), inner)[1]
        ).dtype
        return FeedbackState(inner, jnp.zeros(self.output_size, dtype))

    def __call__(
        self, x: Array, state: FeedbackState, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[FeedbackState, Array]:
        inner, y = self.stack(jnp.concatenate([x.astype(state.y.dtype), state.y]), state.inner, dt=dt, key=key)
        return FeedbackState(inner, y), y
