"""Delayed pro- and anti-saccades (after Gottlieb and Goldberg 1999), to the tick as AuGMEnT was given them."""

import math
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ostinato.environments.base import Environment, TimeStep, flags, pick, time_step
from ostinato.errors import SettingsError
from ostinato.tasks.base import at_least

BETWEEN, WAIT, FIXATE, MEMORY, GO = range(5)
WAITED, RESPOND = 11, 9
"""Calls that are borne without fixation before a trial begins, and with it after the go signal."""


class SaccadeState(NamedTuple):
    """The phase of a trial, the steps in it so far, and the kind of trial."""

    phase: Int[Array, ""]
    ticks: Int[Array, ""]
    condition: Int[Array, ""]


class Antisaccade(Environment):
    r"""Look where the cue was, or to the other side, as the colour of the fixation point said, once it is gone.

    | phase | seen | goes on when |
    | --- | --- | --- |
    | between | nothing | `interval + 1` steps are over |
    | wait | fixation point (pro or anti) | fixated; the 12th step without it ends the trial |
    | fixate | the same | fixated once more: reward `shaping` |
    | memory | the same, with the cue in the first step | fixated for `delay + 1` steps |
    | go | nothing | left or right: reward `reward` where it is right; the 10th step without it ends the trial |

    Looking away in the phases fixate and memory ends the trial without reward. The four conditions: pro left, pro
    right, anti left, anti right, named by the side of the cue.

    * `delay`: steps between the cue and go; at least 1. `curriculum`: delays grow from a fifth of it, doubling.
    * `end_signal`: one more input that is on in the step in which a trial has ended.

    ```python
    >>> import jax.numpy as jnp
    >>> env = Antisaccade(delay=2)
    >>> state, seen = env.reset(jnp.array([0.1]))
    >>> state, seen = env.step(state, 0, jnp.array([0.6]))
    >>> dict(zip(env.inputs, seen.observation.tolist()))
    {'pro': 0.0, 'anti': 1.0, 'left': 0.0, 'right': 0.0}

    ```
    """

    examined: ClassVar[bool] = True
    blank: ClassVar[bool] = True

    delay: int = eqx.field(static=True, default=2)
    interval: int = eqx.field(static=True, default=0)
    shaping: float = eqx.field(static=True, default=0.2)
    reward: float = eqx.field(static=True, default=1.5)
    end_signal: bool = eqx.field(static=True, default=False)
    curriculum: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        at_least(self.delay, 1, "delay")
        at_least(self.interval, 0, "interval")
        if not (math.isfinite(self.shaping) and math.isfinite(self.reward)):
            raise SettingsError(f"shaping, reward: expected finite numbers, got {self.shaping} and {self.reward}")

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("pro", "anti", "left", "right", *(("end",) if self.end_signal else ()))

    @property
    def actions(self) -> tuple[str, ...]:
        return ("fixate", "left", "right")

    @property
    def conditions(self) -> int:
        return 4

    @property
    def condition_names(self) -> tuple[str, ...]:
        return ("pro left", "pro right", "anti left", "anti right")

    @property
    def delays(self) -> tuple[int, ...]:
        """The delay of each level."""
        if not self.curriculum:
            return (self.delay,)
        found = [math.ceil(self.delay / 5)]
        while found[-1] < self.delay:
            found.append(min(2 * found[-1], self.delay))
        return tuple(found)

    @property
    def levels(self) -> int:
        return len(self.delays)

    @property
    def limit(self) -> int:
        return self.interval + 1 + WAITED + 1 + 1 + self.delay + 1 + RESPOND + 1

    def reset(self, noise: Float[Array, " draws"], level: Int[Array, ""] | int | None = None):
        del noise, level
        zero = jnp.zeros((), jnp.int32)
        return SaccadeState(zero, zero, zero), self._seen(zero, zero, zero, False, 0.0, False, zero)

    def step(
        self,
        state: SaccadeState,
        action: Int[Array, ""] | int,
        noise: Float[Array, " draws"],
        level: Int[Array, ""] | int | None = None,
    ) -> tuple[SaccadeState, TimeStep]:
        phase, ticks, condition = state
        delay = self.delay if self.levels == 1 else jnp.asarray(self.delays, jnp.int32)[self.level_of(level)]
        action = jnp.asarray(action, jnp.int32)
        fixated = action == 0
        begins = (phase == BETWEEN) & (ticks == self.interval)
        condition = jnp.where(begins, pick(noise[0], 4), condition)
        # Left is 1 and right 2; the cue is on the right in odd conditions, anti are the last two.
        target = 1 + (condition % 2 + condition // 2) % 2
        answered = (phase == GO) & (ticks < RESPOND) & ~fixated
        correct = answered & (action == target)
        away = ((phase == FIXATE) | (phase == MEMORY)) & ~fixated
        late = ((phase == WAIT) & (ticks >= WAITED)) | ((phase == GO) & (ticks >= RESPOND))
        done = away | late | answered
        held = (phase == FIXATE) & fixated
        onwards = begins | ((phase == WAIT) & fixated & ~late) | held | ((phase == MEMORY) & fixated & (ticks == delay))
        reward = jnp.where(held, self.shaping, 0.0) + jnp.where(correct, self.reward, 0.0)
        phase = jnp.where(done, BETWEEN, jnp.where(onwards, phase + 1, phase))
        ticks = jnp.where(done | onwards, 0, ticks + 1)
        new = SaccadeState(phase, ticks, condition)
        return new, self._seen(phase, ticks, condition, done, reward, correct, condition)

    def _seen(self, phase, ticks, condition, done, reward, correct, kind) -> TimeStep:
        point = (phase == WAIT) | (phase == FIXATE) | (phase == MEMORY)
        cue = (phase == MEMORY) & (ticks == 0)
        anti, right = condition >= 2, condition % 2 == 1
        seen = [point & ~anti, point & anti, cue & ~right, cue & right, *([done] if self.end_signal else [])]
        return time_step(flags(*seen), reward, done, None, kind, correct)
