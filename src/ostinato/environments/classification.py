"""Probabilistic classification of shapes (after Yang and Shadlen 2007), in the form that AuGMEnT was tested on."""

from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ostinato.environments.base import Environment, TimeStep, flags, pick, time_step
from ostinato.errors import SettingsError

BETWEEN, WAIT, FIXATE, SHAPES, GO = range(5)
WEIGHTS = (jnp.inf, 0.9, 0.7, 0.5, 0.3, -0.3, -0.5, -0.7, -0.9, -jnp.inf)
"""Decimal logarithm of the odds for red that each of the ten shapes adds."""

SETS = ((0, 9), (0, 4, 5, 9), (0, 3, 4, 5, 6, 9), (0, 2, 3, 4, 5, 6, 7, 9), tuple(range(10)))
LEVELS = (*((s, 1) for s in SETS), (SETS[4], 2), (SETS[4], 3), (SETS[4], 4))
"""Shapes in use and how many are shown, level by level."""

WINDOWS = (1000, 1500, 2000, 2500, 3000, 10000, 10000, 20000)
"""Trials over which 85 % of the choices are to be the better one, level by level."""

PLACES, DELAY, WAITED, RESPOND = 4, 2, 9, 7


class ClassificationState(NamedTuple):
    """The phase and the steps in it; the trial: side of red, shapes and places, how many, which side pays."""

    phase: Int[Array, ""]
    ticks: Int[Array, ""]
    red_right: Bool[Array, ""]
    shapes: Int[Array, " places"]
    places: Int[Array, " places"]
    shown: Int[Array, ""]
    odds: Float[Array, ""]
    pays_red: Bool[Array, ""]


