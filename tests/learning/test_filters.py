"""RBP against BPTT; CRBP against its definition in plain numpy; the special cases in which they are exact, or not."""

import itertools
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.signal import lfilter

import ostinato as ost
from ostinato.cells import Filters
from ostinato.errors import SettingsError, UnsupportedRule
from ostinato.learning import BPTT, CRBP, RBP, RULES, Approximate, Exact
from ostinato.learning.filter_layers import Synapses, responses
from ostinato.losses import squared

pytestmark = pytest.mark.usefixtures("x64")
TIME, ROWS = 12, 3


@cache
def network(*shapes, activation="tanh"):
    """Layers of filters from 2 inputs, `(taps, feedback, units)` each, the last one of 2 units."""
    sizes, layers = [2, *(units for _, _, units in shapes)], []
    for i, (taps, feedback, units) in enumerate(shapes):
        key, name = jr.key(i), activation if i < len(shapes) - 1 else "linear"
        cell = Filters(sizes[i], units, taps=taps, feedback=feedback, activation=name, dtype="float64", key=key)
        layers.append(eqx.tree_at(lambda c: c.b, cell, 0.3 * jr.normal(key, (units,), "float64")))
    return ost.Stack(layers)


def examples(rows=ROWS, time=TIME, *, holes=True, quiet=0):
    """Random sequences; `holes`: with masked steps and resets; the last `quiet` steps have weight 0."""
    k = jr.split(jr.key(7), 5)
    mask = jr.bernoulli(k[0], 0.8, (rows, time)) if holes else None
    reset = jr.bernoulli(k[1], 0.15, (rows, time)) if holes else None
    inputs = ost.SequenceBatch(jr.normal(k[2], (rows, time, 2), "float64"), mask, reset)
    weight = jnp.where(inputs.steps, jr.uniform(k[3], (rows, time), "float64"), 0.0)
    weight = weight.at[:, time - quiet :].set(0.0)
    return ost.Examples(inputs, jr.normal(k[4], (rows, time, 2), "float64"), weight)


@eqx.filter_jit
def piece(rule, model, part, carry):
    return rule(model, squared, part, carry)


def run(rule, model, given, cuts=None):
    """Value and gradients, as one vector, over chunks."""
    carry, total, whole = rule.init(model, given), 0.0, 0.0
    for a, b in itertools.pairwise(cuts or (0, given.inputs.time_size)):
        value, grads, carry = piece(rule, model, given.window(a, b), carry)
        assert jax.tree.structure(grads) == jax.tree.structure(eqx.filter(model, eqx.is_inexact_array))
        total, whole = total + value, whole + np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(grads)])
    return float(total), whole


def gap(found, expected):
    assert found[0] == pytest.approx(expected[0], rel=1e-12)
    assert np.abs(expected[1]).min() > 1e-6, "a weight has no influence"
    return np.abs(found[1] - expected[1]).max() / np.abs(expected[1]).max()


DEEP = ((3, 2, 3), (2, 1, 2), (3, 2, 2))
LOWEST = ((3, 2, 3), (1, 0, 2))
FINITE = ((3, 0, 3), (2, 0, 2), (3, 0, 2))
PLAIN = ((1, 0, 3), (1, 0, 4), (1, 0, 2))


def test_rbp_is_the_gradient_with_masks_and_resets():
    model, given = network(*DEEP), examples()
    assert isinstance(RBP().applies(model), Exact)
    exact = run(BPTT(), model, given)
    assert gap(run(RBP(), model, given), exact) < 1e-12
    # Errors between layers stop at the end of a chunk.
    assert gap(run(RBP(), model, given, (0, 6, TIME)), exact) > 1e-3


@pytest.mark.parametrize("rule", [RBP(), CRBP(4)], ids=["rbp", "crbp"])
def test_exact_on_chunks_where_only_the_first_layer_remembers(rule):
    model, given = network(*LOWEST), examples()
    assert isinstance(rule.applies(model), Exact)
    exact = run(BPTT(), model, given)
    for size in (1, 5):
        assert gap(run(rule, model, given, (*range(0, TIME, size), TIME)), exact) < 1e-12


