"""Truncated back-propagation through time, BPTT(h; h') of Williams and Peng (Neural Computation 2, 1990)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from ostinato.data.batch import Examples, SequenceBatch
from ostinato.errors import SettingsError
from ostinato.kernels import select
from ostinato.learning.base import (
    Approximate,
    Exact,
    Loss,
    Refusal,
    outputs,
    start_state,
    weighted_loss,
)
from ostinato.learning.causal import CausalRule
from ostinato.types import State


class TruncatedCarry(NamedTuple):
    """The inputs of the last `window - stride` steps, the state before them, and the number of steps so far."""

    state: State
    past: SequenceBatch
    step: Int[Array, ""]


class TruncatedBPTT(CausalRule):
    r"""Errors of each block of `stride` steps go back through the last `window` steps.

    $$\hat\nabla = \sum_k \nabla_\theta \Big(\sum_{t \in \text{block } k} w_t \ell_t\Big)
      \Big|_{s_{t_k}\ \text{held fixed}},\qquad t_k = \text{end of block } k - \text{window}$$

    The forward pass is the whole sequence's. With `window` at least the length of the sequence it equals `BPTT`. The
    default stride is the window, the usual cheap form; stride 1 is the most accurate and costs `window` times as much.
    Chunks whose lengths are multiples of the stride give what the whole gives.

    Refuses bidirectional models. The errors of a model with one output per sequence are found first (`CausalRule`).
    """

    window: int = eqx.field(static=True)
    stride: int = eqx.field(static=True)

    def __init__(self, window: int, stride: int | None = None):
        stride = window if stride is None else stride
        if not 1 <= stride <= window:
            raise SettingsError(f"stride: expected 1 to window = {window}, got {stride}")
        self.window, self.stride = window, stride

    def holds(self, model: Any) -> Exact | Approximate | Refusal:
        del model
        return Approximate(f"errors go back at most {self.window} steps")

    def begin(self, model: Any, examples: Examples) -> TruncatedCarry:
        inputs = examples.inputs
        past = self.window - self.stride
        lead = inputs.batch_shape

        # Steps before the first are masked: they keep the state.
        def empty(field: Array | None) -> Array | None:
            return None if field is None else jnp.zeros((*lead, past, *field.shape[len(lead) + 1 :]), field.dtype)

        mask = jnp.zeros((*lead, past), bool)
        buffer = SequenceBatch(
            jnp.zeros((*lead, past, inputs.feature_size), inputs.values.dtype),
            mask,
            empty(inputs.reset),
            empty(inputs.dt),
            empty(inputs.observed),
        )
        state = jax.tree.map(jax.lax.stop_gradient, start_state(model, lead, None))
        return TruncatedCarry(state, buffer, jnp.asarray(0, jnp.int32))

    def go(
        self, model: Any, loss: Loss, examples: Examples, carry: TruncatedCarry, key: PRNGKeyArray | None
    ) -> tuple[Float[Array, ""], PyTree, TruncatedCarry]:
        if examples.inputs.mask is None:
            inputs = eqx.tree_at(
                lambda b: b.mask, examples.inputs, examples.inputs.steps, is_leaf=lambda leaf: leaf is None
            )
            examples = Examples(inputs, examples.targets, examples.weight)
        time, stride = examples.inputs.time_size, self.stride
        params = eqx.filter(model, eqx.is_inexact_array)
        total = jnp.zeros((), examples.weight.dtype), jax.tree.map(jnp.zeros_like, params)

        def add(carry: Any, block: Examples) -> Any:
            inner, (value, grads) = carry
            v, g, inner = self._block(model, loss, block, inner, key)
            return inner, (value + v, jax.tree.map(jnp.add, grads, g))

        whole = time - time % stride
        state = (carry, total)
        if whole:
            blocks = jax.tree.map(lambda leaf: _blocks(leaf, examples.weight.ndim - 1, whole, stride), examples)
            state, _ = jax.lax.scan(lambda c, block: (add(c, block), None), state, blocks)
        if time > whole:
            state = add(state, examples.window(whole, time))
        carry, (value, grads) = state
        return value, grads, carry

    def _block(self, model: Any, loss: Loss, block: Examples, carry: TruncatedCarry, key: Any) -> tuple[Any, Any, Any]:
        size, past = block.inputs.time_size, self.window - self.stride
        joined = _join(carry.past, block.inputs)
        start = carry.step - past

        @eqx.filter_value_and_grad(has_aux=True)
        def value(model: Any) -> tuple[Array, State]:
            # While the window reaches the first step the state before it is the model's own, with its gradient.
            fresh = start_state(model, block.inputs.batch_shape, key)
            state = select(start <= 0, fresh, carry.state)
            head, middle = outputs(model, joined.window(0, size), state, key, start)
            tail, _ = outputs(model, joined.window(size, past + size), middle, key, start + size)
            axis = block.weight.ndim - 1
            ys = jnp.concatenate([head, tail], axis=axis)
            wanted = jax.lax.slice_in_dim(ys, past, past + size, axis=axis)
            return weighted_loss(loss, wanted, block), middle

        (total, middle), grads = value(model)
        return total, grads, TruncatedCarry(middle, joined.window(size, past + size), carry.step + size)


def _join(first: SequenceBatch, second: SequenceBatch) -> SequenceBatch:
    axis = first.values.ndim - 2
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b], axis=axis), first, second)


def _blocks(leaf: Array, axis: int, whole: int, stride: int) -> Array:
    """`(*batch, time, ...)` to `(blocks, *batch, stride, ...)`."""
    cut = jax.lax.slice_in_dim(leaf, 0, whole, axis=axis)
    split = cut.reshape(*leaf.shape[:axis], whole // stride, stride, *leaf.shape[axis + 1 :])
    return jnp.moveaxis(split, axis, 0)
