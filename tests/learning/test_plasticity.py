"""Hebb's, Oja's and intrinsic plasticity: closed forms, principal components, and the published equations."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import ostinato as ost
from ostinato.errors import SettingsError, UnsupportedRule
from ostinato.learning import Hebb, IntrinsicPlasticity, Oja
from ostinato.training import fit

SQUARED = ost.losses.squared


class Same:
    def __init__(self, examples):
        self.examples = examples

    def __len__(self):
        return 1

    def at(self, step):
        return self.examples


def data(time=600, outputs=1):
    """Correlated numbers with mean 0, the same every time."""
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(time, 4)) @ np.diag([2.0, 1.4, 0.7, 0.3]) @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    xs -= xs.mean(axis=0)
    targets = rng.normal(size=(time, outputs))
    return xs, ost.Examples(ost.SequenceBatch(jnp.asarray(xs)), jnp.asarray(targets), jnp.full(time, 1 / time))


def test_hebb_in_closed_form(x64):
    xs, examples = data(time=50, outputs=2)
    model = ost.Readout(4, 2, key=jr.key(0))
    plain = fit(model, Same(examples), loss=SQUARED, rule=Hebb(0.01), steps=1).model
    grown = np.asarray(model.V)
    for x in xs:
        grown = grown @ (np.eye(4) + 0.01 * np.outer(x, x))
    np.testing.assert_allclose(plain.V, grown, rtol=1e-10)
    taught = fit(model, Same(examples), loss=SQUARED, rule=Hebb(0.01, supervised=True), steps=1).model
    np.testing.assert_allclose(taught.V, model.V + 0.01 * np.asarray(examples.targets).T @ xs, rtol=1e-10)
    np.testing.assert_array_equal(taught.c, model.c)


def test_oja_finds_the_first_principal_component_and_hebb_does_not_stop(x64):
    xs, examples = data()
    first = np.linalg.eigh(np.cov(xs.T))[1][:, -1]
    model = ost.Readout(4, 1, key=jr.key(0))
    v = np.asarray(fit(model, Same(examples), loss=SQUARED, rule=Oja(0.002), steps=8).model.V)[0]
    assert abs(np.linalg.norm(v) - 1) < 0.01
    assert abs(v @ first) > 0.999
    start = np.asarray(model.V)[0]
    assert abs(start @ first) / np.linalg.norm(start) < 0.9
    hebb = np.asarray(fit(model, Same(examples), loss=SQUARED, rule=Hebb(0.002), steps=8).model.V)[0]
    assert np.linalg.norm(hebb) > 100
    assert abs(hebb @ first) / np.linalg.norm(hebb) > 0.999


def test_several_outputs_find_the_space_and_in_order_the_components(x64):
    xs, examples = data(outputs=2)
    vectors = np.linalg.eigh(np.cov(xs.T))[1][:, ::-1]
    # From halfway between the components, where the rule for the space has no reason to turn.
    halfway = (vectors[:, :2] @ np.array([[1.0, 1.0], [1.0, -1.0]]) / 2).T
    model = eqx.tree_at(lambda m: m.V, ost.Readout(4, 2, key=jr.key(1)), jnp.asarray(halfway))
    space = np.asarray(fit(model, Same(examples), loss=SQUARED, rule=Oja(0.002), steps=20).model.V)
    np.testing.assert_allclose(space.T @ space, vectors[:, :2] @ vectors[:, :2].T, atol=0.06)
    found = np.asarray(fit(model, Same(examples), loss=SQUARED, rule=Oja(0.002, ordered=True), steps=20).model.V)
    assert (np.abs(np.diag(found @ vectors[:, :2])) > 0.995).all()
    assert (np.abs(np.diag(space @ vectors[:, :2])) < 0.9).any()


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_intrinsic_plasticity_is_the_published_rule(x64, activation):
    cell = ost.cells.EchoState(1, 6, activation=activation, leak=0.7, bias_scaling=0.1, key=jr.key(0))
    mu, sigma, rate = (0.1, 0.3, 0.01) if activation == "tanh" else (0.2, 1.0, 0.01)
    xs = np.asarray(jr.normal(jr.key(1), (2, 30, 1)))
    mask = np.arange(30) < np.array([[30], [20]])
    inputs = ost.SequenceBatch(jnp.asarray(xs), jnp.asarray(mask))
    examples = ost.Examples(inputs, jnp.zeros((2, 30, 6)), jnp.ones((2, 30)))
    rule = IntrinsicPlasticity(rate, mu, sigma)
    found = fit(cell, Same(examples), loss=SQUARED, rule=rule, steps=1).model
    W, R, b = (np.asarray(a[0]) for a in (cell.W, cell.R, cell.b))
    a, h = np.ones(6), np.zeros((2, 6))
    for t in range(30):
        rows = [r for r in range(2) if mask[r, t]]
        net = xs[:, t] @ W.T + h @ R.T
        if activation == "tanh":
            y = np.tanh(a * net + b)
            db = -rate * (-mu / sigma**2 + y / sigma**2 * (2 * sigma**2 + 1 - y**2 + mu * y))
        else:
            y = 1 / (1 + np.exp(-(a * net + b)))
            db = rate * (1 - (2 + 1 / mu) * y + y**2 / mu)
        da = rate / a + db * net
        a, b = a + da[rows].mean(axis=0), b + db[rows].mean(axis=0)
        h[rows] = (0.3 * h + 0.7 * y)[rows]
    np.testing.assert_allclose(found.b[0], b, rtol=1e-9)
    np.testing.assert_allclose(found.R[0], a[:, None] * R, rtol=1e-9)
    np.testing.assert_allclose(found.W[0], a[:, None] * W, rtol=1e-9)


def test_intrinsic_plasticity_reaches_the_wanted_distribution():
    model = ost.RNN("echo-state", 1, 30, output_size=1, key=jr.key(0))
    xs = jr.normal(jr.key(1), (1, 500, 1))
    examples = ost.Examples(ost.SequenceBatch(xs), jnp.zeros((1, 500, 1)), jnp.ones((1, 500)))
    rule = IntrinsicPlasticity(0.002, 0.0, 0.2)
    after = fit(model, Same(examples), loss=SQUARED, rule=rule, steps=30).model
    deviations = [np.std(ost.unroll(m.stack.layers[0], xs)[0][0, 100:], axis=0) for m in (model, after)]
    assert np.abs(deviations[1] - 0.2).mean() < 0.03
    assert np.abs(deviations[0] - 0.2).mean() > 0.1
    np.testing.assert_array_equal(after.stack.layers[1].V, model.stack.layers[1].V)


def test_what_is_refused():
    for model, why in (
        (ost.RNN("gru", 1, 3, key=jr.key(0)), "no EchoState"),
        (ost.RNN("echo-state", 1, 3, activation="relu", key=jr.key(0)), "units are relu"),
        (ost.RNN("echo-state", 1, 3, activation="sigmoid", key=jr.key(0)), "a mean of more than 0"),
    ):
        with pytest.raises(UnsupportedRule, match=why):
            IntrinsicPlasticity().check(model)
    for wrong in (lambda: Hebb(0.0), lambda: Oja(-1.0), lambda: IntrinsicPlasticity(deviation=0.0)):
        with pytest.raises(SettingsError, match="more than 0"):
            wrong()
