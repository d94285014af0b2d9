"""Gradients of a signal-flow graph by its adjoint (Wan and Beaufays, Neural Computation 8, 1996)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ostinato.data.batch import Examples
from ostinato.errors import UnsupportedRule
from ostinato.graphs import FlowState, SignalFlowGraph, flow_gradients
from ostinato.learning.base import Approximate, Exact, GradientRule, Loss, Refusal
from ostinato.learning.bptt import BPTT, StateCarry
from ostinato.learning.filter_layers import time_major, value_and_errors


class FlowAdjoint(GradientRule):
    """The reversed graph is run on the errors; nothing is differentiated but the loss and the functions of the nodes.

    Exact for a `graphs.SignalFlowGraph` on whole sequences. On chunks the state goes on and errors stop at the chunk's
    start, as in `BPTT`. Refuses every other model, and raises `UnsupportedRule` for sequences with resets.

    ```python
    >>> import ostinato as ost
    >>> from ostinato.graphs import Branch, Node
    >>> branches = [Branch("x", "y", 0.5), Branch("y", "y", 0.8, delay=1)]
    >>> graph = SignalFlowGraph([Node("x"), Node("y")], branches, inputs=["x"], outputs=["y"])
    >>> examples = ost.Examples(ost.SequenceBatch(jnp.ones((2, 5, 1))), jnp.zeros((2, 5, 1)), jnp.ones((2, 5)))
    >>> rule = FlowAdjoint()
    >>> value, grads, carry = rule(graph, ost.losses.squared, examples, rule.init(graph, examples))
    >>> grads.gains.shape
    (2,)

    ```
    """

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        if not isinstance(model, SignalFlowGraph):
            return Refusal("it is no signal-flow graph")
        if model.looks_ahead or any(node.slope for node in model.nodes):
            return Refusal("it is the adjoint of a graph, and needs a run of that one")
        return Exact("the adjoint graph, run back over a whole sequence")

    def init(self, model: Any, examples: Examples) -> StateCarry:
        self.check(model)
        if examples.inputs.reset is not None:
            raise UnsupportedRule("FlowAdjoint", "SignalFlowGraph", "resets inside a sequence are not in the graph")
        return BPTT().init(model, examples)

    def __call__(
        self, model: Any, loss: Loss, examples: Examples, carry: StateCarry, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], PyTree, StateCarry]:
        del key
        given, lead = time_major(examples), examples.inputs.batch_shape
        time, rows = given.mask.shape
        # A masked step is no step: the others are moved together, and what stands behind them has no error.
        order = jnp.argsort(~given.mask, axis=0, stable=True)
        state = jax.tree.map(lambda a: a.reshape(rows, *a.shape[len(lead) :]), carry.state)

        def forward(xs: Array, order: Array, mask: Array, state: FlowState) -> tuple[Array, Any, FlowState]:
            ys, tape = model.run(xs[order], state=state)
            past = jax.lax.dynamic_slice_in_dim(tape.history(), jnp.sum(mask), model.memory)[::-1]
            return jnp.zeros_like(ys).at[order].set(jnp.where(mask[order][:, None], ys, 0)), tape, FlowState(past)

        by_row = jax.vmap(forward, (1, 1, 1, 0), (1, 0, 0))
        ys, tapes, state = by_row(given.xs, order, given.mask, state)
        value, errors = value_and_errors(loss, ys, examples)
        back = jax.vmap(lambda tape, e, o: flow_gradients(model, tape, e[o]).gains, (0, 1, 1))
        gains = jnp.sum(back(tapes, jnp.where(given.mask[..., None], errors, 0), order), axis=0)
        grads = eqx.tree_at(lambda g: g.gains, eqx.filter(model, eqx.is_inexact_array), gains)
        state = jax.tree.map(lambda a: a.reshape(*lead, *a.shape[1:]), state)
        return value, grads, StateCarry(state, carry.step + time)
