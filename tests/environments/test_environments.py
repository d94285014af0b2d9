"""Tasks that are acted in: the saccade task against a plain state machine, the others against what they promise."""

import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from ostinato.environments import (
    ENVIRONMENTS,
    Antisaccade,
    Classification,
    ContextIntegration,
    DelayedMatch,
    FlipFlop,
    ReversalBandit,
    TMaze,
    TwelveAX,
    check_environment,
)
from ostinato.environments.gym import GymTask
from ostinato.errors import NonFiniteError, SettingsError, ShapeError


def rollout(env, actions, noise, level=None):
    """TimeStep of every step, as numpy arrays with the leading axis steps; the first entry is that of the reset."""
    return jax.tree.map(np.asarray, _rollout(env, np.asarray(actions, np.int32), np.asarray(noise, np.float32), level))


@eqx.filter_jit
def _rollout(env, actions, noise, level):
    state, first = env.reset(noise[0], level)
    step = lambda state, at: env.step(state, at[0], at[1], level)
    _, seen = jax.lax.scan(step, state, (actions, noise[1:]))
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, seen)


class PlainSaccade:
    """The published machine, with its names of states, one call a step."""

    def __init__(self, delay, interval, signal):
        self.delay, self.interval, self.signal = delay, interval, signal
        self.state, self.ticks, self.kind = "intertrial", 0, None
        self.point = self.cue = None

    def over(self):
        self.state, self.ticks, self.done, self.point, self.cue = "intertrial", 0, True, None, None

    def step(self, action, uniform):
        self.reward, self.done, self.right = 0.0, False, False
        fixates = action == 0
        if self.state == "intertrial":
            if self.ticks == self.interval:
                self.kind = int(uniform * 4)
                self.point, self.state, self.ticks = "pro" if self.kind < 2 else "anti", "waitfix", 0
            else:
                self.ticks += 1
        elif self.state == "waitfix":
            if self.ticks > 10:
                self.over()
            elif fixates:
                self.state, self.ticks = "fix", 0
            else:
                self.ticks += 1
        elif self.state == "fix":
            if fixates:
                self.reward, self.state, self.ticks = 0.2, "mem", 0
                self.cue = "left" if self.kind in (0, 2) else "right"
            else:
                self.over()
        elif self.state == "mem":
            self.cue = None
            if not fixates:
                self.over()
            elif self.ticks == self.delay:
                self.point, self.state, self.ticks = None, "go", 0
            else:
                self.ticks += 1
        elif self.ticks > 8:
            self.over()
        elif fixates:
            self.ticks += 1
        else:
            self.right = action == {0: 1, 1: 2, 2: 2, 3: 1}[self.kind]
            self.reward = 1.5 if self.right else 0.0
            self.over()
        seen = [self.point == "pro", self.point == "anti", self.cue == "left", self.cue == "right"]
        return np.array([*seen, *([self.done] if self.signal else [])], float)


@pytest.mark.parametrize(("delay", "interval", "signal"), [(2, 0, False), (5, 3, True)])
def test_saccade_is_the_published_machine_to_the_tick(delay, interval, signal):
    rng = np.random.default_rng(delay)
    steps = 4000
    # Stretches of fixation, so that trials get far; stretches of looking about, so that time-outs come.
    actions = np.where(rng.random(steps) < 0.9, 0, rng.integers(0, 3, steps))
    actions[3000:3200] = 1
    actions[3200:3400] = 0
    noise = rng.random((steps + 1, 1), np.float32)
    env = Antisaccade(delay=delay, interval=interval, end_signal=signal)
    found = rollout(env, actions, noise)
    plain = PlainSaccade(delay, interval, signal)
    finished = set()
    for t in range(steps):
        seen = plain.step(actions[t], noise[t + 1, 0])
        np.testing.assert_array_equal(found.observation[t + 1], seen)
        assert found.reward[t + 1] == pytest.approx(plain.reward)
        assert (found.done[t + 1], found.correct[t + 1]) == (plain.done, plain.right)
        if plain.done:
            assert found.condition[t + 1] == plain.kind
            finished.add((plain.kind, plain.right))
    assert finished == {(kind, right) for kind in range(4) for right in (True, False)}
    ends = np.flatnonzero(found.done)
    assert np.diff(ends).max() <= env.limit


def test_curriculum_has_delays_that_double():
    assert Antisaccade(delay=5, curriculum=True).delays == (1, 2, 4, 5)
    assert Antisaccade(delay=12, curriculum=True).delays == (3, 6, 12)
    assert Antisaccade(delay=5).delays == (5,)


