"""The loop against gradient descent written down in numpy; and what it promises to those who call it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ostinato as ost
from ostinato.data import Batches, SequenceSource, stream
from ostinato.errors import SettingsError, UnsupportedRule
from ostinato.layers.dropout import Dropout
from ostinato.learning import TruncatedBPTT
from ostinato.learning.base import weighted_loss
from ostinato.training import fit

SQUARED = ost.losses.squared


def adam(linear, batches, steps, rate=1e-3):
    """Kingma and Ba's algorithm, in numpy: the weights after, and the losses on the way."""
    weights = [np.array([[0.3, 0.2]]), np.array([0.1])]
    m, v, losses = [0.0, 0.0], [0.0, 0.0], []
    for step in range(steps):
        value, *grads = linear.value_and_grads(*weights, batches.at(step))
        losses.append(value)
        for i, g in enumerate(grads):
            m[i], v[i] = 0.9 * m[i] + 0.1 * g, 0.999 * v[i] + 0.001 * g**2
            unbiased = m[i] / (1 - 0.9 ** (step + 1)), v[i] / (1 - 0.999 ** (step + 1))
            weights[i] = weights[i] - rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    return weights, losses


def test_the_default_is_adam_on_the_summed_weighted_loss(x64, linear):
    batches = linear.Listed(linear.examples(7))
    model = linear.model()
    result = fit(model, batches, loss=SQUARED, epochs=3)
    (V, c), losses = adam(linear, batches, 21)
    np.testing.assert_allclose(result.model.V, V, rtol=1e-12)
    np.testing.assert_allclose(result.model.c, c, rtol=1e-12)
    assert [(r["step"], r["epoch"]) for r in result.history] == [(7, 1.0), (14, 2.0), (21, 3.0)]
    np.testing.assert_allclose([r["loss"] for r in result.history], np.reshape(losses, (3, 7)).mean(axis=1), rtol=1e-12)
    assert (result.steps, result.stopped, result.best, result.skipped) == (21, "steps", {}, [])
    # The caller's model is as it was, and can be used.
    np.testing.assert_array_equal(model.V, [[0.3, 0.2]])


def test_in_chunks_each_piece_of_time_has_its_update(x64, linear):
    batches = linear.Listed(linear.examples(2, time=7))
    result = fit(linear.model(), batches, loss=SQUARED, optimizer=optax.sgd(0.1), steps=3, chunk=3)
    V, c = np.array([[0.3, 0.2]]), np.array([0.1])
    total = 0.0
    for step in range(3):
        for start, stop in ((0, 3), (3, 6), (6, 7)):
            value, dV, dc = linear.value_and_grads(V, c, batches.at(step).window(start, stop))
            V, c, total = V - 0.1 * dV, c - 0.1 * dc, total + value
    np.testing.assert_allclose(result.model.V, V, rtol=1e-12)
    np.testing.assert_allclose(result.model.c, c, rtol=1e-12)
    losses = [r["loss"] * n for r, n in zip(result.history, (2, 1), strict=True)]
    np.testing.assert_allclose(sum(losses), total, rtol=1e-12)


def test_in_chunks_the_state_runs_through(x64, linear):
    model = ost.RNN("elman", 2, 3, output_size=1, key=jax.random.key(1))
    batches = linear.Listed(linear.examples(1, time=7))
    still = {"loss": SQUARED, "optimizer": optax.sgd(0.0), "steps": 1}
    whole = fit(model, batches, **still).history[0]["loss"]
    np.testing.assert_allclose(fit(model, batches, chunk=3, **still).history[0]["loss"], whole, rtol=1e-12)
    # Not so where each piece starts anew: the comparison above can fail.
    pieces = linear.Listed([batches.at(0).window(0, 3), batches.at(0).window(3, 7)])
    alone = fit(model, pieces, **still | {"steps": 2}).history[0]["loss"] * 2
    assert abs(alone - whole) > 1e-4


def test_the_best_weights_are_kept_and_patience_ends_training(linear):
    script = [5.0, 3.0, np.nan, 4.0, 2.0, 2.0, 7.0, 2.5, 1.0]
    seen = []

    def validate(model):
        seen.append(model)
        return {"rmse": jnp.asarray(script[len(seen) - 1]), "other": len(seen)}

    batches = linear.Listed(linear.examples(4))
    result = fit(linear.model(), batches, loss=SQUARED, epochs=10, every=3, validate=validate, patience=3)
    assert (result.stopped, result.steps, len(seen)) == ("patience", 24, 8)
    assert result.best == {"step": 15, "rmse": 2.0, "other": 5.0}
    np.testing.assert_array_equal(result.model.V, seen[4].V)
    np.testing.assert_array_equal(result.last.V, seen[7].V)
    assert not np.array_equal(result.model.V, result.last.V)
    assert [r["metrics"]["other"] for r in result.history] == list(range(1, 9))
    # What validate was given stays usable, whatever the loop hands over to the device.
    assert len({tuple(np.asarray(m.V).ravel()) for m in seen}) == 8


