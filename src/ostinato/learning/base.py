"""The contract of a learning rule: gradients from a model, a loss and a chunk of sequences; Optax uses them."""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ostinato.cells.base import Cell
from ostinato.checks import check_same
from ostinato.data.batch import Examples, SequenceBatch
from ostinato.errors import UnsupportedRule
from ostinato.kernels import select
from ostinato.layers import unroll
from ostinato.layers.run import initial_state
from ostinato.types import State

Loss = Callable[[Array, Any], Float[Array, ""]]


class Exact(NamedTuple):
    """The rule gives the gradient of the loss."""

    why: str


class Approximate(NamedTuple):
    """The rule gives something near the gradient; `why` says what it leaves out."""

    why: str


class Refusal(NamedTuple):
    """The rule does not hold for the model."""

    why: str


class LearningRule(eqx.Module):
    """What a rule that gives gradients and one that changes weights itself have in common: they say where they hold."""

    @abc.abstractmethod
    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        """Whether the rule holds for the model, and how."""

    def check(self, model: Any) -> "LearningRule":
        """The rule itself; raises `UnsupportedRule` where it does not hold for the model."""
        answer = self.applies(model)
        if isinstance(answer, Refusal):
            raise UnsupportedRule(type(self).__name__, describe(model), answer.why)
        return self


class GradientRule(LearningRule):
    """How gradients are found.

    A run over one batch is `carry = rule.init(model, examples)`, then `value, grads, carry = rule(model, loss, chunk,
    carry, key)` for each chunk of its time axis. Values and gradients of chunks add up to those of the sequence, with
    the weights held still, for every rule that says `Exact` and carries its traces.

    * `loss(y, target)`: for one step of one sequence (or one sequence, where the model is `per_sequence`); weighted,
      summed.
    * `grads`: the structure of `eqx.filter(model, eqx.is_inexact_array)`.
    """

    @abc.abstractmethod
    def init(self, model: Any, examples: Examples) -> Any:
        """The carry before the first chunk; its structure never changes."""

    @abc.abstractmethod
    def __call__(
        self, model: Any, loss: Loss, examples: Examples, carry: Any, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], PyTree, Any]:
        """The summed loss of the chunk, its gradients, and the carry for the next one."""


def describe(model: Any) -> str:
    """The model's name for messages."""
    parts = getattr(getattr(model, "stack", model), "layers", None)
    inner = "" if parts is None else f"({', '.join(type(p).__name__ for p in parts)})"
    return type(model).__name__ + inner


def is_causal(model: Any) -> bool:
    """Whether step t of the model needs nothing after t."""
    rnn = getattr(model, "rnn", model)
    return bool(getattr(getattr(rnn, "stack", rnn), "causal", True))


def is_per_sequence(model: Any) -> bool:
    """Whether the model gives one output for a whole sequence."""
    return bool(getattr(model, "per_sequence", False))


def outputs(
    model: Any, inputs: SequenceBatch, state: State, key: PRNGKeyArray | None, start: Any = 0
) -> tuple[Any, State]:
    """Run a cell, a network, or anything that is called like one."""
    if isinstance(model, Cell):
        return unroll(model, inputs, state, key=key, start=start)
    return model(inputs, state, key=key, start=start)


def weighted_loss(loss: Loss, ys: Any, examples: Examples) -> Float[Array, ""]:
    """Sum over steps and rows of weight times loss; what has weight 0 is never read, so its target may be anything."""
    weight = examples.weight
    ndim = weight.ndim
    check_same(jax.tree.leaves(ys)[0].shape[:ndim], weight.shape, "outputs", "the leading axes of weight")
    counts = weight != 0
    targets = jax.tree.map(lambda t: select(counts, t, jnp.zeros_like(t)), examples.targets)
    flat = lambda leaf: leaf.reshape(weight.size, *leaf.shape[ndim:])
    values = jax.vmap(loss)(jax.tree.map(flat, ys), jax.tree.map(flat, targets))
    values = jnp.where(flat(counts), values, jnp.zeros_like(values))
    return jnp.sum(flat(weight) * values)


def start_state(model: Any, batch_shape: tuple[int, ...], key: PRNGKeyArray | None) -> State:
    """The model's initial state for every row, `(*batch, ...)`; gradients flow to a trainable one."""
    # Several networks side by side begin each with a state of its own.
    own = getattr(model, "start_state", None)
    if own is not None:
        return own(batch_shape, key)
    rows = 1
    for size in batch_shape:
        rows *= size
    flat = initial_state(getattr(model, "stack", model), rows, key)
    return jax.tree.map(lambda leaf: leaf.reshape(*batch_shape, *leaf.shape[1:]), flat)