def test_classification_adds_up_evidence():
    env = Classification()
    rng = np.random.default_rng(0)
    weights = np.array([99, 0.9, 0.7, 0.5, 0.3, -0.3, -0.5, -0.7, -0.9, -99])
    shown, steps = 4, 6000
    # Fixate until nothing is seen, then look left.
    noise = rng.random((steps + 1, env.draws), np.float32)

    @jax.jit
    def run(noise):
        state, seen = env.reset(noise[0])

        def step(at, drawn):
            state, seen, waited = at
            action = (waited & ~jnp.any(seen.observation > 0)).astype(jnp.int32)
            state, new = env.step(state, action, drawn)
            waited = jnp.where(new.done, False, waited | jnp.any(seen.observation[5:] > 0))
            return (state, new, waited), (state, new)

        return jax.lax.scan(step, (state, seen, jnp.zeros((), bool)), noise[1:])[1]

    states, seen = jax.tree.map(np.asarray, run(jnp.asarray(noise)))
    ends = np.flatnonzero(seen.done)[:-1]
    assert len(ends) > 300
    paid, likely = [], []
    for end in ends:
        odds = weights[states.shapes[end - 1][:shown]].sum().round(6)
        red_left = not states.red_right[end - 1]
        assert states.odds[end - 1] == pytest.approx(odds, abs=1e-4)
        p = 1.0 if odds > 5 else 0.0 if odds < -5 else 1 / (1 + 10.0**-odds)
        assert seen.correct[end] == (odds == 0 or (odds > 0) == red_left)
        # What was on the screen in the last step with shapes: all four, each at a place of its own.
        window = seen.observation[max(end - 12, 0) : end]
        full = window[np.argmax(window[:, 5:].sum(axis=1))]
        assert full[5:].sum() == shown
        assert (full[5:].reshape(4, 10).sum(axis=1) == 1).all()
        paid.append(seen.reward[end] == 1.5)
        likely.append(p if red_left else 1 - p)
    paid, likely = np.array(paid), np.array(likely)
    assert (paid[likely == 1]).all()
    assert not paid[likely == 0].any()
    error = np.sqrt((likely * (1 - likely)).sum()) / len(paid)
    assert paid.mean() == pytest.approx(likely.mean(), abs=5 * error)


def test_bandit_pays_as_it_says():
    env = ReversalBandit(trials=5, probability=0.8, reversal=0.25)
    rng = np.random.default_rng(1)
    steps = 20_000
    actions = rng.integers(0, 2, steps)
    found = rollout(env, actions, rng.random((steps + 1, 2), np.float32))
    reward, correct = found.reward[1:], found.correct[1:]
    assert reward[correct].mean() == pytest.approx(0.8, abs=0.02)
    assert reward[~correct].mean() == pytest.approx(0.2, abs=0.02)
    np.testing.assert_array_equal(found.done[1:], np.arange(1, steps + 1) % 5 == 0)
    np.testing.assert_array_equal(found.observation[1:, 0], reward)
    np.testing.assert_array_equal(found.observation[1:, 2], actions)
    good = np.where(correct, actions, 1 - actions).reshape(-1, 5)
    assert (good == good[:, :1]).all()
    assert (np.diff(good[:, 0]) != 0).mean() == pytest.approx(0.25, abs=0.04)
    hidden = rollout(ReversalBandit(sees_reward=False), actions[:50], rng.random((51, 2), np.float32))
    assert not hidden.observation[:, 0].any()


def test_twelve_ax_against_its_rule():
    env = TwelveAX()
    rng = np.random.default_rng(2)
    steps = 3000
    actions = rng.integers(0, 2, steps)
    found = rollout(env, actions, rng.random((steps + 1, 3), np.float32))
    digit = before = ""
    targets = 0
    for t in range(steps):
        symbol = env.inputs[found.observation[t].argmax()]
        digit = symbol if symbol in "12" else digit
        target = (digit, before, symbol) in (("1", "A", "X"), ("2", "B", "Y"))
        assert found.correct[t + 1] == ((actions[t] == 1) == target)
        assert found.condition[t + 1] == target
        before, targets = symbol, targets + target
    assert targets / (steps * 0.4) == pytest.approx(4 / 9, abs=0.08)


def test_match_and_maze_have_one_way_through():
    env = DelayedMatch(delay=3, stimuli=3)
    for kind in range(env.conditions):
        noise = np.full((6, 1), (kind + 0.5) / env.conditions)
        right = 1 + kind // 3
        found = rollout(env, [0, 0, 0, 0, right], noise)
        assert found.correct[-1]
        assert found.reward.sum() == 1
        sample, test = found.observation[0, :3].argmax(), found.observation[4, :3].argmax()
        assert (sample == test) == (right == 1)
        assert not rollout(env, [0, 0, 0, 0, 3 - right], noise).correct.any()
    maze = TMaze(corridor=4)
    for side, turn, sign in ((0.1, 0, [0, 1, 1]), (0.9, 2, [1, 1, 0])):
        found = rollout(maze, [1, 1, 1, 1, turn], np.full((6, 1), side))
        np.testing.assert_array_equal(found.observation[:5], [sign, [1, 0, 1], [1, 0, 1], [1, 0, 1], [0, 1, 0]])
        assert (found.reward[-1], found.done[-1]) == (4, True)
        missed = rollout(maze, [0, 1, 1, 1, 1, 2 - turn], np.full((7, 1), side))
        np.testing.assert_allclose(missed.reward, [0, -0.1, 0, 0, 0, 0, -0.1], atol=1e-7)
        assert (missed.correct[-1], missed.done[-1]) == (False, True)