def test_each_step_draws_noise_of_its_own(linear):
    """The weights stand still on one batch: the losses differ by the units that are dropped, and by those alone."""
    model = ost.Stack([Dropout(2, 0.5), ost.Readout(2, 1, key=jax.random.key(0))])
    (examples,) = linear.examples(1)
    still = {"loss": SQUARED, "optimizer": optax.sgd(0.0), "steps": 6, "every": 1, "seed": 4}
    found = [r["loss"] for r in fit(model, linear.Listed([examples]), **still).history]

    @eqx.filter_jit
    def loss(key):
        ys, _ = ost.unroll(model, examples.inputs, key=key)
        return weighted_loss(SQUARED, ys, examples)

    np.testing.assert_allclose(found, [loss(stream(4, "noise", step)) for step in range(6)], rtol=1e-6)
    assert len(set(found)) == 6


def test_the_end_is_evaluated_too_and_nothing_twice(linear):
    count = []
    fit(
        linear.model(),
        linear.Listed(linear.examples(4)),
        loss=SQUARED,
        steps=7,
        every=3,
        validate=lambda m: count.append(m) or {"x": 0.0},
    )
    assert len(count) == 3
    nothing = fit(linear.model(), linear.Listed(linear.examples(4)), loss=SQUARED, steps=0)
    assert (nothing.steps, nothing.history) == (0, [])


def test_one_compilation_for_each_bucket_of_lengths():
    rng = np.random.default_rng(0)
    lengths = [3, 3, 4, 4, 9, 10, 10, 8, 4, 3]
    source = SequenceSource([rng.normal(size=(n, 2)) for n in lengths], rng.normal(size=(10, 1)))
    batches = Batches(source, 2, buckets=[4, 10])
    rnn = ost.RNN("elman", 2, 3, key=jax.random.key(0))
    model = ost.ManyToOne(rnn, 1, key=jax.random.key(1))
    loss = lambda y, target: SQUARED(y, target)  # one that nobody has trained with before
    result = fit(model, batches, loss=loss, epochs=3)
    assert result.steps == 3 * len(batches)
    assert result.compilations == 2


def test_what_was_compiled_is_used_again_only_where_nothing_but_numbers_differs(x64, linear):
    batches = linear.Listed(linear.examples(2))
    twice = lambda y, target: 2 * SQUARED(y, target)
    sgd = optax.sgd(0.1)
    first = fit(linear.model(), batches, loss=twice, optimizer=sgd, steps=2)
    again = fit(linear.model(V=((1.0, 2.0),)), batches, loss=twice, optimizer=sgd, steps=3, seed=5)
    assert (first.compilations, again.compilations) == (1, 0)
    V, c = np.array([[1.0, 2.0]]), np.array([0.1])
    for step in range(3):
        _, dV, dc = linear.value_and_grads(V, c, batches.at(step))
        V, c = V - 0.2 * dV, c - 0.2 * dc
    np.testing.assert_allclose(again.model.V, V, rtol=1e-12)
    # Another activation, loss, optimiser or way of cutting is another step.
    bent = eqx.tree_at(
        lambda m: (m.V, m.c),
        ost.Readout(2, 1, activation="tanh", key=jax.random.key(0)),
        (first.model.V, first.model.c),
    )
    options = {"loss": twice, "optimizer": sgd, "steps": 1}
    straight = fit(first.model, batches, **options).model
    assert not np.array_equal(fit(bent, batches, **options).model.V, straight.V)
    assert not np.array_equal(fit(first.model, batches, **options | {"loss": SQUARED}).model.V, straight.V)
    assert not np.array_equal(fit(first.model, batches, **options | {"optimizer": optax.sgd(0.2)}).model.V, straight.V)
    assert not np.array_equal(fit(first.model, batches, chunk=2, **options).model.V, straight.V)


def test_a_constraint_holds_after_every_update(linear):
    held = []

    def clip(model):
        return eqx.tree_at(lambda m: m.V, model, jnp.clip(model.V, -0.35, 0.35))

    def validate(model):
        held.append(float(jnp.max(jnp.abs(model.V))))
        return {"x": 0.0}

    batches = linear.Listed(linear.examples(5))
    options = {"loss": SQUARED, "optimizer": optax.sgd(0.5), "epochs": 2, "every": 1, "validate": validate}
    fit(linear.model(), batches, constrain=clip, **options)
    assert max(held) == np.float32(0.35)
    held.clear()
    fit(linear.model(), batches, **options)
    assert max(held) > 0.36


