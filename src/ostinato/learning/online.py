"""One step, or one block of steps, at a time: the loop that every rule with traces runs in."""

import abc
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from ostinato.data.batch import Examples
from ostinato.kernels import select
from ostinato.learning.base import Loss, start_state
from ostinato.learning.causal import CausalRule
from ostinato.learning.dynamics import Dynamics, Item
from ostinato.types import State

# Folded into the key of a call to make the noise of the rule itself, apart from that of the model.
NOISE = 0x72756C65


class OnlineCarry(NamedTuple):
    """State and traces after the steps so far, `(*batch, ...)`, and the number of these steps."""

    state: State
    traces: Any
    step: Int[Array, ""]


class OnlineRule(CausalRule):
    """A rule that carries, beside the state, how this depends on the weights: nothing of the past is stored.

    A subclass gives `first`, the traces before the first step, and `advance`, one row through one block of steps. What
    it keeps is in the carry, so that chunks of any length, of one step too, give what the whole gives.
    """

    def transform(self, cell: Any) -> Any:
        """What is differentiated in place of the network."""
        return cell

    def view(self, model: Any) -> Dynamics:
        """The network as this rule sees it."""
        return Dynamics(model, self.transform)

    def block(self, view: Dynamics) -> int:
        """Steps in a block."""
        del view
        return 1

    @abc.abstractmethod
    def first(self, view: Dynamics, leaves: list[Array], key: PRNGKeyArray) -> Any:
        """The traces of one row before its first step, from the initial state's dependence on the weights."""

    @abc.abstractmethod
    def advance(
        self, view: Dynamics, leaves: list[Array], loss: Loss, items: Item, state: State, traces: Any, key: PRNGKeyArray
    ) -> tuple[Array, list[Array], State, Any]:
        """A block of one row: its loss, gradients of all weights, the state and the traces after it."""

    def begin(self, model: Any, examples: Examples) -> OnlineCarry:
        view, lead = self.view(model), examples.inputs.batch_shape
        state = jax.tree.map(jax.lax.stop_gradient, start_state(model, lead, None))
        traces = self.first(view, view.leaves, jr.key(0))
        spread = lambda a: jnp.broadcast_to(a, (*lead, *a.shape))
        return OnlineCarry(state, jax.tree.map(spread, traces), jnp.asarray(0, jnp.int32))

    def go(
        self, model: Any, loss: Loss, examples: Examples, carry: OnlineCarry, key: PRNGKeyArray | None
    ) -> tuple[Float[Array, ""], PyTree, OnlineCarry]:
        view, inputs = self.view(model), examples.inputs
        lead, time = inputs.batch_shape, inputs.time_size
        rows = math.prod(lead)
        noise = jr.fold_in(jr.key(0) if key is None else key, NOISE)
        items = _items(examples, rows, carry.step, key)
        state, traces = jax.tree.map(lambda a: a.reshape(rows, *a.shape[len(lead) :]), (carry.state, carry.traces))
        starting = carry.step == 0
        if key is not None or view.starting:
            fresh = start_state(model, lead, key)
            fresh = jax.tree.map(lambda a: a.reshape(rows, *a.shape[len(lead) :]), fresh)
            state = select(starting, fresh, state)
        if view.starting:
            keys = jax.vmap(lambda r: jr.fold_in(jr.fold_in(noise, 0), r))(jnp.arange(rows, dtype=jnp.uint32))
            traces = select(starting, jax.vmap(lambda k: self.first(view, view.leaves, k))(keys), traces)

        def some(done: Any, block: Any) -> tuple[Any, None]:
            state, traces, value, grads = done
            start, items = block

            def row(item: Item, state: State, traces: Any, index: Array) -> Any:
                at = jr.fold_in(jr.fold_in(noise, start + 1), index)
                return self.advance(view, view.leaves, loss, item, state, traces, at)

            index = jnp.arange(rows, dtype=jnp.uint32)
            if rows == 1:
                first = jax.tree.map(lambda a: a[0], (items, state, traces, index))
                v, g, state, traces = jax.tree.map(lambda a: a[None], row(*first))
            else:
                v, g, state, traces = jax.vmap(row)(items, state, traces, index)
            grads = [a + jnp.sum(b, axis=0) for a, b in zip(grads, g, strict=True)]
            return (state, traces, value + jnp.sum(v), grads), None

        size = max(1, min(self.block(view), time))
        whole = time - time % size
        zero = jnp.zeros((), jnp.result_type(view.dtype, examples.weight.dtype))
        done = (state, traces, zero, [jnp.zeros_like(leaf) for leaf in view.leaves])
        steps = carry.step.astype(jnp.uint32)
        if rows and whole:
            blocks = jax.tree.map(lambda a: _blocks(a, whole, size), items)
            starts = steps + jnp.arange(0, whole, size, dtype=jnp.uint32)
            if whole == size:
                done, _ = some(done, jax.tree.map(lambda a: a[0], (starts, blocks)))
            else:
                done, _ = jax.lax.scan(some, done, (starts, blocks))
        if rows and time > whole:
            done, _ = some(done, (steps + jnp.uint32(whole), jax.tree.map(lambda a: a[:, whole:], items)))
        state, traces, value, grads = done
        state, traces = jax.tree.map(lambda a: a.reshape(*lead, *a.shape[1:]), (state, traces))
        return value, view.tree(grads), OnlineCarry(state, traces, carry.step + time)


def _items(examples: Examples, rows: int, start: Array, key: PRNGKeyArray | None) -> Item:
    """Everything by row and step, `(rows, time, ...)`."""
    inputs, time = examples.inputs, examples.inputs.time_size
    lead = inputs.values.ndim - 2
    values = inputs.values
    if inputs.observed is not None:
        values = jnp.where(inputs.observed, values, jnp.zeros_like(values))
    flat = lambda a: a.reshape(rows, time, *a.shape[lead + 1 :])
    fields = jax.tree.map(flat, (values, inputs.mask, inputs.reset, inputs.dt, examples.targets, examples.weight))
    keys = None
    if key is not None:

        def one(row: Array, t: Array) -> PRNGKeyArray:
            return jr.fold_in(jr.fold_in(key, start.astype(jnp.uint32) + t), row)

        each = jax.vmap(jax.vmap(one, in_axes=(None, 0)), in_axes=(0, None))
        keys = each(jnp.arange(rows, dtype=jnp.uint32), jnp.arange(time, dtype=jnp.uint32))
    x, mask, reset, dt, targets, weight = fields
    return Item(x, mask, reset, dt, keys, targets, weight)


def _blocks(a: Array, whole: int, size: int) -> Array:
    """`(rows, time, ...)` to `(blocks, rows, size, ...)`."""
    split = a[:, :whole].reshape(a.shape[0], whole // size, size, *a.shape[2:])
    return jnp.moveaxis(split, 1, 0)
