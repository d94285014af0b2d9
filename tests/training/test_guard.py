"""Numbers that are not finite: nothing of them is taken over, the step is named, and where they came from."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ostinato as ost
from ostinato.errors import NonFiniteError
from ostinato.learning import BPTT
from ostinato.runs import Run, checkpoints, load_checkpoint
from ostinato.training import fit
from ostinato.training.guard import MOST_IN_A_ROW, trace_back
from ostinato.training.update import Update

SQUARED = ost.losses.squared
SGD = optax.sgd(0.1, momentum=0.9)


def spoil(examples: ost.Examples) -> ost.Examples:
    return eqx.tree_at(lambda e: e.targets, examples, examples.targets.at[1, 2, 0].set(jnp.nan))


def sgd(linear, batches, order, start=None):
    """Momentum descent in numpy over the batches of the given steps."""
    V, c, mV, mc = start or (np.array([[0.3, 0.2]]), np.array([0.1]), 0.0, 0.0)
    for step in order:
        _, dV, dc = linear.value_and_grads(V, c, batches.at(step))
        mV, mc = 0.9 * mV + dV, 0.9 * mc + dc
        V, c = V - 0.1 * mV, c - 0.1 * mc
    return V, c, mV, mc


@pytest.fixture
def spoiled(x64, linear):
    """Ten batches, of which number 5 has a target that is not a number."""
    examples = linear.examples(10)
    return linear.Listed([*examples[:5], spoil(examples[5]), *examples[6:]])


def test_stop_names_the_step_and_keeps_the_weights_before_it(linear, spoiled, tmp_path):
    message = (
        r"step 5: not finite \(loss nan\); targets value: row 1, time step 2; batch 5 of epoch 0, "
        r"noise stream\(3, 'noise', 5\); the weights before it are kept in .*step-00000005"
    )
    options = {"loss": SQUARED, "optimizer": SGD, "epochs": 2, "seed": 3}
    for _ in range(2):  # the second time from the checkpoint
        with Run(tmp_path / "run") as run, pytest.raises(NonFiniteError, match=message):
            fit(linear.model(), spoiled, run=run, **options)
    (path,) = checkpoints(run.checkpoints)
    weights = eqx.filter(linear.model(), eqx.is_inexact_array)
    found = load_checkpoint(path, linear.model(), SGD.init(weights))
    np.testing.assert_allclose(found.model.V, sgd(linear, spoiled, range(5))[0], rtol=1e-12)
    assert [r["at"] for r in run.log.records() if r["kind"] == "nonfinite"] == [5, 5]


def test_skip_leaves_the_batch_out(linear, spoiled):
    result = fit(linear.model(), spoiled, loss=SQUARED, optimizer=SGD, epochs=2, on_nonfinite="skip")
    V, c, *_ = sgd(linear, spoiled, [s for s in range(20) if s % 10 != 5])
    np.testing.assert_allclose(result.model.V, V, rtol=1e-12)
    np.testing.assert_allclose(result.model.c, c, rtol=1e-12)
    assert result.skipped == [5, 15]
    assert np.isfinite([r["loss"] for r in result.history]).all()


def test_rollback_goes_on_behind_the_batch_with_what_the_last_evaluation_had(linear, spoiled, tmp_path):
    options = {"loss": SQUARED, "optimizer": SGD, "epochs": 1, "every": 4, "on_nonfinite": "rollback"}
    with Run(tmp_path) as run:
        result = fit(linear.model(), spoiled, run=run, **options)
    V, c, *_ = sgd(linear, spoiled, range(6, 10), sgd(linear, spoiled, range(4)))
    np.testing.assert_allclose(result.model.V, V, rtol=1e-12)
    np.testing.assert_allclose(result.model.c, c, rtol=1e-12)
    assert (result.skipped, result.steps) == ([5], 10)
    assert [r["step"] for r in result.history] == [4, 8, 10]
    assert [r["at"] for r in run.log.records() if r["kind"] == "rollback"] == [5]


@pytest.mark.parametrize("policy", ["skip", "rollback"])
def test_training_that_learns_nothing_says_so(x64, linear, policy):
    batches = linear.Listed([spoil(linear.examples(1)[0])])
    with pytest.raises(NonFiniteError, match=f"{MOST_IN_A_ROW} batches in a row"):
        fit(linear.model(), batches, loss=SQUARED, steps=100, on_nonfinite=policy)


def test_an_update_that_overflows_is_not_taken_over(x64, linear):
    batches = linear.Listed(linear.examples(3))
    with pytest.raises(NonFiniteError, match=r"step 0: .*weights after the update: V, c"):
        fit(linear.model(), batches, loss=SQUARED, optimizer=optax.sgd(1e308 * 1e10), steps=3)


def diagnose(model, examples, loss=SQUARED, chunk=None):
    optimizer = optax.sgd(0.1)
    opt_state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))
    update = Update(
        model,
        opt_state,
        rule=BPTT(),
        loss=loss,
        optimizer=optimizer,
        chunk=chunk,
        constrain=None,
        freeze=True,
    )
    return trace_back(update, model, opt_state, examples, jax.random.key(0))


def explosive(time: int = 6, at: int = 3, bidirectional: bool = False):
    """Two layers; the first one overflows in row 1 at a known time, from a spike in its input."""
    cell = {"activation": jnp.exp}
    model = ost.RNN("elman", 2, 3, 2, output_size=1, bidirectional=bidirectional, key=jax.random.key(0), **cell)
    xs = jnp.zeros((2, time, 2)).at[1, at].set(jnp.asarray([1e4, 1e4]))
    # All weights positive, so that the spike overflows whatever was drawn; and small, so that nothing else does.
    model = jax.tree.map(lambda w: jnp.abs(w) * 0.1 if eqx.is_inexact_array(w) else w, model)
    return model, ost.Examples(ost.SequenceBatch(xs), jnp.zeros((2, time, 1)), jnp.full((2, time), 0.1))


def test_the_first_layer_and_time_step_are_named():
    model, examples = explosive()
    assert diagnose(model, examples) == "layer 0 (Elman), 'h', row 1, time step 3"
    # The same in pieces, where the state and the steps run through.
    assert diagnose(model, examples, chunk=2) == "layer 0 (Elman), 'h', row 1, time step 3"
    one = model.stack.layers[0]
    cell_examples = ost.Examples(examples.inputs, jnp.zeros((2, 6, 3)), examples.weight)
    assert diagnose(one, cell_examples) == "layer 0 (Elman), 'h', row 1, time step 3"


def test_the_direction_from_the_end_is_searched_from_the_end():
    model, examples = explosive(at=4, bidirectional=True)
    assert diagnose(model, examples) == "layer 0 (Bidirectional), 'backward/h', row 1, time step 4"
    model, examples = explosive(at=1, bidirectional=True)
    assert diagnose(model, examples) == "layer 0 (Bidirectional), 'forward/h', row 1, time step 1"


def test_an_upper_layer_the_readout_the_loss_the_gradient_and_the_batch_are_named(linear):
    model, examples = explosive()
    calm = eqx.tree_at(lambda e: e.inputs.values, examples, jnp.ones_like(examples.inputs.values))
    assert diagnose(model, calm).startswith("when run again, everything is finite")
    upper = eqx.tree_at(lambda m: m.stack.layers[1].W, model, model.stack.layers[1].W * 1e6)
    assert diagnose(upper, calm) == "layer 1 (Elman), 'h', row 0, time step 0"
    top = eqx.tree_at(lambda m: m.stack.layers[2].V, model, jnp.full_like(model.stack.layers[2].V, 3e38))
    assert diagnose(top, calm) == "layer 2 (Readout), outputs, row 0, time step 0"
    broken = eqx.tree_at(lambda m: m.stack.layers[1].R, model, model.stack.layers[1].R.at[0, 0].set(jnp.nan))
    assert diagnose(broken, calm) == "weights: stack.layers.1.R"
    late = eqx.tree_at(lambda e: e.targets, calm, calm.targets.at[1, 4].set(2.0))
    assert diagnose(model, late, loss=lambda y, t: jnp.log(1 - t[0])) == "loss, row 1, time step 4"
    steep = diagnose(model, calm, loss=lambda y, t: jnp.sqrt(jnp.sum(0 * y)))
    assert steep.startswith("gradients: stack.layers.0.W")
    nan = eqx.tree_at(lambda e: e.inputs.values, calm, calm.inputs.values.at[0, 5, 1].set(jnp.nan))
    assert diagnose(model, nan).startswith("inputs: values: nan at index (0, 5, 1)")
    heavy = eqx.tree_at(lambda e: e.weight, calm, calm.weight.at[1, 5].set(jnp.inf))
    assert diagnose(model, heavy) == "weight: row 1, time step 5"


def test_what_counts_nothing_may_hold_anything(x64, linear):
    examples = spoil(linear.examples(1)[0])
    hidden = eqx.tree_at(lambda e: e.weight, examples, examples.weight.at[1, 2].set(0.0))
    result = fit(linear.model(), linear.Listed([hidden]), loss=SQUARED, steps=2)
    assert np.isfinite(np.asarray(result.model.V)).all()


def test_one_output_for_a_sequence_is_traced_too():
    _, examples = explosive()
    rnn = ost.RNN("elman", 2, 3, key=jax.random.key(0))
    model = ost.ManyToOne(rnn, 1, key=jax.random.key(1))
    model = jax.tree.map(lambda w: jnp.abs(w) + 0.1 if eqx.is_inexact_array(w) else w, model)
    model = eqx.tree_at(lambda m: m.readout.V, model, jnp.full_like(model.readout.V, 3e38))
    single = ost.Examples(examples.inputs, jnp.zeros((2, 1)), jnp.ones(2))
    single = eqx.tree_at(lambda e: e.inputs.values, single, jnp.ones_like(single.inputs.values))
    assert diagnose(model, single) == "ManyToOne, outputs, row 0"
