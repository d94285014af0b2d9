"""Policy gradients: returns, advantages and one update against their definitions, worked out step by step."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.agents import LEARNERS, Signal
from ostinato.agents.policy import _advantage, _returns

STEPS, INPUTS, ACTIONS = 6, 3, 2
REWARD = np.array([0.5, -1.0, 2.0, 0.3, 0.0, 1.5])
DONE = np.array([False, True, False, False, True, False])


def segments():
    """For each step, the steps that follow it up to the end of its trial, itself first."""
    for t in range(STEPS):
        ends = np.flatnonzero(DONE[t:])
        yield t, range(t, t + ends[0] + 1 if len(ends) else STEPS)


def test_returns_are_discounted_to_the_end_of_the_trial(x64):
    total, whole = _returns(jnp.asarray(REWARD), jnp.asarray(DONE), 0.9)
    expected = [sum(0.9 ** (k - t) * REWARD[k] for k in steps) for t, steps in segments()]
    np.testing.assert_allclose(total, expected, rtol=1e-12)
    np.testing.assert_array_equal(whole, [1, 1, 1, 1, 1, 0])


def test_advantages_are_discounted_errors_of_the_value(x64):
    values = np.array([0.1, 0.4, -0.2, 0.9, 0.3, 0.6, -0.5])
    error = [REWARD[t] + (0 if DONE[t] else 0.9 * values[t + 1]) - values[t] for t in range(STEPS)]
    expected = [sum((0.9 * 0.7) ** (k - t) * error[k] for k in steps) for t, steps in segments()]
    found = _advantage(jnp.asarray(REWARD), jnp.asarray(DONE), jnp.asarray(values), 0.9, 0.7)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def acted(learner, carry, observations, rewards, dones):
    """A stretch of steps, one after the other: the carry, and what was experienced."""
    found = []
    for x, reward, done, noise in zip(observations, rewards, dones, np.linspace(0.1, 0.9, STEPS), strict=True):
        signal = Signal(jnp.asarray(x), jnp.asarray(reward), jnp.asarray(done))
        carry, action, (experience, state) = learner.step(carry, signal, jnp.asarray([0.0, noise]))
        found.append((experience._replace(action=action), state))
    return carry, jax.tree.map(lambda *a: jnp.stack(a), *found)


@pytest.mark.parametrize("name", ["gru", "reinforce"])
def test_the_second_stretch_is_learned_from_as_written_down(x64, name):
    learner = LEARNERS[name].make(INPUTS, ACTIONS, hidden_size=4, learning_rate=0.02, gamma=0.9, entropy=0.05)
    rng = np.random.default_rng(0)
    carry = learner.init(jax.random.key(1))
    stretches = []
    act = eqx.filter_jit(lambda carry, *told: acted(learner, carry, *told))
    consolidate = eqx.filter_jit(learner.consolidate)
    for _ in range(2):
        before = carry
        carry, experience = act(carry, rng.normal(size=(STEPS, INPUTS)), REWARD, DONE)
        stretches.append((before, carry, experience))
        carry = consolidate(carry, experience)
    (_, _, (first, first_states)), (_, start, (second, _)) = stretches
    assert bool(start.started)
    # The last action of the first stretch is judged by the first reward of the second one.
    steps = [jax.tree.map(lambda a: a[-1], first)] + [jax.tree.map(lambda a, t=t: a[t], second) for t in range(STEPS)]
    state, network = jax.tree.map(lambda a: a[-1], first_states), start.network

    def loss(network):
        at, logs, values = state, [], []
        for step in steps:
            at, preferences, value = network(step.observation, at, step.done)
            logs.append(jax.nn.log_softmax(preferences))
            values.append(value)
        total = 0.0
        for t in range(STEPS):
            future = [(k, float(steps[k + 1].reward), bool(steps[k + 1].done)) for k in range(t, STEPS)]
            ends = [k for k, _, done in future if done]
            inside = [entry for entry in future if not ends or entry[0] <= ends[0]]
            entropy = -jnp.sum(jnp.exp(logs[t]) * logs[t])
            chosen = logs[t][int(steps[t].action)]
            if learner.critic:
                errors = [r + (0 if done else 0.9 * kept[k + 1]) - kept[k] for k, r, done in inside]
                advantage = sum((0.9 * learner.lambda_) ** i * error for i, error in enumerate(errors))
                fitted = (values[t] - advantage - kept[t]) ** 2
                total += -advantage * chosen - 0.05 * entropy + learner.value_weight * fitted
            elif ends:
                gained = sum(0.9**i * r for i, (_, r, _) in enumerate(inside))
                total += -(gained - float(start.baseline)) * chosen - 0.05 * entropy
        return total / STEPS

    def run(network):
        at, values = state, []
        for step in steps:
            at, _, value = network(step.observation, at, step.done)
            values.append(value)
        return jnp.stack(values)

    def updated(network):
        grads, weights = eqx.filter_grad(loss)(network), eqx.filter(network, eqx.is_inexact_array)
        with jax.numpy_dtype_promotion("standard"):
            updates, _ = learner.optimizer.update(grads, start.optimizer, weights)
        return eqx.apply_updates(network, updates)

    kept = [float(value) for value in eqx.filter_jit(run)(network)]
    expected = eqx.filter_jit(updated)(network)
    for a, b in zip(jax.tree.leaves(carry.network), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)
    if not learner.critic:
        gains = [sum(0.9 ** (k - t) * REWARD[k] for k in part) for t, part in segments()][:-1]
        np.testing.assert_allclose(carry.baseline, 0.95 * start.baseline + 0.05 * np.mean(gains), rtol=1e-10)
