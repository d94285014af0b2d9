"""The contract of a task that is acted in: observation, action, reward; one step is a pure function."""

import abc
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ostinato.checks import check_finite, check_same
from ostinato.errors import SettingsError
from ostinato.types import State


class TimeStep(NamedTuple):
    """What an agent is told, and how its last action is judged.

    * `observation` `(observation_size,)`, `reward`, and `done` at the end of a trial; the next step begins a new one.
    * `judged`: whether an answer was due; then `correct` says how it was, and `condition` which kind of trial it was.
    """

    observation: Float[Array, " observation"]
    reward: Float[Array, ""]
    done: Bool[Array, ""]
    judged: Bool[Array, ""]
    condition: Int[Array, ""]
    correct: Bool[Array, ""]


class Environment(eqx.Module):
    """A task as a state machine, trial after trial without end.

    `state, feedback = env.reset(noise, level)` begins a trial and `env.step(state, action, noise, level)` goes on; both
    are pure, unbatched, and made for `jax.vmap` and `jax.lax.scan`.

    * `noise`: `draws` uniform numbers in 0..1, so that a step is a function of numbers that anybody can make. The kind
      of a trial, among `conditions` of them, is the first number of the step in which it is drawn.
    * `level`: of difficulty, from 0 to `levels - 1`, for curricula.
    * `actions` and `inputs` name what may be done and what is seen; `limit`: the most steps that a trial can take.
    * `examined`: whether every condition has one right way through, so that a network can be examined without
      exploration. `blank`: whether the step that tells the end of a trial shows nothing of the next one.
    """

    examined: ClassVar[bool] = False
    blank: ClassVar[bool] = False

    @property
    @abc.abstractmethod
    def inputs(self) -> tuple[str, ...]: ...

    @property
    @abc.abstractmethod
    def actions(self) -> tuple[str, ...]: ...

    @property
    @abc.abstractmethod
    def limit(self) -> int: ...

    @property
    def draws(self) -> int:
        return 1

    @property
    def conditions(self) -> int:
        return 1

    @property
    def condition_names(self) -> tuple[str, ...]:
        """The kinds of trials in words, `conditions` of them."""
        return tuple(f"condition {number}" for number in range(self.conditions))

    @property
    def levels(self) -> int:
        return 1

    @property
    def observation_size(self) -> int:
        return len(self.inputs)

    @property
    def action_size(self) -> int:
        return len(self.actions)

    @abc.abstractmethod
    def reset(self, noise: Float[Array, " draws"], level: Any = None) -> tuple[State, TimeStep]:
        """The beginning of a trial."""

    @abc.abstractmethod
    def step(
        self, state: State, action: Int[Array, ""], noise: Float[Array, " draws"], level: Any = None
    ) -> tuple[State, TimeStep]:
        """What follows from an action."""

    def level_of(self, level: Any) -> Int[Array, ""]:
        """The level as a number, the last one where none is given."""
        return jnp.asarray(self.levels - 1 if level is None else level, jnp.int32)


def time_step(
    observation: Array,
    reward: Any = 0.0,
    done: Any = False,
    judged: Any = None,
    condition: Any = 0,
    correct: Any = False,
) -> TimeStep:
    """A `TimeStep` with everything in its own dtype; `judged` is `done` where it is not given."""
    dtype = jnp.result_type(float)
    return TimeStep(
        jnp.asarray(observation, dtype),
        jnp.asarray(reward, dtype),
        jnp.asarray(done, bool),
        jnp.asarray(done if judged is None else judged, bool),
        jnp.asarray(condition, jnp.int32),
        jnp.asarray(correct, bool),
    )


def pick(uniform: Float[Array, ""], count: int) -> Int[Array, ""]:
    """One of `count` equally likely things, from a uniform number."""
    return jnp.minimum((uniform * count).astype(jnp.int32), count - 1)


def flags(*values: Any) -> Array:
    """Inputs that are on or off."""
    return jnp.stack([jnp.asarray(value, jnp.result_type(float)) for value in values])


def check_environment(env: Environment, steps: int = 200, seed: int = 0) -> None:
    """Act at random for some steps, at each level, and look at what comes back.

    Raises `ShapeError` where an observation has another size than `inputs`, `NonFiniteError` where an observation or a
    reward is not finite, `SettingsError` where a condition is not one of `conditions` or no trial ever ends.
    """
    rng = np.random.default_rng(seed)
    noise = jnp.asarray(rng.random((steps, env.levels, env.draws)), jnp.result_type(float))
    actions = jnp.asarray(rng.integers(0, env.action_size, (steps, env.levels)), jnp.int32)
    levels = jnp.arange(env.levels, dtype=jnp.int32)
    _, first = env.reset(noise[0, 0], levels[0])
    check_same(first.observation.shape, (env.observation_size,), "observation of reset", "(inputs,)")
    check_same(first.reward.shape, (), "reward of reset", "()")

    @jax.jit
    def run() -> TimeStep:
        begin = jax.vmap(env.reset)(noise[0], levels)

        def one(state: Any, at: Any) -> Any:
            return jax.vmap(env.step)(state, at[0], at[1], levels)

        return jax.lax.scan(one, begin[0], (actions, noise))[1]

    seen = run()
    check_same(seen.observation.shape[2:], (env.observation_size,), "observation", "(inputs,)")
    check_finite(seen.observation, "observation")
    check_finite(seen.reward, "reward")
    judged, condition = np.asarray(seen.judged), np.asarray(seen.condition)
    if ((condition < 0) | (condition >= env.conditions))[judged].any():
        raise SettingsError(f"condition: expected 0 to {env.conditions - 1}, got {condition[judged].max()}")
    if steps > env.limit and not np.asarray(seen.done).any():
        raise SettingsError(f"done: no trial ended within {steps} steps of random actions")