class Classification(Environment):
    r"""Up to four shapes come one after the other; their weights add up to the odds that red, not green, is rewarded.

    $$P(\mathrm{red}) = \frac{10^w}{1 + 10^w},\qquad w = \sum_i w_i$$

    Fixate, see the shapes appear (each stays), wait two steps more, and when everything is gone look to the colour that
    is likelier. Reward `shaping` for fixation and `reward` for the colour that pays in this trial; a choice is judged
    right where it is the likelier one. Eight `levels` of difficulty, after which the weights of all ten shapes have to
    be added.

    Inputs (45): fixation point, red and green on the left and right, ten shapes at each of four places.

    ```python
    >>> env = Classification()
    >>> env.observation_size, env.levels, env.draws
    (45, 8, 10)

    ```
    """

    blank: ClassVar[bool] = True

    shaping: float = eqx.field(static=True, default=0.2)
    reward: float = eqx.field(static=True, default=1.5)

    def __check_init__(self) -> None:
        if not (jnp.isfinite(self.shaping) and jnp.isfinite(self.reward)):
            raise SettingsError(f"shaping, reward: expected finite numbers, got {self.shaping} and {self.reward}")

    @property
    def inputs(self) -> tuple[str, ...]:
        targets = ("green left", "red right", "red left", "green right")
        return ("fixation", *targets, *(f"shape {s} at {p}" for p in range(PLACES) for s in range(10)))

    @property
    def actions(self) -> tuple[str, ...]:
        return ("fixate", "left", "right")

    @property
    def draws(self) -> int:
        return 2 + 2 * PLACES

    @property
    def levels(self) -> int:
        return len(LEVELS)

    @property
    def limit(self) -> int:
        return 2 + WAITED + 1 + 2 + PLACES + DELAY + RESPOND + 1

    def reset(self, noise: Float[Array, " draws"], level: Int[Array, ""] | int | None = None):
        zero = jnp.zeros((), jnp.int32)
        state = self._drawn(noise, self.level_of(level), zero, zero)
        return state, self._seen(state, 0.0, False, False)

    def step(
        self,
        state: ClassificationState,
        action: Int[Array, ""] | int,
        noise: Float[Array, " draws"],
        level: Int[Array, ""] | int | None = None,
    ) -> tuple[ClassificationState, TimeStep]:
        phase, ticks = state.phase, state.ticks
        action = jnp.asarray(action, jnp.int32)
        fixated = action == 0
        begins = (phase == BETWEEN) & (ticks == 1)
        # Left is 1 and right 2.
        red = (action == 2) == state.red_right
        answered = (phase == GO) & (ticks < RESPOND) & ~fixated
        right = answered & ((state.odds == 0) | (red == (state.odds > 0)))
        paid = answered & (red == state.pays_red)
        away = ((phase == FIXATE) | (phase == SHAPES)) & ~fixated
        late = ((phase == WAIT) & (ticks >= WAITED)) | ((phase == GO) & (ticks >= RESPOND))
        done = away | late | answered
        held = (phase == FIXATE) & fixated
        waited = (phase == SHAPES) & fixated & (ticks == state.shown + DELAY - 1)
        onwards = begins | ((phase == WAIT) & fixated & ~late) | held | waited
        reward = jnp.where(held, self.shaping, 0.0) + jnp.where(paid, self.reward, 0.0)
        phase = jnp.where(done, BETWEEN, jnp.where(onwards, phase + 1, phase))
        ticks = jnp.where(done | onwards, 0, ticks + 1)
        fresh = self._drawn(noise, self.level_of(level), phase, ticks)
        kept = state._replace(phase=phase, ticks=ticks)
        new = ClassificationState(*(jnp.where(begins, a, b) for a, b in zip(fresh, kept, strict=True)))
        return new, self._seen(new, reward, done, right)

    def _drawn(self, noise: Array, level: Array, phase: Array, ticks: Array) -> ClassificationState:
        """A new trial from ten uniform numbers."""
        sets = jnp.asarray([list(s) + [0] * (10 - len(s)) for s, _ in LEVELS], jnp.int32)[level]
        sizes = jnp.asarray([len(s) for s, _ in LEVELS], jnp.int32)[level]
        shown = jnp.asarray([n for _, n in LEVELS], jnp.int32)[level]
        which = jnp.minimum((noise[1 : 1 + PLACES] * sizes.astype(noise.dtype)).astype(jnp.int32), sizes - 1)
        shapes = sets[which]
        places = jnp.argsort(noise[1 + PLACES : 1 + 2 * PLACES]).astype(jnp.int32)
        used = jnp.arange(PLACES, dtype=jnp.int32) < shown
        # Beyond 5 the weights of single shapes cannot make up for it: such a shape decides alone.
        finite = [min(max(w, -99.0), 99.0) for w in WEIGHTS]
        odds = jnp.sum(jnp.where(used, jnp.asarray(finite, noise.dtype)[shapes], 0.0))
        # The sum of tenths is exact only up to rounding.
        odds = jnp.round(odds * 10) / 10
        likely = 1 / (1 + 10.0 ** -jnp.clip(odds, -30, 30))
        likely = jnp.where(odds > 5, 1.0, jnp.where(odds < -5, 0.0, likely))
        pays_red = noise[1 + 2 * PLACES] < likely
        return ClassificationState(phase, ticks, pick(noise[0], 2) == 1, shapes, places, shown, odds, pays_red)

    def _seen(self, state: ClassificationState, reward: Array | float, done: Array | bool, right: Array | bool):
        phase, ticks = state.phase, state.ticks
        lit = (phase == WAIT) | (phase == FIXATE) | (phase == SHAPES)
        sides = [lit, lit & state.red_right, lit & state.red_right, lit & ~state.red_right, lit & ~state.red_right]
        order = jnp.arange(PLACES, dtype=jnp.int32)
        there = (phase == SHAPES) & (order <= ticks) & (ticks < state.shown) & (order < state.shown)
        hot = (
            jnp.arange(10 * PLACES, dtype=jnp.int32)[None, :] == (state.places * 10 + state.shapes)[:, None]
        ) & there[:, None]
        seen = jnp.concatenate([flags(*sides), jnp.any(hot, axis=0).astype(jnp.result_type(float))])
        return time_step(seen, reward, done, None, 0, right)
