"""Layers on top of each other, any sizes, any kinds."""

from typing import Any

import equinox as eqx
import jax.random as jr
from jaxtyping import Array, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.errors import ShapeError, UnsupportedRule
from ostinato.kernels import LoopInputs
from ostinato.layers.record import above, below
from ostinato.layers.run import UnrollOptions, UnrollResult, run
from ostinato.types import State


class Stack(Cell):
    r"""Each layer's output is the next one's input.

    $$x^{(0)} = x_t,\quad s^{(l)}_t, y^{(l)} = \mathrm{layer}_l(x^{(l)}, s^{(l)}_{t-1}),\quad
      x^{(l+1)} = y^{(l)} \;(+\, x^{(l)})$$

    With `residual`, a recurrent layer's input is added to its output where the sizes agree.

    A stack of cells is itself a cell, with a tuple of their states; through time it runs layer by layer, which is the
    same thing and faster. With a bidirectional layer inside it only runs through time. Layer l draws from
    `fold_in(key, l)`.

    Raises `ShapeError` where sizes do not meet.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> from ostinato.cells import LSTM, Elman
    >>> k0, k1 = jax.random.split(jax.random.key(0))
    >>> stack = Stack((LSTM(3, 8, key=k0), Elman(8, 5, key=k1)))
    >>> state, y = stack(jnp.ones(3), stack.init_state())
    >>> y.shape, state[0].c.shape
    ((5,), (8,))

    ```
    """

    layers: tuple[Any, ...]
    residual: bool = eqx.field(static=True)

    def __init__(self, layers: Any, *, residual: bool = False):
        self.layers = tuple(layers)
        self.residual = residual
        if not self.layers:
            raise ShapeError("layers: expected at least one, got none")
        for i, (lower, upper) in enumerate(zip(self.layers, self.layers[1:], strict=False)):
            if lower.output_size != upper.input_size:
                raise ShapeError(f"layers[{i + 1}]: expected input_size {lower.output_size}, got {upper.input_size}")

    @property
    def input_size(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.layers[0].input_size

    @property
    def hidden_size(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.layers[-1].hidden_size

    @property
    def output_size(self) -> int:
        return self.layers[-1].output_size

    @property
    def causal(self) -> bool:
        """Whether step t needs nothing after t."""
        return all(getattr(layer, "causal", True) for layer in self.layers)

    @property
    def pointwise(self) -> bool:
        return all(layer.pointwise for layer in self.layers)

    def parts(self) -> dict[str, Any]:
        """The layers by the names that they have on the tape."""
        return {str(i): layer for i, layer in enumerate(self.layers)}

    def init_state(self, *, key: PRNGKeyArray | None = None) -> tuple[State, ...]:
        return tuple(
            layer.init_state(key=None if key is None else jr.fold_in(key, i)) for i, layer in enumerate(self.layers)
        )

    def __call__(
        self, x: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        if not self.causal:
            raise UnsupportedRule("one step", "a stack with a bidirectional layer", "it needs the whole sequence")
        states = []
        for i, layer in enumerate(self.layers):
            new, y = layer(x, state[i], dt=dt, key=None if key is None else jr.fold_in(key, i))
            states.append(new)
            x = self._join(layer, x, y)
        return tuple(states), x

    def through_time(self, loop: LoopInputs, state: State, plan: UnrollOptions) -> UnrollResult:
        """Layer by layer over the whole loop."""
        finals, tape = [], {}
        for i, layer in enumerate(self.layers):
            ran = run(
                layer, loop._replace(path=(*loop.path, i)), state[i], plan._replace(record=below(plan.record, str(i)))
            )
            finals.append(ran.final)
            tape |= above(ran.tape, str(i))
            loop = loop._replace(xs=self._join(layer, loop.xs, ran.ys))
        return UnrollResult(loop.xs, tuple(finals), tape)

    def _join(self, layer: Any, x: Array, y: Array) -> Array:
        return x + y if self.residual and not layer.pointwise and x.shape == y.shape else y
