"""Gradients of the CTRNN's equation: backwards, forwards, and of ever finer Euler steps."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import ostinato as ost
from ostinato.cells import CTRNN, RungeKutta
from ostinato.errors import SettingsError, UnsupportedRule
from ostinato.learning import BPTT, Approximate, ContinuousBPTT, ContinuousRTRL
from ostinato.losses import squared

pytestmark = pytest.mark.usefixtures("x64")
ROWS, TIME, TIGHT = 2, 4, {"rtol": 1e-10, "atol": 1e-12}


def network():
    cell = CTRNN(1, 2, tau=(0.5, 2.0), theta=(0.3, -0.2), gain=(1.5, 1.0), dtype="float64", key=jr.key(0))
    cell = eqx.tree_at(lambda c: c.R, cell, 4 * cell.R)
    return ost.Stack([cell, ost.Readout(2, 1, dtype="float64", key=jr.key(1))])


def problem():
    """Uneven steps, a hole, a reset."""
    k = jr.split(jr.key(2), 3)
    mask = jnp.ones((ROWS, TIME), bool).at[0, 1].set(False)
    reset = jnp.zeros((ROWS, TIME), bool).at[1, 2].set(True)
    dt = jnp.array([[0.3, 9.0, 1.7, 0.02], [1.0, 0.4, 0.9, 2.0]])
    inputs = ost.SequenceBatch(jr.normal(k[0], (ROWS, TIME, 1)), mask, reset, dt)
    weight = jnp.where(mask, jr.uniform(k[1], (ROWS, TIME)), 0.0)
    return ost.Examples(inputs, jr.normal(k[2], (ROWS, TIME, 1)), weight)


@eqx.filter_jit
def piece(rule, model, part, carry):
    return rule(model, squared, part, carry)


def run(rule, model, given, cuts=None):
    carry, total, whole = rule.init(model, given), 0.0, 0.0
    for a, b in cuts or [(0, given.inputs.time_size)]:
        value, grads, carry = piece(rule, model, given.window(a, b), carry)
        assert jax.tree.structure(grads) == jax.tree.structure(eqx.filter(model, eqx.is_inexact_array))
        total, whole = total + value, whole + np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(grads)])
    return float(total), whole


def far(found, expected):
    return np.abs(found[1] - expected[1]).max() / np.abs(expected[1]).max()


def fine(given, parts):
    """The same sequence with every step cut into equal parts, of which the last one counts."""
    cut = lambda a, share=1: None if a is None else jnp.repeat(a, parts, axis=1) / share
    inputs = given.inputs
    at = np.arange(TIME * parts) % parts
    reset = jnp.where(at == 0, jnp.repeat(inputs.reset, parts, axis=1), False)
    batch = ost.SequenceBatch(cut(inputs.values), jnp.repeat(inputs.mask, parts, axis=1), reset, cut(inputs.dt, parts))
    return ost.Examples(batch, cut(given.targets), jnp.where(at == parts - 1, cut(given.weight), 0.0))


def test_backwards_forwards_and_fine_steps_agree():
    model, given = network(), problem()
    assert isinstance(ContinuousBPTT().applies(model), Approximate)
    back = run(ContinuousBPTT(**TIGHT), model, given)
    assert np.abs(back[1]).min() > 1e-4
    # Forwards in chunks of one step: what lies between them is in the derivatives that it carries.
    forth = run(ContinuousRTRL(**TIGHT), model, given, [(t, t + 1) for t in range(TIME)])
    assert forth[0] == pytest.approx(back[0], rel=1e-8)
    assert far(forth, back) < 1e-7
    # Euler's gradient comes nearer in proportion to its steps; with the sequence's own it is another.
    errors = [far(run(BPTT(), model, fine(given, parts)), back) for parts in (1, 100, 400)]
    assert errors[0] > 0.1
    assert errors[1] < 0.03
    assert errors[2] == pytest.approx(errors[1] / 4, rel=0.1)


@pytest.mark.full
@pytest.mark.parametrize("adjoint", ["backsolve", "direct"])
def test_every_adjoint_gives_it(adjoint):
    """The same weights in another integrator have the same gradient."""
    model, given = network(), problem()
    back = run(ContinuousBPTT(**TIGHT), model, given)
    stepping = ost.Stack([RungeKutta(model.layers[0]), model.layers[1]])
    assert far(run(ContinuousBPTT(**TIGHT, adjoint=adjoint), stepping, given), back) < 1e-7


def test_other_models_are_refused():
    key = jr.key(0)
    ctrnn = CTRNN(1, 2, key=key)
    refused = {
        "differential equation": ost.RNN("gru", 1, 2, key=key),
        "counts steps": ost.layers.learn_initial_state(ctrnn),
        "bidirectional": ost.RNN("ctrnn", 1, 2, bidirectional=True, key=key),
        "whole sequence": ost.ManyToOne(ost.RNN("ctrnn", 1, 2, key=key), 1, key=key),
    }
    for why, model in refused.items():
        with pytest.raises(UnsupportedRule, match=why):
            ContinuousRTRL().check(model)
    ContinuousBPTT().check(refused["bidirectional"])
    with pytest.raises(SettingsError, match="adjoint"):
        ContinuousBPTT(adjoint="forward")
