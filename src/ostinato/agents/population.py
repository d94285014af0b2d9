"""Many agents on one task in one compiled loop: their steps, what is counted of their trials, who has learned it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ostinato.agents.base import Learner, Signal
from ostinato.environments import Environment, TimeStep
from ostinato.errors import SettingsError
from ostinato.kernels import trailing_map

LARGEST = 1e3
"""A network with a larger value than this is unstable, and stopped."""


@dataclass(frozen=True)
class Criterion:
    """When a network has learned a task.

    More than `share` of the last `windows[level]` trials of each condition are right; then, where `examine` is set and
    the task can be examined, every condition is solved once in a row without learning and exploration. The last entry
    of `windows` holds for all further levels.
    """

    share: float = 0.85
    windows: tuple[int, ...] = (100,)
    examine: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise SettingsError(f"share: expected 0 to less than 1, got {self.share}")
        if not self.windows or min(self.windows) < 1:
            raise SettingsError(f"windows: expected 1 trial or more, got {self.windows}")


class Student(NamedTuple):
    """One network, its task, and its record: the last trials of each condition, right or not, in a ring."""

    carry: Any
    state: Any
    feedback: TimeStep
    ring: Bool[Array, "conditions window"]
    counts: Int[Array, " conditions"]
    right: Int[Array, " conditions"]
    trials: Int[Array, ""]
    level: Int[Array, ""]
    learned: Int[Array, ""]
    unstable: Bool[Array, ""]


class Population(eqx.Module):
    """The compiled work on a population: `begin`, and `advance` by so many blocks of `steps` steps.

    Every number that a network draws is a function of (key, network, block), so that populations of any size, on any
    number of devices, and resumed runs are the same runs. `learned` is the number of trials after which a network met
    the criterion, looked at after each block; from then on nothing of it changes.
    """

    learner: Learner
    env: Environment
    criterion: Criterion = eqx.field(static=True)
    trials: int = eqx.field(static=True)
    steps: int = eqx.field(static=True, default=32)

    def __check_init__(self) -> None:
        if min(self.criterion.windows) < self.steps:
            raise SettingsError(f"windows: expected at least the {self.steps} steps of a block")
        if self.trials < 1:
            raise SettingsError(f"trials: expected 1 or more, got {self.trials}")
        if (self.learner.observation_size, self.learner.action_size) != (
            self.env.observation_size,
            self.env.action_size,
        ):
            raise SettingsError(
                f"learner: expected {self.env.observation_size} inputs and {self.env.action_size} actions as the task "
                f"has, got {self.learner.observation_size} and {self.learner.action_size}"
            )

    @property
    def windows(self) -> tuple[int, ...]:
        """The window of each level."""
        given = self.criterion.windows
        return tuple(given[min(level, len(given) - 1)] for level in range(self.env.levels))

    def begin(self, key: PRNGKeyArray, networks: int) -> Student:
        """Networks 0, 1, 2, ... before their first step."""
        keys = jax.vmap(lambda n: jr.fold_in(key, n))(jnp.arange(networks, dtype=jnp.uint32))
        return jax.vmap(self._begin)(keys)

    def _begin(self, key: PRNGKeyArray) -> Student:
        k_network, k_task = jr.split(key)
        level = jnp.zeros((), jnp.int32)
        state, feedback = self.env.reset(jr.uniform(k_task, (self.env.draws,)), level)
        conditions = self.env.conditions
        return Student(
            self.learner.init(k_network),
            state,
            feedback,
            jnp.zeros((conditions, max(self.windows)), bool),
            jnp.zeros(conditions, jnp.int32),
            jnp.zeros(conditions, jnp.int32),
            jnp.zeros((), jnp.int32),
            level,
            jnp.full((), -1, jnp.int32),
            jnp.zeros((), bool),
        )

    def advance(self, devices: int = 1) -> Callable[[Student, PRNGKeyArray, Any, int], tuple[Student, Array]]:
        """`(students, share) = run(students, key, first, blocks)`, networks shared out over the devices.

        `share` `(blocks, networks)` is the part of the trials of each block that was right, NaN where none ended.
        """

        def work(students: Student, numbers: Array, key: PRNGKeyArray, first: Array, blocks: int) -> Any:
            def one(students: Student, block: Array) -> Any:
                return self._block(students, numbers, key, block)

            return jax.lax.scan(one, students, first + jnp.arange(blocks, dtype=jnp.int32))

        def run(students: Student, key: PRNGKeyArray, first: Array, blocks: int) -> Any:
            numbers = jnp.arange(students.trials.shape[0], dtype=jnp.uint32)
            if devices == 1:
                return work(students, numbers, key, first, blocks)
            mesh = Mesh(jax.devices()[:devices], ("networks",))
            rows, all_, second = PartitionSpec("networks"), PartitionSpec(), PartitionSpec(None, "networks")
            inner = jax.shard_map(
                lambda s, n, k, f: work(s, n, k, f, blocks),
                mesh=mesh,
                in_specs=(rows, rows, all_, all_),
                out_specs=(rows, second),
                check_vma=False,
            )
            return inner(students, numbers, key, first)

        return jax.jit(run, static_argnums=3, donate_argnums=0)

    def active(self, students: Student) -> Bool[Array, " networks"]:
        """Which networks are still learning."""
        return (students.learned < 0) & ~students.unstable & (students.trials < self.trials)

    def _block(self, students: Student, numbers: Array, key: PRNGKeyArray, block: Array) -> tuple[Student, Array]:
        learner, env, size = self.learner, self.env, self.steps
        keys = jax.vmap(lambda n: jr.fold_in(jr.fold_in(key, n), block))(numbers)
        noise = jax.vmap(lambda k: jr.uniform(k, (size, 2 + env.draws)))(keys)
        level = students.level

        def one(moving: Any, drawn: Array) -> Any:
            carry, state, seen = moving
            carry, action, experience = trailing_map(learner.step)(carry, signal_of(seen), drawn[:2])
            state, seen = trailing_map(env.step)(state, action, drawn[2:], level)
            return (carry, state, seen), ((seen.judged, seen.condition, seen.correct), experience)

        begin = last((students.carry, students.state, students.feedback))
        moving, (answers, experience) = jax.lax.scan(one, begin, jnp.moveaxis(noise, 0, -1))
        carry, state, seen = first(moving)
        carry = jax.vmap(learner.consolidate)(carry, jax.tree.map(lambda a: jnp.moveaxis(a, -1, 0), experience))
        new = students._replace(carry=carry, state=state, feedback=seen)
        new = jax.vmap(self._count)(new, *(jnp.moveaxis(a, -1, 0) for a in answers))
        new = self._judge(new)
        going = self.active(students)
        keep = lambda a, b: jnp.where(going.reshape(-1, *(1,) * (a.ndim - 1)), a, b)
        judged, right = (jnp.sum(a, axis=0) for a in (answers[0], answers[0] & answers[2]))
        share = jnp.where(going & (judged > 0), right / judged, jnp.nan)
        return jax.tree.map(keep, new, students), share

    def _count(self, student: Student, judged: Array, condition: Array, correct: Array) -> Student:
        """Enter the trials of a block into the ring."""
        window = jnp.asarray(self.windows, jnp.int32)[student.level]
        mine = judged[:, None] & (condition[:, None] == jnp.arange(self.env.conditions, dtype=jnp.int32)[None, :])
        before = jnp.cumsum(mine, axis=0, dtype=jnp.int32) - mine.astype(jnp.int32) + student.counts[None, :]
        where = jnp.take_along_axis(before, condition[:, None], axis=1)[:, 0] % window
        old = student.ring[condition, where] & judged
        row = jnp.where(judged, condition, self.env.conditions)
        ring = student.ring.at[row, where].set(correct, mode="drop")
        change = (correct & judged).astype(jnp.int32) - old.astype(jnp.int32)
        right = student.right + jnp.sum(jnp.where(mine, change[:, None], 0), axis=0)
        counts = student.counts + jnp.sum(mine, axis=0, dtype=jnp.int32)
        trials = student.trials + jnp.sum(judged, dtype=jnp.int32)
        q = self.learner.values(student.carry)
        unstable = student.unstable | ~jnp.all(jnp.abs(q) <= LARGEST)
        return student._replace(ring=ring, right=right, counts=counts, trials=trials, unstable=unstable)

    def _judge(self, students: Student) -> Student:
        """Who goes up a level, who has learned the task."""
        window = jnp.asarray(self.windows, jnp.int32)[students.level]
        met = jnp.all(
            students.right.astype(float) > self.criterion.share * window[:, None].astype(float), axis=1
        ) & self.active(students)
        top = students.level == self.env.levels - 1
        candidate = met & top
        if self.criterion.examine and self.env.examined:
            nobody = lambda s: jnp.zeros_like(candidate)
            passed = jax.lax.cond(jnp.any(candidate), jax.vmap(self.examine), nobody, students)
            candidate &= passed
        up = met & ~top
        clear = lambda a: jnp.where(up.reshape(-1, *(1,) * (a.ndim - 1)), jnp.zeros_like(a), a)
        return students._replace(
            level=students.level + up.astype(jnp.int32),
            ring=clear(students.ring),
            right=clear(students.right),
            counts=clear(students.counts),
            learned=jnp.where(candidate, students.trials, students.learned),
        )

    def examine(self, student: Student) -> Bool[Array, ""]:
        """Whether every condition is solved once, one after the other, without learning and exploration.

        Each begins a trial of its own; the memory of the network goes on.
        """
        count = self.env.conditions

        def noise(condition: Array) -> Float[Array, " draws"]:
            middle = (condition.astype(jnp.result_type(float)) + 0.5) / count
            return jnp.full(self.env.draws, middle)

        def one(at: Any, _: None) -> tuple[Any, None]:
            carry, state, seen, condition, solved = at
            carry, action = self.learner.greedy(carry, signal_of(seen))
            after = self.env.step(state, action, noise(condition), student.level)
            following = condition + seen.done.astype(jnp.int32)
            again = self.env.reset(noise(following), student.level)
            state, new = jax.tree.map(lambda a, b: jnp.where(seen.done, a, b), again, after)
            solved = solved & (~seen.done | seen.correct | (condition >= count))
            return (carry, state, new, following, solved), None

        zero = jnp.zeros((), jnp.int32)
        state, seen = self.env.reset(noise(zero), student.level)
        begin = (student.carry, state, seen, zero, jnp.ones((), bool))
        (_, _, _, ended, solved), _ = jax.lax.scan(one, begin, None, length=count * (self.env.limit + 1))
        return solved & (ended >= count)


def signal_of(feedback: TimeStep) -> Signal:
    """The part of the feedback that a learner is told."""
    return Signal(feedback.observation, feedback.reward, feedback.done)


def last(tree: Any) -> Any:
    """The axis of the networks at the end, where the compiled loop over steps is fastest."""
    return jax.tree.map(lambda a: jnp.moveaxis(a, 0, -1), tree)


def first(tree: Any) -> Any:
    """The axis of the networks at the beginning."""
    return jax.tree.map(lambda a: jnp.moveaxis(a, -1, 0), tree)
