"""The contract of a rule that changes the weights itself: no gradient is handed to an optimiser."""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ostinato.data.batch import Examples
from ostinato.learning.base import LearningRule, Loss

Metrics = dict[str, Float[Array, ""]]


class UpdateRule(LearningRule):
    """How weights are found without a gradient that an optimiser would follow: search, filters, closed forms, Hebb.

    A run is `carry = rule.init(model, key)`, then `carry, metrics = rule.step(carry, loss, examples, key)` for each
    batch, and `rule.model(carry)` whenever the network is wanted. `training.fit(model, batches, loss=..., rule=rule)`
    is that loop, with checkpoints, resuming and a log; the carry is stored where the optimiser's state is otherwise.

    * The carry is a PyTree of fixed structure; what is learned and all that resuming needs is in it. It may hold the
      model, with leaves that are no arrays.
    * `metrics` are numbers; the first is the loss, whose meaning each rule says.
    * `ends(metrics)`: conditions by name, each a flag; training stops after the step in which one of them first holds.

    Everything is pure; `step` is compiled by `fit`.
    """

    @abc.abstractmethod
    def init(self, model: Any, key: PRNGKeyArray) -> Any:
        """The carry before the first batch; its structure never changes."""

    @abc.abstractmethod
    def step(self, carry: Any, loss: Loss, examples: Examples, key: PRNGKeyArray) -> tuple[Any, Metrics]:
        """Learn from a batch; the metrics begin with the loss."""

    @abc.abstractmethod
    def model(self, carry: Any) -> Any:
        """The network as it stands."""

    def ends(self, metrics: Metrics) -> dict[str, Bool[Array, ""]]:
        """Which reasons to stop hold after a step; none, unless the rule has some of its own."""
        del metrics
        return {}


def as_metric(value: Any) -> Float[Array, ""]:
    """A number among the metrics, in JAX's default precision."""
    return jnp.asarray(value).astype(jnp.result_type(float))
