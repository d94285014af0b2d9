"""Rules that change the weights themselves, in the loop: resuming, bad numbers, what does not go together."""

import json

import jax
import jax.numpy as jnp
import optax
import pytest

import ostinato as ost
from ostinato.errors import NonFiniteError, SettingsError
from ostinato.learning import BPTT, Exact, GeneticAlgorithm, UpdateRule
from ostinato.runs import Run, checkpoints
from ostinato.runs.manifest import MANIFEST
from ostinato.training import fit

SQUARED = ost.losses.squared


class Descent(UpdateRule):
    """Plain gradient descent written as a direct rule: what the loop does with it is known."""

    rate: float = 0.1
    at_most: float = -1.0

    def applies(self, model):
        return Exact("a test")

    def init(self, model, key):
        return (model, key)

    def step(self, carry, loss, examples, key):
        model, own = carry
        rule = BPTT()
        value, grads, _ = rule(model, loss, examples, rule.init(model, examples))
        model = jax.tree.map(lambda w, g: w - self.rate * g, model, grads)
        return (model, own), {"loss": value, "double": 2 * value}

    def model(self, carry):
        return carry[0]

    def ends(self, metrics):
        return {"small": metrics["loss"] <= self.at_most}


def test_the_loop_is_the_same_as_for_rules_that_give_gradients(linear):
    batches = linear.Listed(linear.examples(5))
    model = linear.model()
    ours = fit(model, batches, loss=SQUARED, rule=Descent(), epochs=2, validate=lambda m: {"V": m.V[0, 0]})
    peer = fit(model, batches, loss=SQUARED, optimizer=optax.sgd(0.1), epochs=2, validate=lambda m: {"V": m.V[0, 0]})
    assert jnp.allclose(ours.last.V, peer.last.V, rtol=1e-6)
    assert [r["step"] for r in ours.history] == [r["step"] for r in peer.history]
    assert ours.best["step"] == peer.best["step"]
    assert ours.compilations == 1
    assert ours.history[-1]["measured"]["double"] == 2 * ours.history[-1]["measured"]["loss"]


def test_it_stops_at_the_first_step_at_which_a_condition_holds(linear):
    batches = linear.Listed(linear.examples(1))
    losses = [r["loss"] for r in fit(linear.model(), batches, loss=SQUARED, rule=Descent(), steps=30).history]
    bound = (losses[20] + losses[21]) / 2
    result = fit(linear.model(), batches, loss=SQUARED, rule=Descent(at_most=bound), steps=30, every=7)
    whole = fit(linear.model(), batches, loss=SQUARED, rule=Descent(), steps=22)
    assert (result.steps, result.stopped) == (22, "small")
    assert jnp.array_equal(result.last.V, whole.last.V)
    assert [r["step"] for r in result.history] == [7, 14, 21, 22]


def test_a_number_that_is_not_finite_stops_skips_or_goes_back(linear):
    examples = linear.examples(4)
    bad = examples[2]
    examples[2] = ost.Examples(bad.inputs, jnp.full_like(bad.targets, jnp.nan), bad.weight)
    batches = linear.Listed(examples)
    with pytest.raises(NonFiniteError, match=r"step 2: .*targets value: row 0, time step 0"):
        fit(linear.model(), batches, loss=SQUARED, rule=Descent(), steps=4)
    skipped = fit(linear.model(), batches, loss=SQUARED, rule=Descent(), steps=4, on_nonfinite="skip")
    without = fit(
        linear.model(), linear.Listed([examples[i] for i in (0, 1, 3)]), loss=SQUARED, rule=Descent(), steps=3
    )
    assert skipped.skipped == [2]
    assert jnp.array_equal(skipped.last.V, without.last.V)
    back = fit(linear.model(), batches, loss=SQUARED, rule=Descent(), steps=4, every=1, on_nonfinite="rollback")
    assert jnp.array_equal(back.last.V, without.last.V)


def test_resumed_evolution_ends_with_the_same_bits(tmp_path, linear):
    def train(folder, *lengths):
        for steps in lengths:
            with Run(folder, {"a": 1}, save_seconds=0.0) as run:
                rule = GeneticAlgorithm(population=6)
                result = fit(
                    linear.model(), linear.Listed(linear.examples(3)), loss=SQUARED, rule=rule, steps=steps, run=run
                )
        newest = json.loads((checkpoints(folder / "checkpoints")[0] / MANIFEST).read_bytes())
        return result, {name: file["sha256"] for name, file in newest["files"].items()}

    once, whole = train(tmp_path / "once", 11)
    again, parts = train(tmp_path / "again", 4, 9, 11)
    assert parts == whole
    assert set(whole) == {"weights.safetensors", "optimizer.safetensors"}
    assert jnp.array_equal(again.model.V, once.model.V)
    assert again.history[-1]["measured"] == once.history[-1]["measured"]
    rule = GeneticAlgorithm(population=6, generations=2)
    with Run(tmp_path / "ended", {}, save_seconds=0.0) as run:
        fit(linear.model(), linear.Listed(linear.examples(3)), loss=SQUARED, rule=rule, steps=9, run=run)
    with Run(tmp_path / "ended", {}, save_seconds=0.0) as run:
        ended = fit(linear.model(), linear.Listed(linear.examples(3)), loss=SQUARED, rule=rule, steps=9, run=run)
    assert (ended.steps, ended.stopped) == (2, "generations")


def test_what_does_not_go_together(linear):
    batches = linear.Listed(linear.examples(1))
    for name, value in (("optimizer", optax.sgd(0.1)), ("chunk", 2), ("constrain", lambda m: m)):
        with pytest.raises(SettingsError, match=f"{name}: Descent changes the weights itself"):
            fit(linear.model(), batches, loss=SQUARED, rule=Descent(), steps=1, **{name: value})