def test_context_shows_means_with_noise():
    env = ContextIntegration(coherence=0.5, length=50)
    found = rollout(env, np.zeros(5000), np.random.default_rng(3).random((5001, 5), np.float32))
    seen = found.observation[found.observation[:, 4] == 0]
    assert np.abs(seen[:, 2]).mean() == pytest.approx(0.897, abs=0.05)  # of a normal number of mean 0.5
    assert np.corrcoef(seen[:, 2], seen[:, 3])[0, 1] == pytest.approx(0, abs=0.3)


def test_context_asks_for_the_stream_that_it_names():
    """Without noise the sign of each stream is seen: the answer follows from the first step."""
    env = ContextIntegration(coherence=0.5, length=2, noise=0.0)
    answers = set()
    for kind in range(env.conditions):
        noise = np.full((4, 5), (kind + 0.5) / env.conditions)
        first = rollout(env, [0, 0, 1], noise)
        seen = first.observation[0]
        named = seen[2] if seen[0] == 1 else seen[3]
        assert abs(named) == 0.5
        assert bool(first.correct[-1]) == (named < 0)
        assert rollout(env, [0, 0, 2], noise).correct[-1] == (named > 0)
        answers.add((seen[0] == 1, seen[2] > 0, seen[3] > 0))
    assert len(answers) == 8


def test_flip_flop_remembers_the_last_pulse():
    env, steps = FlipFlop(pulse=0.4, length=20), 400
    rng = np.random.default_rng(4)
    actions = rng.integers(0, 8, steps)
    found = rollout(env, actions, rng.random((steps + 1, 3), np.float32))
    last, pulses = np.zeros(3), 0
    for t in range(steps):
        seen = found.observation[t]
        last = np.where(seen != 0, seen, last)
        pulses += np.abs(seen).sum() * (t % 20 > 0)
        assert found.correct[t + 1] == (actions[t] == (last > 0) @ [1, 2, 4])
        assert found.done[t + 1] == (t % 20 == 19)
        assert found.reward[t + 1] == found.correct[t + 1]
    assert pulses / (3 * steps * 19 / 20) == pytest.approx(0.4, abs=0.06)


def test_gymnasium_is_told_what_the_task_tells():
    env = GymTask(DelayedMatch(delay=0))
    observation, _ = env.reset(seed=0)
    for _ in range(8):
        sample = observation[:2].argmax()
        observation, reward, ended, cut, told = env.step(0)
        assert (reward, ended, cut, told["judged"]) == (0.0, False, False, False)
        right = 1 + (observation[:2].argmax() != sample)
        observation, reward, ended, cut, told = env.step(np.int64(right))
        assert (reward, ended, cut, told["judged"], told["correct"]) == (1.0, True, False, True, True)
        assert told["condition"] == sample + 2 * (right - 1)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_gymnasium_checks_every_task(name):
    env = GymTask(ENVIRONMENTS[name].make())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice on bounds of observations
        check_env(env, skip_render_check=True)
    with pytest.raises(SettingsError, match="action: expected 0 to"):
        env.step(99)


def test_bad_tasks_are_refused():
    class Broken(DelayedMatch):
        kind: str = "nan"

        def step(self, state, action, noise, level=None):
            state, seen = super().step(state, action, noise, level)
            if self.kind == "nan":
                return state, seen._replace(reward=jnp.where(seen.done, jnp.nan, seen.reward))
            if self.kind == "size":
                return state, seen._replace(observation=seen.observation[:-1])
            return state, seen._replace(condition=seen.condition + 9)

    with pytest.raises(NonFiniteError, match="reward: nan"):
        check_environment(Broken())
    with pytest.raises(ShapeError, match="observation: expected"):
        check_environment(Broken(kind="size"))
    with pytest.raises(SettingsError, match="condition: expected 0 to 3"):
        check_environment(Broken(kind="condition"))

    class Endless(DelayedMatch):
        def step(self, state, action, noise, level=None):
            state, seen = super().step(state, action, noise, level)
            return state, seen._replace(done=jnp.zeros((), bool))

    with pytest.raises(SettingsError, match="done: no trial ended within 200 steps"):
        check_environment(Endless())
    with pytest.raises(SettingsError, match="delay: 5 steps, with sample and test, do not fit into a trial of 6"):
        DelayedMatch(delay=5, length=6)
    with pytest.raises(SettingsError, match="delay: expected 1 or more, got 0"):
        Antisaccade(delay=0)
    with pytest.raises(SettingsError, match="shaping, reward: expected finite"):
        Antisaccade(reward=float("inf"))
