"""The contract of a learner that acts: trial and error, one step at a time."""

import abc
from typing import Any, NamedTuple

import equinox as eqx
from jaxtyping import Array, Float, Int, PRNGKeyArray


class Signal(NamedTuple):
    """What a learner is told in a step: what it sees, the reward of its last action, and whether a trial ended."""

    observation: Float[Array, " observation"]
    reward: Float[Array, ""]
    done: Array


class Learner(eqx.Module):
    """How a network learns from reward. Its fields are its settings; network, state and traces are the carry.

    * `init(key)` makes a network and all that belongs to it.
    * `step(carry, signal, noise)` takes a step: it learns from the reward, sees, and chooses: `(carry, action,
      experience)`. `noise` is two uniform numbers.
    * `greedy(carry, signal)`: the same without learning and exploration: `(carry, action)`.
    * `consolidate(carry, experience)`: called after every few steps, with what these gave along a leading axis of time;
      learners that learn in each step do nothing in it.

    Everything is pure and unbatched: `vmap` makes a population of it.
    """

    observation_size: eqx.AbstractVar[int]
    action_size: eqx.AbstractVar[int]

    @abc.abstractmethod
    def init(self, key: PRNGKeyArray) -> Any: ...

    @abc.abstractmethod
    def step(self, carry: Any, signal: Signal, noise: Float[Array, " 2"]) -> tuple[Any, Int[Array, ""], Any]: ...

    @abc.abstractmethod
    def greedy(self, carry: Any, signal: Signal) -> tuple[Any, Int[Array, ""]]: ...

    @abc.abstractmethod
    def values(self, carry: Any) -> Float[Array, " actions"]:
        """What the learner thought of each action in the last step."""

    def consolidate(self, carry: Any, experience: Any) -> Any:
        """Learn from a stretch of experience."""
        del experience
        return carry
