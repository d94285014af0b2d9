"""Who has learned a task: the criterion and the examination, on agents whose answers are written down here."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.agents import Criterion, Population, train_agents
from ostinato.agents.base import Learner
from ostinato.environments import Antisaccade, DelayedMatch

ENV = DelayedMatch(delay=0)
CONDITIONS = 4


class Sample(NamedTuple):
    seen: jax.Array
    values: jax.Array


class Scripted(Learner):
    """Remembers the sample and answers right, but for the conditions in `wrong`."""

    observation_size: int = eqx.field(static=True, default=3)
    action_size: int = eqx.field(static=True, default=3)
    wrong: tuple[int, ...] = eqx.field(static=True, default=())

    def init(self, key):
        del key
        return Sample(jnp.zeros((), jnp.int32), jnp.zeros(3))

    def greedy(self, carry, signal):
        shown, test = jnp.argmax(signal.observation[:2]).astype(jnp.int32), signal.observation[2] > 0
        other = (shown != carry.seen).astype(jnp.int32)
        mistaken = jnp.any(jnp.asarray([*self.wrong, -1], jnp.int32) == carry.seen + 2 * other)
        answer = 1 + jnp.where(mistaken, 1 - other, other)
        return carry._replace(seen=shown), jnp.where(test, answer, 0).astype(jnp.int32)

    def step(self, carry, signal, noise):
        del noise
        return *self.greedy(carry, signal), None

    def values(self, carry):
        return carry.values


def judged(learner, right, criterion, **fields):
    """The record after a look, of networks with these numbers of right trials in each condition."""
    population = Population(learner, ENV, criterion, 1000)
    students = jax.jit(population.begin, static_argnums=1)(jax.random.key(0), len(right))
    trials = jnp.full(len(right), 200, jnp.int32)
    students = students._replace(right=jnp.asarray(right, jnp.int32), trials=trials, **fields)
    return np.asarray(jax.jit(population._judge)(students).learned)


def test_the_criterion_asks_for_more_than_its_share_in_every_condition():
    criterion = Criterion(0.75, (40,), examine=False)
    right = [[31, 31, 31, 31], [30, 40, 40, 40], [40, 40, 40, 30], [0, 0, 0, 0], [40, 40, 40, 40]]
    np.testing.assert_array_equal(judged(Scripted(), right, criterion), [200, -1, -1, -1, 200])
    unstable = jnp.asarray([True, False, False, False, False])
    np.testing.assert_array_equal(judged(Scripted(), right, criterion, unstable=unstable), [-1, -1, -1, -1, 200])


@pytest.mark.parametrize(("wrong", "passed"), [((), True), ((0,), False), ((3,), False), ((0, 1, 2, 3), False)])
def test_the_examination_lets_through_who_solves_every_condition(wrong, passed):
    everything = [[40] * CONDITIONS]
    found = judged(Scripted(wrong=wrong), everything, Criterion(0.75, (40,)))
    assert found == (200 if passed else -1)
    assert judged(Scripted(wrong=wrong), everything, Criterion(0.75, (40,), examine=False)) == 200


def test_learning_takes_as_many_trials_as_the_criterion_needs_and_ends_there():
    criterion = Criterion(0.9, (32,))
    done = train_agents(Scripted(), ENV, networks=2, trials=2000, criterion=criterion, blocks=4, devices=1)
    # 29 right trials in each of four conditions, looked at after every 16 of two steps.
    assert (done.learned >= CONDITIONS * 29).all()
    assert (done.learned % 16 == 0).all()
    assert (done.learned < 400).all()
    np.testing.assert_array_equal(done.trials, done.learned)
    first, last = sorted(done.learned)
    levels = {"p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9}
    quantiles = {name: pytest.approx(first + level * (last - first)) for name, level in levels.items()}
    assert done.summary() == {"networks": 2, "learned": 2, "share": 1, "unstable": 0, **quantiles}


def test_a_network_whose_values_grow_without_bound_is_stopped():
    population = Population(Scripted(), ENV, Criterion(), 1000)
    student = jax.tree.map(lambda a: a[0], population.begin(jax.random.key(0), 1))
    count, nothing = jax.jit(population._count), jnp.zeros(32, bool)
    for value, unstable in ((999.0, False), (-999.0, False), (2e3, True), (-2e3, True), (np.nan, True)):
        thinks = student._replace(carry=student.carry._replace(values=jnp.asarray([0.0, value, 0.0])))
        after = count(thinks, nothing, jnp.zeros(32, jnp.int32), nothing)
        assert bool(after.unstable) == unstable
        assert bool(population.active(jax.tree.map(lambda a: a[None], after))[0]) != unstable
        assert bool(count(after, nothing, jnp.zeros(32, jnp.int32), nothing).unstable) == unstable


def test_a_level_ends_with_an_empty_record_and_the_last_one_with_the_task():
    env = Antisaccade(delay=5, curriculum=True)
    assert env.levels == 4
    learner = Scripted(observation_size=4)
    population = Population(learner, env, Criterion(0.5, (40, 60), examine=False), 1000)
    assert population.windows == (40, 60, 60, 60)
    students = jax.jit(population.begin, static_argnums=1)(jax.random.key(0), 5)
    level, right = jnp.asarray([0, 0, 1, 2, 3], jnp.int32), jnp.asarray([21, 20, 30, 31, 31], jnp.int32)
    students = students._replace(
        level=level,
        right=jnp.repeat(right[:, None], 4, 1),
        trials=jnp.full(5, 90, jnp.int32),
        ring=jnp.ones_like(students.ring),
    )
    after = jax.tree.map(np.asarray, jax.jit(population._judge)(students))
    np.testing.assert_array_equal(after.level, [1, 0, 1, 3, 3])
    np.testing.assert_array_equal(after.learned, [-1, -1, -1, -1, 90])
    np.testing.assert_array_equal(after.right[:, 0], [0, 20, 30, 0, 31])
    np.testing.assert_array_equal(after.ring.any(axis=(1, 2)), [False, True, True, False, True])
