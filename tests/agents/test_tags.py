"""Tags and traces: against derivatives through time, and against both networks worked out in plain numpy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.agents import LEARNERS, Signal, TaggedSarsa
from ostinato.cells import Augment, Recollect
from ostinato.errors import SettingsError, UnsupportedRule

TIME, INPUTS, ACTIONS = 25, 4, 3


def inputs(time, seed=0):
    return np.random.default_rng(seed).random((time, INPUTS))


def through_time(network, xs):
    """Memory and values after all inputs, as a function of the weights."""
    state, qs = jax.lax.scan(lambda state, x: network(x, state), network.init_state(), jnp.asarray(xs))
    return state.h, qs[-1]


def larger(network, factor=6.0):
    """Weights that make units leave the middle of their range."""
    return jax.tree.map(lambda a: factor * a if eqx.is_inexact_array(a) else a, network)


def run_frozen(learner, network, xs, action):
    """The carry after all inputs, weights held still, one action throughout."""
    noise = jnp.asarray([0.0, (action + 0.5) / ACTIONS])

    def one(carry, x):
        carry, chosen, _ = learner.step(carry, Signal(x, jnp.asarray(0.3), jnp.asarray(False)), noise)
        return carry, chosen

    carry, chosen = jax.jit(lambda xs: jax.lax.scan(one, learner.begin(network), xs))(jnp.asarray(xs))
    assert set(chosen.tolist()) == {action}
    return carry


def diagonal(jacobian, units):
    """`dh_j / dW[g, k, i]` at j = k, `(hidden, gates, hidden, ...)` to `(gates, hidden, ...)`."""
    return np.stack([np.asarray(jacobian)[j, :, j] for j in range(units)], axis=1)


@pytest.mark.parametrize("slope", [0.7, 2.0, 3.5])
def test_recollect_traces_and_tags_are_gradients_through_all_time(x64, slope):
    options = (("slope", slope),)
    learner = TaggedSarsa(INPUTS, ACTIONS, beta=0.0, lambda_=0.0, epsilon=1.0, options=options)
    network = larger(learner.init(jax.random.key(1)).network)
    xs, action = inputs(TIME), 1
    carry = run_frozen(learner, network, xs, action)
    jacobian = eqx.filter_jacrev(lambda n: through_time(n, xs)[0])(network).cell
    gradient = eqx.filter_grad(lambda n: through_time(n, xs)[1][action])(network)
    for name in ("W", "b"):
        expected = diagonal(getattr(jacobian, name), 7)
        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(getattr(carry.traces, name), expected, rtol=0, atol=1e-12)
    compared = jax.tree.leaves(carry.tags), jax.tree.leaves(gradient)
    for found, wanted in zip(*compared, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


class SeesItself(Recollect):
    """The negative control: gates that also see the memory."""

    def update(self, from_input, from_hidden, state, dt=None):
        mixed = 0.5 * jnp.sum(state.h) * jnp.ones_like(state.h)
        return super().update(from_input + mixed[None, :], None, state, dt)


def test_with_recurrent_gates_the_traces_are_not_the_gradient(x64):
    learner = TaggedSarsa(INPUTS, ACTIONS, beta=0.0, lambda_=0.0, epsilon=1.0)
    network = learner.init(jax.random.key(1)).network
    cell = SeesItself(INPUTS, 7, key=jax.random.key(2))
    network = larger(eqx.tree_at(lambda n: n.cell, network, cell), 2.0)
    xs = inputs(TIME)
    carry = run_frozen(learner, network, xs, 1)
    expected = diagonal(eqx.filter_jacrev(lambda n: through_time(n, xs)[0])(network).cell.W, 7)
    assert np.abs(np.asarray(carry.traces.W) - expected).max() > 1e-3 * np.abs(expected).max()


def test_augment_traces_and_tags_are_gradients_through_all_time(x64):
    learner = LEARNERS["augment"].make(INPUTS, ACTIONS, beta=0.0, lambda_=0.0, epsilon=1.0, exploration="uniform")
    network = larger(learner.init(jax.random.key(1)).network, 3.0)
    xs, action = inputs(TIME), 2
    carry = run_frozen(learner, network, xs, action)
    jacobian = eqx.filter_jacrev(lambda n: through_time(n, xs)[0])(network).cell.M
    np.testing.assert_allclose(carry.traces.M, np.stack([jacobian[j, j] for j in range(4)]), rtol=0, atol=1e-12)
    gradient = eqx.filter_grad(lambda n: through_time(n, xs)[1][action])(network)
    for found, wanted in zip(jax.tree.leaves(carry.tags), jax.tree.leaves(gradient), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


class Numpy:
    """What both networks in numpy share: values, choice and error; weights by name, a bias as the first input."""

    def __init__(self, beta, lambda_, gamma, epsilon):
        self.beta, self.fade, self.gamma, self.epsilon = beta, lambda_ * gamma, gamma, epsilon
        self.before = 0.0

    def learn(self, rates, delta):
        for name, rate in rates.items():
            self.w[name] = self.w[name] + rate * delta * self.tag[name]

    def fade_tags(self):
        for name in self.tag:
            self.tag[name] = self.fade * self.tag[name]


class NumpyRecollect(Numpy):
    """Section B.2 of the equations, in the order in which the steps are taken there."""

    def __init__(self, network, gate, **settings):
        super().__init__(**settings)
        cell = network.cell
        self.w = {
            "g": np.concatenate([cell.b[0][:, None], cell.W[0]], axis=1),
            "c": np.concatenate([cell.b[1][:, None], cell.W[1]], axis=1),
            "q": np.concatenate([network.v[:, None], network.V], axis=1),
        }
        self.tag = {name: np.zeros_like(w) for name, w in self.w.items()}
        self.trace = {name: np.zeros_like(self.w[name]) for name in "gc"}
        self.y, self.gate, self.slope = np.zeros(len(self.w["g"])), gate, cell.slope

    def step(self, x, reward, done, noise):
        x = np.concatenate([[1.0], x])
        g, c = (1 / (1 + np.exp(-self.slope * (self.w[name] @ x))) for name in "gc")
        old, self.y = self.y, g * self.y + (1 - g) * c
        q = self.w["q"] @ np.concatenate([[1.0], self.y])
        action = int(noise[1] * len(q)) if noise[0] < self.epsilon else int(np.argmax(q))
        delta = reward + self.gamma * q[action] - self.before
        self.before = q[action]
        self.learn({"q": self.beta, "c": self.beta, "g": self.beta * self.gate}, delta)
        # As published: without the slope.
        self.trace["c"] = g[:, None] * self.trace["c"] + ((1 - g) * c * (1 - c))[:, None] * x
        self.trace["g"] = g[:, None] * self.trace["g"] + ((old - c) * g * (1 - g))[:, None] * x
        self.fade_tags()
        self.tag["q"][action] += np.concatenate([[1.0], self.y])
        for name in "gc":
            self.tag[name] += self.w["q"][action, 1:, None] * self.trace[name]
        return q, action


class NumpyAugment(Numpy):
    """Section B.4 of the equations."""

    def __init__(self, network, **settings):
        super().__init__(**settings)
        cell = network.cell
        regular = len(cell.b)
        self.w = {
            "vr": np.concatenate([cell.b[:, None], cell.V], axis=1),
            "vm": np.asarray(cell.M),
            "wr": np.concatenate([network.v[:, None], network.V[:, :regular]], axis=1),
            "wm": np.asarray(network.V[:, regular:]),
        }
        self.tag = {name: np.zeros_like(w) for name, w in self.w.items()}
        self.seen, self.theta = np.zeros(cell.input_size), cell.theta
        self.clear()

    def clear(self):
        self.sum, self.trace = np.zeros(len(self.w["vm"])), np.zeros_like(self.w["vm"])
        self.tag = {name: np.zeros_like(w) for name, w in self.w.items()}

    def step(self, x, reward, done, noise):
        change, self.seen = x - self.seen, x
        both = np.concatenate([np.clip(change, 0, None), np.clip(-change, 0, None)])
        biased = np.concatenate([[1.0], x])
        yr = 1 / (1 + np.exp(self.theta - self.w["vr"] @ biased))
        self.sum = self.sum + self.w["vm"] @ both
        ym = 1 / (1 + np.exp(self.theta - self.sum))
        q = self.w["wr"] @ np.concatenate([[1.0], yr]) + self.w["wm"] @ ym
        wheel = np.cumsum(np.exp(q - q.max()) / np.exp(q - q.max()).sum())
        action = int(np.sum(wheel < noise[1])) if noise[0] < self.epsilon else int(np.argmax(q))
        value = 0.0 if done else q[action]
        delta = reward + self.gamma * value - self.before
        self.before = value
        self.learn(dict.fromkeys(self.w, self.beta), delta)
        if done:
            self.clear()
            return q, action
        self.fade_tags()
        self.trace = self.trace + both
        self.tag["wr"][action] += np.concatenate([[1.0], yr])
        self.tag["wm"][action] += ym
        self.tag["vr"] += (self.w["wr"][action, 1:] * yr * (1 - yr))[:, None] * biased
        self.tag["vm"] += (self.w["wm"][action] * ym * (1 - ym))[:, None] * self.trace
        return q, action


@pytest.mark.parametrize("name", ["recollect", "augment"])
def test_thousand_steps_against_numpy(x64, name):
    steps = 1000
    learner = LEARNERS[name].make(INPUTS, ACTIONS, epsilon=0.2)
    start = learner.init(jax.random.key(3))
    rng = np.random.default_rng(4)
    xs = (rng.random((steps, INPUTS)) < 0.4).astype(float)
    rewards = rng.choice([0.0, 0.2, 1.5], steps, p=[0.8, 0.1, 0.1])
    dones, noise = rng.random(steps) < 0.1, rng.random((steps, 2))

    @jax.jit
    def run(carry, told):
        def one(carry, at):
            carry, action, _ = learner.step(carry, Signal(*at[0]), at[1])
            return carry, (action, learner.values(carry))

        return jax.lax.scan(one, carry, told)

    told = (tuple(map(jnp.asarray, (xs, rewards, dones))), jnp.asarray(noise))
    final, (actions, qs) = run(start, told)
    settings = {key: getattr(learner, key) for key in ("beta", "lambda_", "gamma", "epsilon")}
    plain = jax.tree.map(np.asarray, start.network)
    oracle = NumpyRecollect(plain, learner.gate, **settings) if name == "recollect" else NumpyAugment(plain, **settings)
    expected = [oracle.step(*at) for at in zip(xs, rewards, dones, noise, strict=True)]
    np.testing.assert_array_equal(actions, [action for _, action in expected])
    np.testing.assert_allclose(qs, [q for q, _ in expected], rtol=0, atol=1e-12)
    moved = np.abs(np.asarray(final.network.V) - plain.V).max()
    assert moved > 0.1
    if name == "recollect":
        np.testing.assert_allclose(final.network.cell.W[0], oracle.w["g"][:, 1:], rtol=0, atol=1e-12)
        np.testing.assert_allclose(final.network.cell.b[1], oracle.w["c"][:, 0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(final.network.V, oracle.w["q"][:, 1:], rtol=0, atol=1e-12)
    else:
        np.testing.assert_allclose(final.network.cell.V, oracle.w["vr"][:, 1:], rtol=0, atol=1e-12)
        np.testing.assert_allclose(final.network.cell.M, oracle.w["vm"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(final.network.V[:, 3:], oracle.w["wm"], rtol=0, atol=1e-12)


def test_bad_settings_are_named():
    with pytest.raises(UnsupportedRule, match=r"GRU: its traces are not local"):
        TaggedSarsa(4, 3, cell="gru")
    with pytest.raises(SettingsError, match="exploration: expected one of uniform, boltzmann"):
        TaggedSarsa(4, 3, exploration="none")
    with pytest.raises(SettingsError, match=r"lambda_: expected 0 to 1, got 1\.5"):
        TaggedSarsa(4, 3, lambda_=1.5)
    with pytest.raises(SettingsError, match="slope: expected a positive number"):
        Recollect(4, 3, slope=0.0, key=jax.random.key(0))
    with pytest.raises(SettingsError, match="hidden_size >= 1"):
        Augment(4, 0, key=jax.random.key(0))
