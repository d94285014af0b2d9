"""Learners in any world with Gymnasium's interface, neurogym's among them: they are asked, never imported."""

from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ostinato.agents.base import Learner, Signal
from ostinato.data import stream
from ostinato.errors import NonFiniteError, SettingsError, ShapeError


@runtime_checkable
class World(Protocol):
    """What is asked of a world: `reset() -> (observation, info)` and `step(action) -> (observation, reward, ...)`."""

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]: ...

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]: ...


class Actor:
    """A learner at work in a world, one step at a time.

    `actor.act(observation, reward, done)` gives an action; with `learning` it learns from each reward and explores,
    else it is greedy. A trial ends where `terminated` or `truncated` says so, or `info["new_trial"]`, as in neurogym.

    Raises `ShapeError` for an observation of another size, `NonFiniteError` for one, or a reward, that is not finite.
    """

    def __init__(self, learner: Learner, carry: Any = None, *, learning: bool = False, seed: int = 0):
        self.learner, self.learning, self.seed = learner, learning, seed
        self.carry = learner.init(stream(seed, "actor")) if carry is None else carry
        self.steps = 0
        self._learn, self._greedy = eqx.filter_jit(learner.step), eqx.filter_jit(learner.greedy)

    def act(self, observation: Any, reward: float = 0.0, done: bool = False) -> int:
        """The next action, after what the last one brought."""
        seen = np.asarray(observation, float)
        if seen.shape != (self.learner.observation_size,):
            raise ShapeError(f"observation: expected ({self.learner.observation_size},), got {seen.shape}")
        if not np.isfinite(seen).all() or not np.isfinite(reward):
            raise NonFiniteError(f"observation and reward: expected finite numbers, got {seen.tolist()} and {reward}")
        dtype = jnp.result_type(float)
        signal = Signal(jnp.asarray(seen, dtype), jnp.asarray(reward, dtype), jnp.asarray(done, bool))
        if self.learning:
            noise = jax.random.uniform(stream(self.seed, "actor noise", self.steps), (2,))
            self.carry, action, _ = self._learn(self.carry, signal, noise)
        else:
            self.carry, action = self._greedy(self.carry, signal)
        self.steps += 1
        return int(action)

    def live(self, world: World, steps: int) -> dict[str, np.ndarray]:
        """Act for so many steps: the arrays `action`, `reward`, `done`. Learners that need stretches are refused."""
        if self.learning and type(self.learner).consolidate is not Learner.consolidate:
            raise SettingsError(f"{type(self.learner).__name__}: learns from stretches of steps; use train_agents")
        (seen, _), reward, done = world.reset(), 0.0, False
        rows = []
        for _ in range(steps):
            action = self.act(seen, reward, done)
            seen, reward, terminated, truncated, info = world.step(action)
            reward, over = float(reward), bool(terminated or truncated)
            done = over or bool(info.get("new_trial", False))
            rows.append((action, reward, done))
            if over:
                # The last sight of a trial is learned from before the next one begins.
                self.act(seen, reward, True)
                (seen, _), reward, done = world.reset(), 0.0, False
        return {
            name: np.asarray(column)
            for name, column in zip(("action", "reward", "done"), zip(*rows, strict=True), strict=True)
        }
