"""Short trials that need a memory: delayed match to sample, a T-maze with a long corridor, context and evidence."""

import itertools
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ostinato.environments.base import Environment, TimeStep, flags, pick, time_step
from ostinato.errors import SettingsError
from ostinato.tasks.base import at_least


class TrialState(NamedTuple):
    """The step in the trial (or the place in the maze) and the kind of trial."""

    step: Int[Array, ""]
    condition: Int[Array, ""]


class DelayedMatch(Environment):
    r"""A sample, a delay, a test: whether they were the same.

    One of `stimuli` inputs is on in the first step of a trial and one in the last; then `match` (1) or `non-match` (2)
    is rewarded with 1. Before that, `wait` (0) is due; anything else ends the trial.
    `length`: steps of a trial, room for sample, delay and test.

    ```python
    >>> DelayedMatch(delay=3).limit
    5

    ```
    """

    examined: ClassVar[bool] = True
    delay: int = eqx.field(static=True, default=2)
    stimuli: int = eqx.field(static=True, default=2)
    length: int | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        at_least(self.delay, 0, "delay")
        at_least(self.stimuli, 2, "stimuli")
        if self.length is not None and self.delay > self.length - 2:
            raise SettingsError(
                f"delay: {self.delay} steps, with sample and test, do not fit into a trial of {self.length}"
            )

    @property
    def inputs(self) -> tuple[str, ...]:
        return (*(f"stimulus {n}" for n in range(self.stimuli)), "test")

    @property
    def actions(self) -> tuple[str, ...]:
        return ("wait", "match", "non-match")

    @property
    def conditions(self) -> int:
        return 2 * self.stimuli

    @property
    def condition_names(self) -> tuple[str, ...]:
        return tuple(f"stimulus {n}, {kind}" for kind in self.actions[1:] for n in range(self.stimuli))

    @property
    def limit(self) -> int:
        return self.delay + 2

    def reset(self, noise: Float[Array, " draws"], level: Int[Array, ""] | int | None = None):
        del level
        state = TrialState(jnp.zeros((), jnp.int32), pick(noise[0], self.conditions))
        return state, time_step(self._seen(state))

    def step(
        self,
        state: TrialState,
        action: Int[Array, ""] | int,
        noise: Float[Array, " draws"],
        level: Int[Array, ""] | int | None = None,
    ) -> tuple[TrialState, TimeStep]:
        action = jnp.asarray(action, jnp.int32)
        due = state.step == self.delay + 1
        correct = due & (action == 1 + state.condition // self.stimuli)
        done = due | (action != 0)
        fresh, _ = self.reset(noise, level)
        new = TrialState(jnp.where(done, 0, state.step + 1), jnp.where(done, fresh.condition, state.condition))
        return new, time_step(self._seen(new), jnp.where(correct, 1.0, 0.0), done, None, state.condition, correct)

    def _seen(self, state: TrialState) -> Array:
        sample, other = state.condition % self.stimuli, state.condition // self.stimuli
        shown = jnp.where(state.step == 0, sample, (sample + other) % self.stimuli)
        test = state.step == self.delay + 1
        hot = (jnp.arange(self.stimuli, dtype=jnp.int32) == shown) & ((state.step == 0) | test)
        return jnp.concatenate([hot.astype(jnp.result_type(float)), flags(test)])


class TMaze(Environment):
    r"""A sign at the entrance says on which side the prize is, at the far end of a corridor (Bakker, NIPS 2002).

    Actions north, east, south, west; reward 4 for the right turn at the junction, -0.1 for the wrong one and for each
    step that leads nowhere. Inputs as published: entrance `011` or `110`, corridor `101`, junction `010`. A trial ends
    at the junction's turn, or after `limit` steps.

    ```python
    >>> TMaze(corridor=10).limit
    66

    ```
    """

    corridor: int = eqx.field(static=True, default=10)

    def __check_init__(self) -> None:
        at_least(self.corridor, 1, "corridor")

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("left", "middle", "right")

    @property
    def actions(self) -> tuple[str, ...]:
        return ("north", "east", "south", "west")

    @property
    def conditions(self) -> int:
        return 2

    @property
    def condition_names(self) -> tuple[str, ...]:
        return ("prize in the north", "prize in the south")

    @property
    def limit(self) -> int:
        return 6 * (self.corridor + 1)

    def reset(self, noise: Float[Array, " draws"], level: Int[Array, ""] | int | None = None):
        del level
        zero = jnp.zeros((), jnp.int32)
        state = (TrialState(zero, pick(noise[0], 2)), zero)
        return state, time_step(self._seen(state[0]))

    def step(
        self,
        state: tuple[TrialState, Int[Array, ""]],
        action: Int[Array, ""] | int,
        noise: Float[Array, " draws"],
        level: Int[Array, ""] | int | None = None,
    ):
        (place, condition), steps = state
        action = jnp.asarray(action, jnp.int32)
        junction = place == self.corridor
        turned = junction & ((action == 0) | (action == 2))
        correct = turned & (action == 2 * condition)
        moved = jnp.clip(place + jnp.where(action == 1, 1, 0) - jnp.where(action == 3, 1, 0), 0, self.corridor)
        done = turned | (steps + 1 >= self.limit)
        reward = jnp.where(correct, 4.0, jnp.where(turned | (moved == place), -0.1, 0.0))
        (_, drawn), _ = self.reset(noise, level)[0]
        new = TrialState(jnp.where(done, 0, moved), jnp.where(done, drawn, condition))
        after = time_step(self._seen(new), reward, done, None, condition, correct)
        return (new, jnp.where(done, 0, steps + 1)), after

    def _seen(self, state: TrialState) -> Array:
        start, junction = state.step == 0, state.step == self.corridor
        first = start & (state.condition == 1) | ~start & ~junction
        last = start & (state.condition == 0) | ~start & ~junction
        return flags(first, start | junction, last)


class ContextIntegration(Environment):
    r"""Two noisy streams; is the mean of the one that the context names above zero (Mante et al. 2013).

    For `length` steps each stream shows its sign times `coherence` plus normal noise of deviation `noise`; then, once,
    left (1) or right (2) is due for reward 1. Acting before ends the trial.
    """

    length: int = eqx.field(static=True, default=8)
    coherence: float = eqx.field(static=True, default=0.5)
    noise: float = eqx.field(static=True, default=1.0)

    def __check_init__(self) -> None:
        at_least(self.length, 1, "length")
        if not (0 <= self.coherence < float("inf") and 0 <= self.noise < float("inf")):
            raise SettingsError(f"coherence, noise: expected finite numbers, got {self.coherence} and {self.noise}")

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("context 0", "context 1", "motion", "colour", "go")

    @property
    def actions(self) -> tuple[str, ...]:
        return ("wait", "left", "right")

    @property
    def draws(self) -> int:
        return 5

    @property
    def conditions(self) -> int:
        return 8

    @property
    def condition_names(self) -> tuple[str, ...]:
        sides = ("left", "right")
        told = itertools.product(sides, sides, ("motion", "colour"))
        return tuple(f"{context}: motion {motion}, colour {colour}" for colour, motion, context in told)

    @property
    def limit(self) -> int:
        return self.length + 1

    def reset(self, noise: Float[Array, " draws"], level: Int[Array, ""] | int | None = None):
        del level
        state = TrialState(jnp.zeros((), jnp.int32), pick(noise[0], 8))
        return state, time_step(self._seen(state, noise))

    def step(
        self,
        state: TrialState,
        action: Int[Array, ""] | int,
        noise: Float[Array, " draws"],
        level: Int[Array, ""] | int | None = None,
    ) -> tuple[TrialState, TimeStep]:
        action = jnp.asarray(action, jnp.int32)
        context, motion, colour = _bits(state.condition)
        due = state.step == self.length
        right = jnp.where(context == 0, motion, colour) == 1
        correct = due & (action == jnp.where(right, 2, 1))
        done = due | (action != 0)
        fresh, _ = self.reset(noise, level)
        new = TrialState(jnp.where(done, 0, state.step + 1), jnp.where(done, fresh.condition, state.condition))
        after = time_step(self._seen(new, noise), jnp.where(correct, 1.0, 0.0), done, None, state.condition, correct)
        return new, after

    def _seen(self, state: TrialState, noise: Array) -> Array:
        context, motion, colour = _bits(state.condition)
        go = state.step == self.length
        # Two normal numbers from two uniform ones (Box and Muller).
        radius = jnp.sqrt(-2 * jnp.log(jnp.maximum(noise[1], 1e-12)))
        normal = radius * jnp.stack([jnp.cos(2 * jnp.pi * noise[2]), jnp.sin(2 * jnp.pi * noise[2])])
        signs = 2.0 * jnp.stack([motion, colour]).astype(noise.dtype) - 1
        streams = jnp.where(go, 0.0, self.coherence * signs + self.noise * normal)
        return jnp.concatenate([flags(context == 0, context == 1), streams, flags(go)])


def _bits(number: Int[Array, ""]) -> tuple[Array, Array, Array]:
    return number % 2, number // 2 % 2, number // 4 % 2
