"""Tasks as Gymnasium environments (extra `gym`)."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ostinato.environments.base import Environment, TimeStep
from ostinato.errors import DataError, SettingsError

try:
    import gymnasium
except ImportError as error:
    raise DataError("Gymnasium environments need the extra `gym`: pip install 'ostinato[gym]'") from error


class GymTask(gymnasium.Env[np.ndarray, np.int64]):
    """A task behind Gymnasium's interface; an episode is a trial.

    `info` has `judged`, `correct` and `condition` of the step.

    Raises `SettingsError` for an action outside the set.

    ```python
    >>> from ostinato.environments import Antisaccade
    >>> env = GymTask(Antisaccade())
    >>> observation, info = env.reset(seed=0)
    >>> observation, reward, terminated, truncated, info = env.step(0)
    >>> observation.shape, reward, terminated
    ((4,), 0.0, False)

    ```
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - Gymnasium's own form

    def __init__(self, task: Environment, level: int | None = None):
        self.task = task
        self.action_space = gymnasium.spaces.Discrete(task.action_size)
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (task.observation_size,), np.float32)
        self._level = task.levels - 1 if level is None else level
        self._begin = jax.jit(lambda noise: task.reset(noise, self._level))
        self._step = jax.jit(lambda state, action, noise: task.step(state, action, noise, self._level))
        self._state: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed, options=options)
        self._state, seen = self._begin(self._noise())
        return _observed(seen), _told(seen)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        if not self.action_space.contains(action):
            raise SettingsError(f"action: expected 0 to {self.task.action_size - 1}, got {action!r}")
        if self._state is None:
            raise SettingsError("step: expected a call of reset before it")
        self._state, seen = self._step(self._state, jnp.asarray(action, jnp.int32), self._noise())
        return _observed(seen), float(seen.reward), bool(seen.done), False, _told(seen)

    def _noise(self) -> Any:
        return jnp.asarray(self.np_random.random(self.task.draws), jnp.result_type(float))


def _observed(seen: TimeStep) -> np.ndarray:
    return np.asarray(seen.observation, np.float32)


def _told(seen: TimeStep) -> dict[str, Any]:
    return {"judged": bool(seen.judged), "correct": bool(seen.correct), "condition": int(seen.condition)}
