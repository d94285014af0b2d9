"""Endless streams with an answer at each symbol: 12-AX, and the three-bit flip-flop."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ostinato.environments.base import Environment, TimeStep, flags, pick, time_step
from ostinato.errors import SettingsError
from ostinato.tasks.base import at_least


class AXState(NamedTuple):
    """The last digit, the letter before, the symbol that is shown, and how many letters are left of the outer loop."""

    digit: Int[Array, ""]
    before: Int[Array, ""]
    symbol: Int[Array, ""]
    left: Int[Array, ""]


class TwelveAX(Environment):
    r"""After a 1, answer right (1) to X that follows A; after a 2, to Y that follows B; else left (0) (O'Reilly 2006).

    An outer loop is a digit and one to four pairs of a letter of A, B, C and one of X, Y, Z. Four in nine pairs are the
    target pair of that loop. Each right answer has reward 1, each wrong one -1; a trial ends with the outer loop.
    The conditions: an answer to a symbol that is no target (0) or is one (1).

    ```python
    >>> TwelveAX().inputs
    ('1', '2', 'A', 'B', 'C', 'X', 'Y', 'Z')

    ```
    """

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("1", "2", "A", "B", "C", "X", "Y", "Z")

    @property
    def actions(self) -> tuple[str, ...]:
        return ("left", "right")

    @property
    def draws(self) -> int:
        return 3

    @property
    def conditions(self) -> int:
        return 2

    @property
    def condition_names(self) -> tuple[str, ...]:
        return ("no target", "target")

    @property
    def limit(self) -> int:
        return 9

    def reset(self, noise: Float[Array, " draws"], level: Int[Array, ""] | int | None = None):
        del level
        digit = pick(noise[0], 2)
        state = AXState(digit, digit, digit, 2 * (1 + pick(noise[1], 4)))
        return state, time_step(self._seen(state))

    def step(
        self,
        state: AXState,
        action: Int[Array, ""] | int,
        noise: Float[Array, " draws"],
        level: Int[Array, ""] | int | None = None,
    ) -> tuple[AXState, TimeStep]:
        digit, before, symbol, left = state
        target = (before == 2 + digit) & (symbol == 5 + digit)
        correct = (jnp.asarray(action, jnp.int32) == 1) == target
        done = left == 0
        fresh, _ = self.reset(noise, level)
        # Half of the pairs are the target: the first letter draws it, the second one follows where the first was right.
        first = left % 2 == 0
        half = noise[2] < 0.5
        letter = jnp.where(half, 2 + digit, 2 + pick(noise[0], 3))
        follows = half & (symbol == 2 + digit)
        second = jnp.where(follows, 5 + digit, 5 + pick(noise[0], 3))
        going = AXState(digit, symbol, jnp.where(first, letter, second), left - 1)
        new = AXState(*(jnp.where(done, a, b) for a, b in zip(fresh, going, strict=True)))
        reward = jnp.where(correct, 1.0, -1.0)
        return new, time_step(self._seen(new), reward, done, True, target.astype(jnp.int32), correct)

    def _seen(self, state: AXState) -> Array:
        return (jnp.arange(8, dtype=jnp.int32) == state.symbol).astype(jnp.result_type(float))


class FlipFlopState(NamedTuple):
    """The bits as one number, and the step."""

    bits: Int[Array, ""]
    step: Int[Array, ""]


class FlipFlop(Environment):
    r"""Three channels of rare pulses: which way the last one on each of them went (Sussillo and Barak 2013).

    The answer is one of eight actions: bit i is set where the last pulse on channel i went up. Reward 1 where it is
    right. `pulse`: probability of one on a channel in a step; `length`: steps of a trial.

    ```python
    >>> env = FlipFlop()
    >>> env.observation_size, env.action_size
    (3, 8)

    ```
    """

    pulse: float = eqx.field(static=True, default=0.1)
    length: int = eqx.field(static=True, default=50)

    def __check_init__(self) -> None:
        at_least(self.length, 1, "length")
        if not 0 < self.pulse <= 1:
            raise SettingsError(f"pulse: expected more than 0 and at most 1, got {self.pulse}")

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("channel 0", "channel 1", "channel 2")

    @property
    def actions(self) -> tuple[str, ...]:
        return tuple(f"{n:03b}"[::-1] for n in range(8))

    @property
    def draws(self) -> int:
        return 3

    @property
    def limit(self) -> int:
        return self.length

    def reset(self, noise: Float[Array, " draws"], level: Int[Array, ""] | int | None = None):
        del level
        # In the first step every channel has a pulse.
        up = noise < 0.5
        state = FlipFlopState(_number(up), jnp.zeros((), jnp.int32))
        return state, time_step(jnp.where(up, 1.0, -1.0))

    def step(
        self,
        state: FlipFlopState,
        action: Int[Array, ""] | int,
        noise: Float[Array, " draws"],
        level: Int[Array, ""] | int | None = None,
    ) -> tuple[FlipFlopState, TimeStep]:
        correct = jnp.asarray(action, jnp.int32) == state.bits
        done = state.step == self.length - 1
        fresh, start = self.reset(noise, level)
        up, down = noise < self.pulse / 2, noise > 1 - self.pulse / 2
        before = (state.bits // jnp.asarray([1, 2, 4], jnp.int32)) % 2 == 1
        bits = _number(up | (before & ~down))
        seen = flags(*(jnp.where(up[i], 1.0, jnp.where(down[i], -1.0, 0.0)) for i in range(3)))
        new = FlipFlopState(jnp.where(done, fresh.bits, bits), jnp.where(done, 0, state.step + 1))
        seen = jnp.where(done, start.observation, seen)
        return new, time_step(seen, jnp.where(correct, 1.0, 0.0), done, True, 0, correct)


def _number(bits: Array) -> Array:
    return jnp.sum(bits.astype(jnp.int32) * jnp.asarray([1, 2, 4], jnp.int32))
