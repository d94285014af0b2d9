"""Rules that go forward in time, each in the case in which theory says what it must give, and where it must not."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

import ostinato as ost
from ostinato.cells import Elman, IndRNN, LayerNorm
from ostinato.errors import SettingsError, UnsupportedRule
from ostinato.layers import Readout, Stack, learn_initial_state
from ostinato.learning import (
    BPTT,
    KFRTRL,
    LSTM1997,
    RFLO,
    RTRL,
    UORO,
    Approximate,
    EProp,
    Exact,
    HybridRTRL,
    SnAp,
    make_rule,
)
from ostinato.losses import squared

pytestmark = pytest.mark.usefixtures("x64")
ROWS, TIME = 2, 9


def problem(key=0, time=TIME):
    k = jr.split(jr.key(key), 5)
    mask = jr.bernoulli(k[1], 0.85, (ROWS, time)).at[:, 0].set(True)
    inputs = ost.SequenceBatch(jr.normal(k[0], (ROWS, time, 2)), mask, jr.bernoulli(k[2], 0.1, (ROWS, time)))
    weight = jnp.where(mask, jr.uniform(k[3], (ROWS, time)), 0.0)
    return ost.Examples(inputs, jr.normal(k[4], (ROWS, time, 2)), weight)


def network(name, units=4, **settings):
    return ost.RNN(name, 2, units, output_size=2, key=jr.key(1), **settings)


@eqx.filter_jit
def gradients(rule, model, examples, key=None):
    return rule(model, squared, examples, rule.init(model, examples), key)[:2]


def vector(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def error(rule, model, examples, truth=None):
    """The relative distance of the gradients from those of BPTT."""
    exact = vector(gradients(BPTT(), model, examples)[1] if truth is None else truth)
    return np.linalg.norm(vector(gradients(rule, model, examples)[1]) - exact) / np.linalg.norm(exact)


def test_rtrl_by_hand():
    """Elman of two units in plain numpy, forward derivatives written out."""
    model = Elman(2, 2, key=jr.key(0))
    examples = problem()
    examples = ost.Examples(ost.SequenceBatch(examples.inputs.values[:1]), examples.targets[:1], examples.weight[:1])
    W, R, b = (np.asarray(a, float)[0] for a in (model.W, model.R, model.b))
    h, P, total = np.zeros(2), np.zeros((2, 10)), np.zeros(10)
    for x, wanted, weight in zip(examples.inputs.values[0], examples.targets[0], examples.weight[0], strict=True):
        seen = np.concatenate([x, h, [1.0]])
        h = np.tanh(np.hstack([W, R, b[:, None]]) @ seen)
        slope = np.diag(1 - h**2)
        P = slope @ (R @ P + np.kron(np.eye(2), seen))
        total += weight * (h - np.asarray(wanted)) @ P  # the squared error is the mean of two squares
    rows = total.reshape(2, 5)
    found = gradients(RTRL(), model, examples)[1]
    np.testing.assert_allclose(found.W[0], rows[:, :2], rtol=1e-12)
    np.testing.assert_allclose(found.R[0], rows[:, 2:4], rtol=1e-12)
    np.testing.assert_allclose(found.b[0], rows[:, 4], rtol=1e-12)


def test_where_the_derivative_is_diagonal():
    key = jr.key(0)

    def why(model):
        answer = RTRL().applies(model)
        assert isinstance(answer, Exact)
        return answer.why

    assert "diagonal: one trace" in why(network("indrnn"))
    assert "diagonal: one trace" in why(learn_initial_state(IndRNN(2, 4, key=key)))
    # The same cell with units that see one another, through what is added to it, and in a deeper stack.
    assert "dense (units meet in reduce" in why(network("indrnn", activation="softmax"))
    assert "reduce_sum" in why(LayerNorm(IndRNN(2, 4, key=key)))
    assert "dense (units meet in dot_general" in why(network("indrnn", num_layers=2))
    with pytest.raises(UnsupportedRule, match="not diagonal: units meet in dot_general"):
        RTRL(diagonal=True).check(network("elman"))


def test_the_diagonal_form_is_small_and_equals_the_dense_one():
    cell = learn_initial_state(IndRNN(2, 4, key=jr.key(0)))
    model = Stack((cell, Readout(4, 2, key=jr.key(1))))
    examples = problem()
    small, large = (RTRL(diagonal=d).init(model, examples).traces for d in (True, False))
    weights = sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(cell, eqx.is_inexact_array)))
    assert sum(leaf.size for leaf in jax.tree.leaves(small)) == ROWS * weights
    assert large.size == ROWS * 4 * weights
    truth = gradients(BPTT(), model, examples)[1]
    assert np.abs(truth.layers[0].initial.h).max() > 1e-3
    assert error(RTRL(), model, examples, truth) < 1e-13
    assert error(RTRL(diagonal=False), model, examples, truth) < 1e-13


def test_what_was_not_observed_is_not_read():
    examples, model = problem(time=5), ost.RNN("indrnn", 2, 3, output_size=2, key=jr.key(1))
    values = examples.inputs.values
    seen = jr.bernoulli(jr.key(2), 0.6, values.shape)
    gaps = eqx.tree_at(lambda e: e.inputs.values, examples, jnp.where(seen, values, 0.0))
    marked = eqx.tree_at(
        lambda e: (e.inputs.values, e.inputs.observed),
        examples,
        (jnp.where(seen, values, jnp.nan), seen),
        is_leaf=lambda leaf: leaf is None,
    )
    expected = BPTT()(model, squared, gaps, BPTT().init(model, gaps))[1]
    for rule in (BPTT(), RTRL()):
        found = rule(model, squared, marked, rule.init(model, marked))[1]
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_deep_networks_with_noise_and_a_trained_start():
    """Two layers, dropout and one output per sequence: what each exact rule has to go through at once."""
    rnn = ost.RNN("elman", 2, 3, num_layers=2, dropout=0.3, key=jr.key(0))
    rnn = eqx.tree_at(lambda m: m.stack.layers[0], rnn, learn_initial_state(rnn.stack.layers[0]))
    model = ost.ManyToOne(rnn, 2, pool="mean", key=jr.key(1))
    examples = problem()
    examples = ost.Examples(examples.inputs, examples.targets[:, 0], jnp.array([0.3, 0.7]))
    truth = gradients(BPTT(), model, examples, jr.key(5))
    assert abs(truth[0] - gradients(BPTT(), model, examples)[0]) > 1e-4
    for rule in (RTRL(), HybridRTRL(4), ost.learning.TruncatedBPTT(TIME)):
        found = gradients(rule, model, examples, jr.key(5))
        np.testing.assert_allclose(found[0], truth[0], rtol=1e-12)
        np.testing.assert_allclose(vector(found[1]), vector(truth[1]), rtol=1e-10, atol=1e-13)


def test_lstm_1997_is_the_gradient_of_the_cut_network():
    model, examples = network("lstm"), problem()

    class CutLSTM(ost.cells.LSTM):
        def from_hidden(self, state):
            return jnp.einsum("ghk,k->gh", self.R, jax.lax.stop_gradient(state.h))

    old = model.stack.layers[0]
    cut = CutLSTM(2, 4, key=jr.key(0))
    cut = eqx.tree_at(lambda c: (c.W, c.R, c.b), cut, (old.W, old.R, old.b))

    @eqx.filter_grad
    def value(layers):
        ys, _ = ost.unroll(Stack(layers), examples.inputs, kernel="reference")
        return jnp.sum(examples.weight * jnp.mean((ys - examples.targets) ** 2, axis=-1))

    truth = value((cut, model.stack.layers[1]))
    found = gradients(LSTM1997(), model, examples)[1]
    np.testing.assert_allclose(vector(found), vector(truth), rtol=1e-11, atol=1e-14)
    assert 0.01 < error(LSTM1997(), model, examples) < 0.9
    with pytest.raises(UnsupportedRule, match="no memory apart from what its gates see"):
        LSTM1997().check(network("gru"))


@pytest.mark.parametrize("rule", [RFLO(feedback="symmetric"), EProp(), SnAp()], ids=lambda rule: type(rule).__name__)
def test_local_rules_are_exact_without_recurrent_weights_only(rule):
    examples, model = problem(), ost.RNN("ctrnn", 2, 4, output_size=2, key=jr.key(1))
    none = eqx.tree_at(lambda m: m.stack.layers[0].R, model, jnp.zeros_like(model.stack.layers[0].R))
    assert error(rule, none, examples) < 1e-13
    more = eqx.tree_at(lambda m: m.stack.layers[0].R, model, model.stack.layers[0].R + 0.7)
    assert error(rule, more, examples) > 1e-3
    assert isinstance(rule.applies(model), Approximate)


def test_random_feedback_takes_other_weights_back_and_no_others():
    model, examples = network("elman"), problem()
    straight, bent = (gradients(RFLO(feedback=f), model, examples) for f in ("symmetric", "random"))
    np.testing.assert_allclose(bent[0], straight[0], rtol=1e-12)
    above, below = ([tree.stack.layers[i] for tree in (straight[1], bent[1])] for i in (1, 0))
    np.testing.assert_allclose(vector(above[0]), vector(above[1]), rtol=1e-12)
    assert np.linalg.norm(vector(below[0]) - vector(below[1])) > 0.1 * np.linalg.norm(vector(below[0]))
    # The read-out's own weights in place of random ones: then it is the other rule.
    B = jnp.asarray(np.random.default_rng(0).standard_normal((2, 4)) / 2)
    same = eqx.tree_at(lambda m: m.stack.layers[1].V, model, B)
    np.testing.assert_allclose(
        vector(gradients(RFLO(), same, examples)[1]),
        vector(gradients(RFLO(feedback="symmetric"), same, examples)[1]),
        rtol=1e-11,
        atol=1e-14,
    )
    with pytest.raises(UnsupportedRule, match="needs a read-out"):
        RFLO().check(Elman(2, 4, key=jr.key(0)))


def test_snap_reaches_further_with_n():
    """A ring of five units: after n steps a weight has reached n units, after five all of them."""
    model, examples = network("elman", 5), problem(time=14)
    examples = eqx.tree_at(lambda e: e.inputs.reset, examples, jnp.zeros_like(examples.inputs.reset))
    ring = 0.9 * jnp.roll(jnp.eye(5), 1, axis=0)[None]
    model = eqx.tree_at(lambda m: m.stack.layers[0].R, model, ring)
    # Weights of 0 between units have gradients too, and belong to their unit like all others.
    truth = gradients(BPTT(), model, examples)[1]
    errors = [error(SnAp(n), model, examples, truth) for n in (2, 3, 4, 5)]
    assert errors[-1] < 1e-12 < 1e-4 < errors[2] < errors[1] < errors[0]
    local = error(SnAp(1), model, examples, truth)
    assert local > errors[0]
    with pytest.raises(SettingsError, match="n: expected 1 step or more"):
        SnAp(0)


class Leaning(UORO):
    """Signs of which three in four are 1: products of two of them are no longer 0 on average."""

    def signs(self, key, size, dtype):
        return jnp.where(jr.bernoulli(key, 0.75, (size,)), 1, -1).astype(dtype)


class Long(UORO):
    """Random signs of a size that is not 1 on average."""

    def signs(self, key, size, dtype):
        return jr.normal(key, (size,), dtype) * 1.2


class LeaningFactors(KFRTRL):
    """The first for the other rule."""

    def signs(self, key, dtype):
        return jnp.where(jr.bernoulli(key, 0.75, (2,)), 1, -1).astype(dtype)


def p_value(rule, draws=2000):
    """Hotelling's test of the mean of the draws against RTRL, over all weights of the cell at once."""
    model, examples = ost.RNN("elman", 1, 2, output_size=1, key=jr.key(2)), problem(3, 5)
    examples = ost.Examples(
        ost.SequenceBatch(examples.inputs.values[:1, :, :1]), examples.targets[:1, :, :1], jnp.ones((1, 5))
    )
    cell = lambda tree: jnp.concatenate([a.ravel() for a in jax.tree.leaves(tree.stack.layers[0])])
    exact = np.asarray(cell(gradients(RTRL(), model, examples)[1]))
    keys = jr.split(jr.key(11), draws)
    drawn = np.asarray(jax.jit(jax.vmap(lambda key: cell(gradients(rule, model, examples, key)[1])))(keys))
    count, size = drawn.shape
    assert np.linalg.norm(drawn[0] - exact) > 1e-3 * np.linalg.norm(exact)
    off = drawn.mean(axis=0) - exact
    squared_z = count * off @ np.linalg.solve(np.cov(drawn.T), off)
    return stats.f.sf(squared_z * (count - size) / (size * (count - 1)), size, count - size)


