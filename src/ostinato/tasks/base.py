"""The contract of a task: one trial as a pure function of a key, what is minimised, and what is reported."""

import abc
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from ostinato.data import Examples, SequenceBatch
from ostinato.errors import SettingsError


class Trial(eqx.Module):
    """One sequence and what is wanted of it.

    * `inputs`: `(time, features)`.
    * `targets`: an array or PyTree with the leading axis time, or without it where there is one answer per sequence.
    * `mask`: `(time,)`, True where a step exists; None for all of them. The arrays are as long as the longest trial.
    * `counts`: `(time,)`, True where the answer is judged; None for every step that exists.
    """

    inputs: Float[Array, "time features"]
    targets: PyTree[Any]
    mask: Bool[Array, " time"] | None = None
    counts: Bool[Array, " time"] | None = None


class Task(eqx.Module):
    """A ready problem: `task.sample(key, batch)` gives `Examples`, in pure JAX, equal keys giving equal trials.

    A task says what one trial is, and the rest follows: `jax.jit`, `jax.vmap`, `data.FunctionBatches` and
    `ostinato.fit` take it as it is. Its fields are its settings, all of them static.

    * `per_sequence`: whether a trial has one answer (`ManyToOne`) or one for each step.
    * `input_size`, `output_size`: what a network for it takes and gives; `time_size`: the steps of the longest trial.
    * `loss(y, target)`: of one step of one sequence, or of one sequence, as the learning rules take it.
    * `metrics(ys, examples)`: what is reported of a batch, each a mean over what counts.
    * `chance`: what the best answer without any memory of the trial reaches, for the metrics that have such a figure.
    """

    per_sequence: ClassVar[bool] = False

    @property
    @abc.abstractmethod
    def input_size(self) -> int: ...

    @property
    @abc.abstractmethod
    def output_size(self) -> int: ...

    @property
    @abc.abstractmethod
    def time_size(self) -> int: ...

    @property
    @abc.abstractmethod
    def chance(self) -> dict[str, float]: ...

    @abc.abstractmethod
    def trial(self, key: PRNGKeyArray) -> Trial:
        """One trial; arrays of the same shapes for every key."""

    @abc.abstractmethod
    def loss(self, y: Array, target: Any) -> Float[Array, ""]:
        """What is minimised."""

    @abc.abstractmethod
    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        """What is reported."""

    @eqx.filter_jit
    def sample(self, key: PRNGKeyArray, batch: int) -> Examples:
        """`batch` trials, `(batch, time, features)`; the weights sum to 1, so that a loss is the mean over what counts.

        ```python
        >>> import jax
        >>> from ostinato.tasks import Adding
        >>> examples = Adding(length=20).sample(jax.random.key(0), 4)
        >>> examples.inputs.values.shape, examples.targets.shape
        ((4, 20, 2), (4, 1))

        ```
        """
        trials = jax.vmap(self.trial)(jr.split(key, batch))
        inputs = SequenceBatch(trials.inputs, trials.mask)
        if self.per_sequence:
            return Examples(inputs, trials.targets, jnp.full(batch, 1 / batch))
        counted = inputs.steps if trials.counts is None else inputs.steps & trials.counts
        weight = counted.astype(trials.inputs.dtype)
        return Examples(inputs, trials.targets, weight / jnp.sum(weight))


def mean_of(values: Array, weight: Float[Array, "*steps"]) -> Float[Array, ""]:
    """The weighted mean of numbers or flags with the axes of `weight`."""
    return jnp.sum(values.astype(weight.dtype) * weight) / jnp.sum(weight)


def is_right(ys: Float[Array, "*steps classes"], labels: Int[Array, "*steps"]) -> Bool[Array, "*steps"]:
    """Whether the most active output is the one of the label."""
    return jnp.argmax(ys, axis=-1) == labels


def at_least(value: int, least: int, name: str) -> None:
    """Raise `SettingsError` where a setting is below its least value."""
    if value < least:
        raise SettingsError(f"{name}: expected {least} or more, got {value}")
