"""BPTT against finite differences; truncated BPTT against BPTT and against the definition, step by step."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import ostinato as ost
from ostinato.errors import SettingsError, UnsupportedRule
from ostinato.learning import BPTT, RULES, Approximate, Exact, TruncatedBPTT
from ostinato.losses import squared

pytestmark = pytest.mark.usefixtures("x64")


@pytest.fixture
def problem(x64):
    k = jr.split(jr.key(0), 6)
    model = ost.RNN("gru", 2, 4, num_layers=2, output_size=2, key=k[0])
    inputs = ost.SequenceBatch(
        jr.normal(k[1], (3, 12, 2)), jr.bernoulli(k[2], 0.8, (3, 12)), jr.bernoulli(k[3], 0.1, (3, 12))
    )
    weight = jnp.where(inputs.steps, jr.uniform(k[4], (3, 12)), 0.0)
    return model, ost.Examples(inputs, jr.normal(k[5], (3, 12, 2)), weight)


@eqx.filter_jit
def run(rule, model, examples, cuts):
    carry, total, grads = rule.init(model, examples), 0.0, None
    for a, b in itertools.pairwise(cuts):
        value, g, carry = rule(model, squared, examples.window(a, b), carry)
        total, grads = total + value, g if grads is None else jax.tree.map(jnp.add, grads, g)
    return total, grads


def close(a, b, rtol=1e-11):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=rtol, atol=1e-13)


def test_bptt_equals_finite_differences(problem):
    model, examples = problem
    _, grads = run(BPTT(), model, examples, (0, 12))
    leaves, structure = jax.tree.flatten(eqx.filter(model, eqx.is_inexact_array))
    directions = [jr.normal(jr.key(i), leaf.shape) for i, leaf in enumerate(leaves)]

    def value(eps):
        moved = jax.tree.unflatten(structure, [leaf + eps * d for leaf, d in zip(leaves, directions, strict=True)])
        return run(BPTT(), eqx.combine(moved, model), examples, (0, 12))[0]

    slope = sum(float(jnp.sum(g * d)) for g, d in zip(jax.tree.leaves(grads), directions, strict=True))
    assert abs(slope) > 1e-2
    np.testing.assert_allclose(slope, float(value(1e-5) - value(-1e-5)) / 2e-5, rtol=1e-6)


def test_targets_of_weight_zero_are_never_read(problem):
    model, examples = problem
    # Steps that exist and do not count, too.
    weight = examples.weight.at[:, 4:6].set(0.0)
    examples = ost.Examples(ost.SequenceBatch(examples.inputs.values), examples.targets, weight)
    dirty = ost.Examples(
        examples.inputs, jnp.where(examples.weight[..., None] == 0, jnp.nan, examples.targets), examples.weight
    )
    close(run(BPTT(), model, dirty, (0, 12)), run(BPTT(), model, examples, (0, 12)))


def test_a_trainable_initial_state_gets_its_gradient(problem):
    model = ost.layers.learn_initial_state(ost.cells.GRU(2, 2, key=jr.key(0)))
    _, examples = problem
    exact = run(BPTT(), model, examples, (0, 12))
    assert float(jnp.max(jnp.abs(jax.tree.leaves(exact[1].initial)[0]))) > 1e-3
    close(run(TruncatedBPTT(12), model, examples, (0, 12)), exact)


@pytest.mark.parametrize(("window", "stride"), [(12, 12), (20, 12), (13, 1), (16, 5)])
def test_a_window_over_everything_is_bptt(problem, window, stride):
    model, examples = problem
    close(run(TruncatedBPTT(window, stride), model, examples, (0, 12)), run(BPTT(), model, examples, (0, 12)))


@pytest.mark.parametrize(("window", "stride"), [(4, 2), (3, 3), (5, 1)])
def test_truncation_equals_its_definition(problem, window, stride):
    model, examples = problem
    total, grads = run(TruncatedBPTT(window, stride), model, examples, (0, 12))
    # The definition: for each block, hold the state `window` steps before its end fixed, and differentiate what
    # follows.
    expected, expected_total = None, 0.0

    @eqx.filter_jit
    @eqx.filter_value_and_grad
    def judged(model, state, cut):
        ys, _ = model(cut.inputs, state)
        return jnp.sum(cut.weight * jnp.mean((ys - cut.targets) ** 2, axis=-1))

    for stop in range(stride, 13, stride):
        first = max(stop - window, 0)
        state = None
        if first:
            _, state = model(examples.inputs.window(0, first))
        weight = examples.weight.at[:, : stop - stride].set(0.0)
        cut = ost.Examples(examples.inputs, examples.targets, weight).window(first, stop)
        v, g = judged(model, state, cut)
        expected_total += v
        expected = g if expected is None else jax.tree.map(jnp.add, expected, g)
    close((total, grads), (expected_total, expected))
    exact = run(BPTT(), model, examples, (0, 12))[1]
    gaps = [float(jnp.max(jnp.abs(a - b))) for a, b in zip(jax.tree.leaves(grads), jax.tree.leaves(exact), strict=True)]
    assert max(gaps) > 1e-3


def test_chunks_of_whole_strides_add_up(problem):
    model, examples = problem
    rule = TruncatedBPTT(6, 2)
    close(run(rule, model, examples, (0, 4, 6, 12)), run(rule, model, examples, (0, 12)))


def test_noise_is_the_same_in_and_out_of_the_window():
    model = ost.RNN("gru", 2, 4, num_layers=2, dropout=0.4, output_size=1, key=jr.key(0))
    inputs = ost.SequenceBatch(jr.normal(jr.key(1), (2, 8, 2)))
    examples = ost.Examples(inputs, jnp.zeros((2, 8, 1)), jnp.ones((2, 8)))
    exact, rule = BPTT(), TruncatedBPTT(12, 2)
    a = exact(model, squared, examples, exact.init(model, examples), jr.key(3))
    b = rule(model, squared, examples, rule.init(model, examples), jr.key(3))
    close(a[:2], b[:2])


def test_what_each_rule_says_of_itself():
    assert isinstance(BPTT().applies(None), Exact)
    causal = ost.RNN("gru", 2, 4, output_size=2, key=jr.key(0))
    assert isinstance(TruncatedBPTT(5).applies(causal), Approximate)
    both = ost.RNN("gru", 2, 4, bidirectional=True, output_size=2, key=jr.key(0))
    with pytest.raises(UnsupportedRule, match=r"TruncatedBPTT does not hold for RNN\(Bidirectional, Readout\).*whole"):
        TruncatedBPTT(5).check(both)
    with pytest.raises(UnsupportedRule, match="does not say which network it runs"):
        TruncatedBPTT(5).check(jnp.tanh)
    with pytest.raises(SettingsError, match="stride: expected 1 to window = 3, got 4"):
        TruncatedBPTT(3, 4)
    assert {"bptt", "truncated-bptt"} <= set(RULES)
