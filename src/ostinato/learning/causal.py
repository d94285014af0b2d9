"""What rules that go forward in time share: what they refuse, and models whose output comes after the last step."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ostinato.cells.base import Cell
from ostinato.data.batch import Examples
from ostinato.learning.base import (
    Approximate,
    Exact,
    GradientRule,
    Loss,
    Refusal,
    is_causal,
    outputs,
    start_state,
    weighted_loss,
)


class CausalRule(GradientRule):
    r"""A rule that needs nothing after step t to go past it; subclasses say how in `holds`, `begin` and `go`.

    A model that makes something of all outputs of its network (`ManyToOne`, the networks of the estimators) says so by
    two methods: `rnn_inputs(xs, key) -> (inputs, key)`, what `model.rnn` sees and the key that it runs with, and
    `apply_head(ys, inputs, xs, key)`, what it makes of the outputs. The network is run once to find the errors

    $$\epsilon_t = \frac{\partial \ell}{\partial y_t}$$

    and the rule then finds the gradient of $\sum_t \langle \epsilon_t, y_t \rangle$, which is that of the loss. This
    takes the whole sequence at once, and storage for its outputs.
    """

    @abc.abstractmethod
    def holds(self, model: Any) -> Exact | Approximate | Refusal:
        """Whether the rule holds for a cell or causal network."""

    @abc.abstractmethod
    def begin(self, model: Any, examples: Examples) -> Any:
        """The carry for a cell or causal network."""

    @abc.abstractmethod
    def go(
        self, model: Any, loss: Loss, examples: Examples, carry: Any, key: PRNGKeyArray | None
    ) -> tuple[Float[Array, ""], PyTree, Any]:
        """Value, gradients and carry for a cell or causal network."""

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        if not is_causal(model):
            return Refusal("a bidirectional model needs the whole sequence")
        if is_network(model):
            return self.holds(model)
        if hasattr(model, "rnn_inputs") and hasattr(model, "apply_head"):
            return self.holds(model.rnn)
        return Refusal(
            "it does not say which network it runs, and what it makes of the outputs (`rnn_inputs`, `apply_head`)"
        )

    def init(self, model: Any, examples: Examples) -> Any:
        self.check(model)
        if is_network(model):
            return self.begin(model, examples)
        return self.begin(model.rnn, _of_network(model, examples, None)[0])

    def __call__(
        self, model: Any, loss: Loss, examples: Examples, carry: Any, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], PyTree, Any]:
        if is_network(model):
            return self.go(model, loss, examples, carry, key)
        inner, rnn_key = _of_network(model, examples, key)
        state = start_state(model.rnn, inner.inputs.batch_shape, rnn_key)
        state = jax.tree.map(lambda new, old: jnp.where(carry.step == 0, new, old), state, carry.state)
        ys, _ = outputs(model.rnn, inner.inputs, state, rnn_key, carry.step)

        def value(given: tuple[Any, Array]) -> Array:
            model, ys = given
            return weighted_loss(loss, model.apply_head(ys, inner.inputs, examples.inputs, rnn_key), examples)

        total, (grads, errors) = eqx.filter_value_and_grad(value)((model, ys))
        inner = Examples(inner.inputs, errors, inner.weight)
        _, of_rnn, carry = self.go(model.rnn, lambda y, e: jnp.sum(y * e), inner, carry, rnn_key)
        return total, eqx.tree_at(lambda m: m.rnn, grads, jax.tree.map(jnp.add, grads.rnn, of_rnn)), carry


def is_network(model: Any) -> bool:
    """Whether the model is a cell, or a network of layers with one output for each step."""
    return isinstance(model, Cell) or hasattr(model, "stack")


def _of_network(model: Any, examples: Examples, key: PRNGKeyArray | None) -> tuple[Examples, PRNGKeyArray | None]:
    """What the network of a model sees; the targets are not known yet."""
    inputs, key = model.rnn_inputs(examples.inputs, key)
    weight = inputs.steps.astype(examples.weight.dtype)
    return Examples(inputs, jnp.zeros(weight.shape, weight.dtype), weight), key