def test_one_tap_and_no_feedback_is_back_propagation():
    """Against the chain rule by hand, every step on its own."""
    model, given = network(*PLAIN), examples(holes=False)
    W, b = ([np.asarray(a) for a in part] for part in zip(*((c.w[0], c.b) for c in model.layers), strict=True))
    expected = [[np.zeros_like(w), np.zeros_like(c)] for w, c in zip(W, b, strict=True)]
    for row, t in np.ndindex(ROWS, TIME):
        xs = [np.asarray(given.inputs.values[row, t])]
        for i, (w, c) in enumerate(zip(W, b, strict=True)):
            xs.append(w @ xs[-1] + c if i == 2 else np.tanh(w @ xs[-1] + c))
        error = np.asarray(given.weight[row, t]) * (xs[3] - np.asarray(given.targets[row, t]))
        for i in (2, 1, 0):
            delta = error if i == 2 else error * (1 - xs[i + 1] ** 2)
            expected[i][0] += np.outer(delta, xs[i])
            expected[i][1] += delta
            error = W[i].T @ delta
    flat = np.concatenate([part.ravel() for layer in expected for part in layer])
    for rule in (RBP(), CRBP(5)):
        assert isinstance(rule.applies(model), Exact)
        np.testing.assert_allclose(run(rule, model, given)[1], flat, rtol=1e-11, atol=1e-13)


def test_finite_filters_within_the_horizon_are_temporal_back_propagation():
    """Exact once the delayed steps are over; a horizon shorter than the filters is not."""
    model, given = network(*FINITE), examples(holes=False, quiet=3)
    exact = run(BPTT(), model, given)
    assert gap(run(CRBP(2), model, given), exact) < 1e-12
    assert gap(run(CRBP(9), model, given, (0, 6, TIME)), exact) < 1e-12
    assert gap(run(CRBP(1), model, given), exact) > 1e-2
    # Without steps after the end lower layers miss the last ones: layer 1 three, layer 2 two.
    assert "last 3 steps" in CRBP(2).applies(model).why
    late = examples(holes=False)
    assert gap(run(CRBP(2), model, late), run(BPTT(), model, late)) > 1e-3


@pytest.mark.parametrize("horizon", [0, 2])
def test_crbp_is_its_definition(horizon):
    model = network((3, 2, 3), (2, 2, 2))
    given = examples(1, holes=False, quiet=horizon)
    assert isinstance(CRBP(horizon).applies(model), Approximate)
    expected = definition(model, given, horizon)
    found = run(CRBP(horizon), model, given)[1]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)
    if horizon == 0:
        # Back and Tsoi: errors pass the upper layer through its first taps, as if it had no others.
        np.testing.assert_allclose(run(RULES["back-tsoi"].make(), model, given)[1], expected, rtol=1e-10, atol=1e-13)
    exact = run(BPTT(), model, given)[1]
    assert np.abs(found - exact).max() > 1e-3 * np.abs(exact).max()
    np.testing.assert_allclose(definition(model, given, TIME), exact, rtol=1e-10, atol=1e-12)


