"""Two arms of which the better one changes: learning to learn in episodes (after Wang et al. 2018)."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ostinato.environments.base import Environment, TimeStep, flags, time_step
from ostinato.errors import SettingsError
from ostinato.tasks.base import at_least


class BanditState(NamedTuple):
    """The better arm and the trial in the episode."""

    good: Int[Array, ""]
    trial: Int[Array, ""]


class ReversalBandit(Environment):
    r"""One choice a step between two arms that may change places when an episode begins.

    The better arm pays with probability p, the other with 1 - p.

    What is seen: the reward and the choice of the step before, and with `cue` that an episode begins. With the weights
    held still, nothing but the memory of these can tell the better arm.

    * `trials`: in an episode; `probability`: p; `reversal`: probability of a change at its start.
    * `sees_reward`: False takes the reward out of the inputs, after which nobody can do better than chance.

    The condition of a choice is its trial in the episode.

    ```python
    >>> import jax.numpy as jnp
    >>> env = ReversalBandit(trials=2)
    >>> state, seen = env.reset(jnp.array([0.2, 0.5]))
    >>> state, seen = env.step(state, state.good, jnp.array([0.2, 0.5]))
    >>> float(seen.reward), bool(seen.correct), bool(seen.done)
    (1.0, True, False)

    ```
    """

    trials: int = eqx.field(static=True, default=10)
    probability: float = eqx.field(static=True, default=0.9)
    reversal: float = eqx.field(static=True, default=0.5)
    cue: bool = eqx.field(static=True, default=True)
    sees_reward: bool = eqx.field(static=True, default=True)

    def __check_init__(self) -> None:
        at_least(self.trials, 1, "trials")
        for name in ("probability", "reversal"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name}: expected 0 to 1, got {getattr(self, name)}")

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("reward", "chose 0", "chose 1", "episode")

    @property
    def actions(self) -> tuple[str, ...]:
        return ("arm 0", "arm 1")

    @property
    def draws(self) -> int:
        return 2

    @property
    def conditions(self) -> int:
        return self.trials

    @property
    def condition_names(self) -> tuple[str, ...]:
        return tuple(f"trial {number} of the episode" for number in range(self.trials))

    @property
    def limit(self) -> int:
        return self.trials

    def reset(self, noise: Float[Array, " draws"], level: Int[Array, ""] | int | None = None):
        del level
        state = BanditState((noise[0] < 0.5).astype(jnp.int32), jnp.zeros((), jnp.int32))
        return state, time_step(flags(False, False, False, self.cue), 0.0)

    def step(
        self,
        state: BanditState,
        action: Int[Array, ""] | int,
        noise: Float[Array, " draws"],
        level: Int[Array, ""] | int | None = None,
    ) -> tuple[BanditState, TimeStep]:
        del level
        action = jnp.asarray(action, jnp.int32)
        correct = action == state.good
        paid = noise[1] < jnp.where(correct, self.probability, 1 - self.probability)
        done = state.trial == self.trials - 1
        good = jnp.where(done & (noise[0] < self.reversal), 1 - state.good, state.good)
        seen = flags(paid & self.sees_reward, action == 0, action == 1, done & self.cue)
        trial = jnp.where(done, 0, state.trial + 1)
        reward = paid.astype(seen.dtype)
        return BanditState(good, trial), time_step(seen, reward, done, True, state.trial, correct)
