"""Trained agents at work: trials without learning and exploration, with everything inside recorded."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ostinato.agents.base import Learner
from ostinato.agents.population import Student, signal_of
from ostinato.data import stream
from ostinato.environments import Environment


def play(learner: Learner, env: Environment, students: Student, steps: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Let a population act greedily, with its weights held still, each on trials of its own; from a fresh trial on.

    Gives arrays `(networks, steps, ...)`: `observation`, `action`, `q`, `reward`, `done`, `judged`, `condition` and
    `correct` (of the answer to that action), the fields of the state, such as `h`, and the cell's internals, such as
    `gate`. The condition stands at every step of its trial where the task's state holds it (`condition_now`).
    """
    found = _play(learner, env, students, stream(seed, "play"), steps)
    return {name: np.asarray(values) for name, values in found.items()}


def _play(learner: Learner, env: Environment, students: Student, key: Any, steps: int) -> dict[str, Any]:
    numbers = jnp.arange(students.trials.shape[0], dtype=jnp.uint32)

    @jax.jit
    def run(students: Student) -> dict[str, Any]:
        return jax.vmap(one)(students, numbers)

    def one(student: Student, number: Any) -> dict[str, Any]:
        noise = jr.uniform(jr.fold_in(key, number), (steps + 1, env.draws))

        def step(at: Any, drawn: Any) -> Any:
            carry, state, seen = at
            network = carry.network
            before = carry.state
            cell = network.cell
            inside = cell.internals(seen.observation, before)
            carry, action = learner.greedy(carry, signal_of(seen))
            told = {
                "observation": seen.observation,
                "action": action,
                "q": learner.values(carry),
                **carry.state._asdict(),
                **inside,
            }
            if hasattr(state, "condition"):
                told["condition_now"], told["began"] = state.condition, seen.done
            state, seen = env.step(state, action, drawn, student.level)
            told |= {n: getattr(seen, n) for n in ("reward", "done", "judged", "condition", "correct")}
            return (carry, state, seen), told

        state, seen = env.reset(noise[0], student.level)
        return jax.lax.scan(step, (student.carry, state, seen), noise[1:])[1]

    return run(students)