def definition(model, given, horizon):
    """The sums of the paper, term by term, for two layers and one row."""
    xs = [np.asarray(given.inputs.values[0])]
    sums, slopes = [], []
    for i, cell in enumerate(model.layers):
        w, v, b = (np.asarray(a) for a in (cell.w, cell.v, cell.b))
        y, dw, dv = (np.zeros((TIME, *shape)) for shape in (w.shape[1:], w.shape, v.shape))
        for t in range(TIME):
            for p in range(len(w)):
                if t >= p:
                    y[t] += w[p] * xs[i][t - p]
                    dw[t, p] += xs[i][t - p]
            for r in range(1, min(len(v), t) + 1):
                y[t] += v[r - 1] * y[t - r]
                dw[t] += v[r - 1] * dw[t - r]
                dv[t, r - 1] += y[t - r]
                dv[t] += v[r - 1] * dv[t - r]
        sums.append(y.sum(axis=2) + b)
        slopes.append((dw, dv))
        xs.append(np.tanh(sums[0]) if i == 0 else sums[1])
    upper = [np.asarray(a) for a in (model.layers[1].w, model.layers[1].v)]
    h = np.zeros((horizon + 1, *upper[0].shape[1:]))
    for p in range(horizon + 1):
        h[p] = upper[0][p] if p < len(upper[0]) else 0
        h[p] += sum(upper[1][r - 1] * h[p - r] for r in range(1, min(len(upper[1]), p) + 1))
    deltas = [None, np.asarray(given.weight[0])[:, None] * (xs[2] - np.asarray(given.targets[0]))]
    deltas[0] = np.zeros_like(sums[0])
    for t in range(TIME):
        e = sum(deltas[1][t + p] @ h[p] for p in range(min(horizon, TIME - 1 - t) + 1))
        deltas[0][t] = e * (1 - np.tanh(sums[0][t]) ** 2)
    parts = []
    for delta, (dw, dv) in zip(deltas, slopes, strict=True):
        parts += [np.einsum("tn,tpnm->pnm", delta, dw), np.einsum("tn,tpnm->pnm", delta, dv), delta.sum(axis=0)]
    return np.concatenate([part.ravel() for part in parts])


def test_crbp_on_chunks_is_crbp_with_masks_and_resets():
    model, given = network(*DEEP), examples()
    whole = run(CRBP(1), model, given)
    for size in (1, 5):
        assert gap(run(CRBP(1), model, given, (*range(0, TIME, size), TIME)), whole) < 1e-12


def test_a_masked_step_is_no_step():
    model, given = network(*DEEP), examples(1, holes=False)
    hole = np.arange(TIME) != 5
    short = ost.Examples(ost.SequenceBatch(given.inputs.values[:, hole]), given.targets[:, hole], given.weight[:, hole])
    inputs = ost.SequenceBatch(jnp.where(hole[:, None], given.inputs.values, jnp.nan), jnp.asarray(hole)[None])
    given = ost.Examples(inputs, given.targets, jnp.where(hole, given.weight, 0.0))
    found, expected = (run(CRBP(2), model, part)[1] for part in (given, short))
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-14)


def test_responses_are_those_of_the_filters():
    cell = network(*DEEP).layers[0]
    found = np.asarray(responses(Synapses(cell.w, cell.v, cell.b), 12))
    impulse = np.zeros(12)
    impulse[0] = 1
    for n, m in np.ndindex(found.shape[1:]):
        poles = np.concatenate([[1], -np.asarray(cell.v[:, n, m])])
        np.testing.assert_allclose(found[:, n, m], lfilter(cell.w[:, n, m], poles, impulse), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("rule", [RBP(), CRBP()], ids=["rbp", "crbp"])
def test_other_models_are_refused(rule):
    key = jr.key(0)
    for why, model in {
        "GRU": ost.RNN("gru", 2, 3, key=key),
        "residual": ost.RNN("iir", 2, 2, residual=True, key=key),
        "Dropout": ost.RNN("iir", 2, 2, num_layers=2, dropout=0.5, key=key),
        "whole sequence": ost.ManyToOne(ost.RNN("iir", 2, 2, key=key), 1, key=key),
        "Bidirectional": ost.RNN("iir", 2, 2, bidirectional=True, key=key),
        "LearnedInitialState": ost.layers.learn_initial_state(Filters(2, 2, key=key)),
    }.items():
        with pytest.raises(UnsupportedRule, match=why):
            rule.check(model)
    with pytest.raises(SettingsError, match="horizon"):
        CRBP(-1)