@pytest.mark.parametrize("rule", [UORO(), KFRTRL()], ids=lambda rule: type(rule).__name__)
def test_the_mean_of_2000_draws_is_rtrl(rule):
    assert p_value(rule) > 0.001


@pytest.mark.parametrize("rule", [Leaning(), Long(), LeaningFactors()], ids=lambda rule: type(rule).__name__)
def test_the_same_test_catches_a_biased_rule(rule):
    assert p_value(rule) < 1e-6


def test_rules_by_name():
    assert make_rule("snap", {"n": 3}) == SnAp(3)
    assert make_rule(SnAp(2)) == SnAp(2)
    for name, settings, message in (
        ("rtlr", None, "did you mean 'rtrl'"),
        ("snap", {"m": 1}, "rule_settings.m: no such setting of snap; it has n"),
        ("truncated-bptt", None, "rule_settings.window: truncated-bptt needs it"),
    ):
        with pytest.raises(SettingsError, match=message):
            make_rule(name, settings)


def test_models_that_a_step_cannot_make():
    both = ost.RNN("gru", 2, 4, bidirectional=True, output_size=2, key=jr.key(0))
    for rule in (RTRL(), HybridRTRL(), UORO(), SnAp(), EProp(), RFLO(), KFRTRL(), LSTM1997()):
        with pytest.raises(UnsupportedRule, match="whole sequence"):
            rule.check(both)
    with pytest.raises(UnsupportedRule, match="2 recurrent layers"):
        EProp().check(network("gru", num_layers=2))
    with pytest.raises(UnsupportedRule, match="weights other than W, b and R"):
        KFRTRL().check(network("lstm-peephole"))
    with pytest.raises(UnsupportedRule, match="more than one vector"):
        RFLO().check(network("lstm"))
