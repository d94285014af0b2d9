"""Populations: the ring of trials, devices, a stop and a resume, worlds with Gymnasium's interface."""

import os
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.agents import LEARNERS, Actor, Criterion, Population, play, train_agents
from ostinato.environments import Antisaccade, DelayedMatch, ReversalBandit
from ostinato.errors import Interrupted, NonFiniteError, SettingsError, ShapeError
from ostinato.runs import Run

ENV = DelayedMatch(delay=0)


def learner(env=ENV, name="augment", **options):
    if name == "augment":
        options = {"blank": env.blank, **options}
    return LEARNERS[name].make(env.observation_size, env.action_size, **options)


def leaves(students):
    return [np.asarray(a) for a in jax.tree.leaves(students)]


def test_learning_stops_resumes_and_is_shared_without_a_trace(tmp_path):
    """Six networks at once; the same on one device, on two, and stopped in the middle."""
    env = ReversalBandit(trials=2, probability=1.0, reversal=0.0)
    settings = {"networks": 6, "trials": 3000, "blocks": 4, "seed": 3}
    made = learner(env, epsilon=0.1)
    whole = train_agents(made, env, devices=1, **settings)
    assert whole.summary()["learned"] >= 3
    there = whole.learned[whole.learned >= 0]
    assert whole.summary()["median"] == np.median(there)
    assert (whole.trials >= whole.learned).all()
    shared = train_agents(made, env, devices=2, **settings)
    np.testing.assert_array_equal(shared.learned, whole.learned)
    assert len(shared.students.carry.network.V.sharding.device_set) == 2

    looks = []

    def stop(event):
        looks.append(event.step)
        if len(looks) == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    with Run(tmp_path / "run", {"a": 1}) as run, pytest.raises(Interrupted, match="SIGTERM: stopped after"):
        train_agents(made, env, devices=1, run=run, callback=stop, **settings)
    with Run(tmp_path / "run", {"a": 1}) as run:
        resumed = train_agents(made, env, devices=1, run=run, **settings)
    for a, b in zip(leaves(resumed.students), leaves(whole.students), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(resumed.curve, whole.curve, atol=1e-4)


def test_ring_counts_the_last_trials_of_each_condition():
    env = ReversalBandit(trials=3)
    population = Population(learner(env), env, Criterion(windows=(40,)), 10, steps=32)
    student = jax.tree.map(lambda a: a[0], population.begin(jax.random.key(0), 1))
    rng = np.random.default_rng(0)
    past = {c: [False] * 40 for c in range(3)}
    count = jax.jit(population._count)
    for _ in range(6):
        judged, condition, correct = rng.random(32) < 0.8, rng.integers(0, 3, 32), rng.random(32) < 0.6
        student = count(student, jnp.asarray(judged), jnp.asarray(condition, jnp.int32), jnp.asarray(correct))
        for c, right in zip(condition[judged], correct[judged], strict=True):
            past[c] = [*past[c], right][-40:]
        assert student.right.tolist() == [sum(past[c]) for c in range(3)]
    assert int(student.trials) > 120


def test_examination_finds_who_knows_the_task():
    """A network that has learned nothing is not let through."""
    env = Antisaccade()
    population = Population(learner(env), env, Criterion(), 10)
    student = jax.tree.map(lambda a: a[0], population.begin(jax.random.key(0), 1))
    assert not bool(jax.jit(population.examine)(student))


def test_reinforce_and_actor_critic_follow_their_reward():
    """An arm that always pays, and never changes: both prefer it soon."""
    env = ReversalBandit(trials=4, probability=1.0, reversal=0.0)
    for name in ("reinforce", "gru"):
        made = learner(env, name, hidden_size=4, learning_rate=0.02)
        never = Criterion(0.999, (2000,), examine=False)
        result = train_agents(made, env, networks=2, trials=1500, criterion=never, blocks=2, devices=1)
        assert np.nanmean(result.curve[0]) < 0.75
        assert np.nanmean(result.curve[-1]) > 0.9


def test_play_records_what_is_inside():
    env = ReversalBandit(trials=4)
    made = learner(env, "recollect")
    result = train_agents(made, env, networks=2, trials=32, blocks=1, devices=1)
    seen = play(made, env, result.students, 12)
    assert seen["h"].shape == (2, 12, 7)
    np.testing.assert_array_equal(seen["done"][0], np.arange(1, 13) % 4 == 0)
    np.testing.assert_array_equal(seen["action"], seen["q"].argmax(axis=-1))
    h, gate, candidate = seen["h"], seen["gate"], seen["candidate"]
    np.testing.assert_allclose(h[:, 1:], (gate * np.roll(h, 1, 1) + (1 - gate) * candidate)[:, 1:], rtol=1e-5)


class TwoLights:
    """A world in plain Python: act 0 when the left light is on, 1 when the right one is."""

    def __init__(self):
        self.rng, self.side = np.random.default_rng(0), 0

    def see(self):
        self.side = int(self.rng.integers(2))
        return np.eye(2)[self.side]

    def reset(self):
        return self.see(), {}

    def step(self, action):
        reward = float(action == self.side)
        return self.see(), reward, False, False, {"new_trial": True}


def test_a_learner_in_a_world_of_plain_python():
    made = LEARNERS["augment"].make(2, 2, epsilon=0.1, blank=False)
    actor = Actor(made, learning=True)
    assert actor.live(TwoLights(), 700)["reward"][-150:].mean() > 0.85
    trained = Actor(made, actor.carry).live(TwoLights(), 50)
    assert trained["reward"].mean() == 1
    with pytest.raises(ShapeError, match=r"observation: expected \(2,\), got \(3,\)"):
        actor.act([0, 0, 1])
    with pytest.raises(NonFiniteError, match="observation and reward"):
        actor.act([0, float("nan")])
    with pytest.raises(SettingsError, match="learns from stretches"):
        Actor(LEARNERS["lstm"].make(2, 2, hidden_size=2), learning=True).live(TwoLights(), 3)


def test_bad_settings_are_named():
    with pytest.raises(SettingsError, match="learner: expected 3 inputs and 3 actions as the task has, got 4 and 3"):
        Population(learner(Antisaccade()), ENV, Criterion(), 10)
    with pytest.raises(SettingsError, match="share: expected 0 to less than 1"):
        Criterion(1.0)
    with pytest.raises(SettingsError, match="devices: expected 1 to 2"):
        train_agents(learner(), ENV, networks=3, trials=10, devices=2)
    with pytest.raises(SettingsError, match="networks, blocks: expected 1 or more"):
        train_agents(learner(), ENV, networks=0)