def test_any_optimiser_of_optax_is_taken_as_it_is(x64, linear):
    batches = linear.Listed(linear.examples(6))
    schedule = optax.piecewise_constant_schedule(0.1, {3: 0.0})
    result = fit(linear.model(), batches, loss=SQUARED, optimizer=optax.sgd(schedule), steps=6)
    three = fit(linear.model(), batches, loss=SQUARED, optimizer=optax.sgd(0.1), steps=3)
    np.testing.assert_array_equal(result.model.V, three.model.V)
    clipped = optax.chain(optax.clip_by_global_norm(1e-3), optax.sgd(1.0))
    one = fit(linear.model(), batches, loss=SQUARED, optimizer=clipped, steps=1).model
    moved = np.hypot(np.linalg.norm(np.asarray(one.V) - [[0.3, 0.2]]), float(one.c[0]) - 0.1)
    np.testing.assert_allclose(moved, 1e-3, rtol=1e-9)
    # One that asks for the value of the loss gets it: with a plateau at once, the rate falls to nothing.
    plateau = optax.chain(optax.sgd(0.1), optax.contrib.reduce_on_plateau(factor=1e-9, patience=1, atol=1e9))
    stuck = fit(linear.model(), batches, loss=SQUARED, optimizer=plateau, steps=6)
    assert (
        0
        < np.abs(np.asarray(stuck.model.V) - [[0.3, 0.2]]).max()
        < np.abs(np.asarray(three.model.V) - [[0.3, 0.2]]).max()
    )


def test_two_devices_give_what_one_gives(x64, linear):
    model = ost.RNN("elman", 2, 4, output_size=1, key=jax.random.key(2))
    batches = linear.Listed([*linear.examples(3, batch=4), *linear.examples(1, batch=4, seed=1)])
    one, two = (
        fit(model, batches, loss=SQUARED, optimizer=optax.adam(0.05), epochs=2, devices=devices)
        for devices in (None, 2)
    )
    for a, b in zip(jax.tree.leaves(one.model), jax.tree.leaves(two.model), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
        assert len(b.devices()) == 2
    np.testing.assert_allclose(one.history[-1]["loss"], two.history[-1]["loss"], rtol=1e-12)
    # Rows that cannot be shared equally go to both.
    odd = linear.Listed(linear.examples(1, batch=3))
    a, b = (fit(linear.model(), odd, loss=SQUARED, steps=2, devices=devices).model.V for devices in (None, 2))
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


def test_the_caller_is_told_how_it_goes(linear):
    events = []
    batches = linear.Listed(linear.examples(20))
    fit(linear.model(), batches, loss=SQUARED, epochs=2, callback=events.append)
    assert [(e.kind, e.step) for e in events] == [("steps", 16), ("evaluation", 20), ("steps", 36), ("evaluation", 40)]
    assert all(e.total == 40 and np.isfinite(e.loss) for e in events)
    assert events[-1].epoch == 2.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "exactly one"),
        ({"steps": 1, "epochs": 1}, "exactly one"),
        ({"steps": -1}, "steps: expected 0 or more, got -1"),
        ({"steps": 1, "patience": 2}, "validate"),
        ({"steps": 1, "every": 0}, "every"),
        ({"steps": 1, "chunk": 0}, "chunk"),
        ({"steps": 1, "devices": 3}, "devices: expected 1 to 2, got 3"),
        ({"steps": 1, "validate": lambda m: {}}, "validate: expected at least one number"),
    ],
)
def test_what_cannot_be_meant_is_refused(linear, options, message):
    with pytest.raises(SettingsError, match=message):
        fit(linear.model(), linear.Listed(linear.examples(1)), loss=SQUARED, **options)


def test_a_rule_or_pieces_that_do_not_hold_are_refused_before_training(linear):
    both = ost.RNN("elman", 2, 3, bidirectional=True, output_size=1, key=jax.random.key(0))
    batches = linear.Listed(linear.examples(1))
    with pytest.raises(UnsupportedRule, match="TruncatedBPTT does not hold"):
        fit(both, batches, loss=SQUARED, rule=TruncatedBPTT(2), steps=5)
    with pytest.raises(SettingsError, match="whole sequence"):
        fit(both, batches, loss=SQUARED, chunk=2, steps=5)
    with pytest.raises(SettingsError, match="batches: expected at least one"):
        fit(linear.model(), linear.Listed([]), loss=SQUARED, steps=5)
