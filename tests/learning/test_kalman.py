"""The Kalman filter: recursive least squares where the network is linear, and a numpy filter where it is not."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import ostinato as ost
from ostinato.errors import SettingsError, UnsupportedRule
from ostinato.learning import RLS, KalmanFilter, parameters_to_vector, vector_to_parameters
from ostinato.learning.kalman import members
from ostinato.training import fit
from tests.listed import Listed

SQUARED = ost.losses.squared


def make(seed, rows, time, outputs=2):
    rng = np.random.default_rng(seed)
    xs, targets = rng.normal(size=(rows, time, 2)), rng.normal(size=(rows, time, outputs))
    weight = (rng.random((rows, time)) < 0.8).astype(float)
    targets[weight == 0] = np.nan
    return ost.Examples(ost.SequenceBatch(jnp.asarray(xs)), jnp.asarray(targets), jnp.asarray(weight))


@pytest.mark.parametrize("reservoir", [False, True])
def test_on_a_linear_network_it_is_recursive_least_squares(x64, reservoir):
    if reservoir:
        model = ost.RNN("echo-state", 2, 5, output_size=2, activation="linear", leak=0.5, key=jr.key(0))
    else:
        model = ost.Readout(2, 2, key=jr.key(0))
    batches = Listed([make(1, 3, 8), make(2, 3, 8)])
    filtered = fit(model, batches, loss=SQUARED, rule=KalmanFilter(noise=1.0, spread=5.0), steps=2)
    squares = fit(model, batches, loss=SQUARED, rule=RLS(alpha=0.2), steps=2)
    a, b = np.asarray(parameters_to_vector(filtered.model)), np.asarray(parameters_to_vector(squares.model))
    assert np.abs(a - b).max() <= 1e-8 * np.abs(b).max()
    assert np.abs(b - np.asarray(parameters_to_vector(model))).max() > 0.05
    if not reservoir:  # rows taken together or one after the other: the same weights, other errors on the way
        one = [make(1, 1, 8), make(2, 1, 8)]
        losses = [
            fit(model, Listed(one), loss=SQUARED, rule=rule, steps=2).history[-1]["loss"]
            for rule in (KalmanFilter(noise=1.0, spread=5.0), RLS(alpha=0.2))
        ]
        np.testing.assert_allclose(*losses, rtol=1e-8)


@pytest.mark.parametrize("groups", ["global", "unit", "array"])
def test_on_a_curved_network_it_is_the_filter_written_out(x64, groups):
    model = ost.RNN("gru", 2, 3, output_size=2, key=jr.key(0))
    examples = make(3, 2, 4)
    rule = KalmanFilter(noise=0.3, process=1e-3, spread=0.5, groups=groups)
    found = fit(model, Listed([examples]), loss=SQUARED, rule=rule, steps=1).model
    xs, targets, counts = (np.asarray(a) for a in (examples.inputs.values, examples.targets, examples.weight))
    cell, w = model.cell, np.asarray(parameters_to_vector(model))
    n = w.size
    together = np.zeros((n, n))
    for block in members(model, groups):
        for group in block:
            together[np.ix_(group, group)] = 1
    assert together.diagonal().all()
    assert (groups == "global") == bool(together.all())
    leaves, structure = jax.tree.flatten(cell.init_state())
    sizes = np.cumsum([leaf.size for leaf in leaves])[:-1]

    @jax.jit
    def step(w, s, x):
        parts = [p.reshape(a.shape) for p, a in zip(jnp.split(s, sizes), leaves, strict=True)]
        new, y = vector_to_parameters(model, w).cell(x, jax.tree.unflatten(structure, parts))
        return jnp.concatenate([a.reshape(-1) for a in jax.tree.leaves(new)]), y

    slopes = jax.jit(jax.jacfwd(step, (0, 1)))
    S = sum(leaf.size for leaf in leaves)
    P, states, Js = 0.5 * np.eye(n), np.zeros((2, S)), np.zeros((2, S, n))
    for t in range(4):
        H, e = [], []
        for row in range(2):
            (s_w, s_s), (y_w, y_s) = slopes(w, states[row], xs[row, t])
            H.append((y_w + y_s @ Js[row]) * counts[row, t])
            states[row], y = step(w, states[row], xs[row, t])
            Js[row] = s_w + s_s @ Js[row]
            e.append((targets[row, t] - y) if counts[row, t] else np.zeros(2))
        H, e = np.concatenate(H), np.concatenate(e)
        K = P @ H.T @ np.linalg.inv(H @ P @ H.T + 0.3 * np.eye(4))
        w, P = w + K @ e, (P - K @ H @ P) * together + 1e-3 * np.eye(n)
    np.testing.assert_allclose(parameters_to_vector(found), w, rtol=1e-7, atol=1e-9)


def test_groups_by_unit():
    model = ost.RNN("elman", 2, 3, output_size=2, key=jr.key(0))
    tagged = vector_to_parameters(model, jnp.arange(parameters_to_vector(model).size, dtype=jnp.float32))
    cell, readout = tagged.stack.layers
    units = [{*cell.W[0, i].tolist(), *cell.R[0, i].tolist(), float(cell.b[0, i])} for i in range(3)]
    units += [{*readout.V[i].tolist(), float(readout.c[i])} for i in range(2)]
    found = [set(map(float, group)) for block in members(model, "unit") for group in block]
    assert sorted(map(sorted, found)) == sorted(map(sorted, units))


def test_the_reservoir_is_kept_and_what_is_refused():
    model = ost.RNN("echo-state", 2, 4, output_size=1, key=jr.key(0))
    assert [b.shape for b in members(model, "global")] == [(1, 5)]
    causal = ost.RNN("gru", 2, 3, output_size=1, key=jr.key(0))
    for wrong, why in (
        (ost.RNN("gru", 2, 3, bidirectional=True, key=jr.key(0)), "whole sequence"),
        (ost.ManyToOne(causal, 1, key=jr.key(0)), "no observation at each step"),
        (ost.cells.EchoState(1, 3, key=jr.key(0)), "none of its weights"),
        (lambda xs: xs, "it is no cell"),
    ):
        with pytest.raises(UnsupportedRule, match=why):
            KalmanFilter().check(wrong)
    for settings in ({"noise": 0.0}, {"process": -1.0}, {"spread": 0.0}, {"groups": "none"}):
        with pytest.raises(SettingsError, match=next(iter(settings))):
            KalmanFilter(**settings)
