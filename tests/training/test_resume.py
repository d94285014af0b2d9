"""Training that was interrupted ends with the same bits, history and log as training that was not."""

import json
import os
import signal

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest

import ostinato as ost
from ostinato.errors import CorruptFile, Interrupted, SettingsError, StorageError
from ostinato.layers.dropout import Dropout
from ostinato.runs import Run, checkpoints, load_weights
from ostinato.runs.manifest import MANIFEST
from ostinato.training import fit

SCRIPT = {4: 5.0, 8: 3.0, 12: 4.0, 16: 2.5, 20: 7.0, 24: 6.0, 28: 2.6, 32: 2.7, 36: 1.0}


ADAM = optax.adam(0.05)


def train(folder, linear, *, stop_at=(), settings=None, seed=1, spoiled=None, **options):
    """Two layers behind dropout, Adam, a scripted validation that ends by patience at step 32.

    A SIGTERM comes as soon as the loop tells of each of the steps `stop_at`; then it is started again.
    """
    model = ost.Stack(
        [Dropout(2, 0.3), ost.Readout(2, 2, key=jax.random.key(0)), ost.Readout(2, 1, key=jax.random.key(1))]
    )
    told, stops = {"step": 0}, list(stop_at)
    examples = linear.examples(6)
    if spoiled is not None:
        bad = examples[spoiled]
        examples[spoiled] = eqx.tree_at(lambda e: e.targets, bad, jnp.full_like(bad.targets, jnp.nan))

    class Counted(linear.Listed):
        def at(self, step):
            told["step"] = step + 1
            return super().at(step)

    def validate(model):
        return {"score": SCRIPT[told["step"]], "first": model.layers[1].V[0, 0]}

    def tell(event):
        if stops and event.step >= stops[0] and event.kind == "evaluation":
            stops.pop(0)
            os.kill(os.getpid(), signal.SIGTERM)

    given = {"steps": 36, "every": 4, "patience": 4, "validate": validate, "optimizer": ADAM} | options
    while True:
        assert told.get("code", 75) == 75
        assert "SIGTERM: stopped after step" in told.get("message", "SIGTERM: stopped after step")
        try:
            with Run(folder, settings or {"a": 1}, save_seconds=0.0) as run:
                batches = Counted(examples)
                return fit(model, batches, loss=ost.losses.squared, seed=seed, run=run, callback=tell, **given)
        except Interrupted as interruption:
            told["message"], told["code"] = str(interruption), interruption.exit_code


def sums(folder):
    """SHA-256 of each file of the newest checkpoint, and of the best weights."""
    newest = json.loads((checkpoints(folder / "checkpoints")[0] / MANIFEST).read_bytes())
    best = json.loads((folder / "best" / MANIFEST).read_bytes())
    return {
        "step": newest["step"],
        **{name: file["sha256"] for name, file in newest["files"].items()},
        "exported": best["files"]["weights.safetensors"]["sha256"],
    }


def evaluations(folder):
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in r.items() if k != "seconds"} for r in lines if r["kind"] == "evaluation"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, linear):
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(folder, linear)


def test_patience_counts_over_the_whole(whole):
    folder, result = whole
    assert (result.stopped, result.steps, result.best["step"]) == ("patience", 32, 16)
    assert [r["step"] for r in evaluations(folder)] == list(range(4, 33, 4))
    assert json.loads((folder / "metrics.json").read_text())["best"]["score"] == 2.5
    best, extra = load_weights(folder / "best", result.last)
    assert extra["step"] == 16
    assert jnp.array_equal(best.layers[1].V, result.model.layers[1].V)
    assert not jnp.array_equal(best.layers[1].V, result.last.layers[1].V)


def test_interrupted_training_ends_with_the_same_bits(whole, tmp_path, linear):
    folder, result = whole
    again = train(tmp_path, linear, stop_at=(4, 8, 21))
    assert sums(tmp_path) == sums(folder)
    assert evaluations(tmp_path) == evaluations(folder)
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert kinds.count("resume") == kinds.count("interrupted") == 3
    strip = lambda history: [{k: v for k, v in r.items() if k != "seconds"} for r in history]
    assert strip(again.history) == strip(result.history)
    assert (again.stopped, again.steps, again.best) == (result.stopped, result.steps, result.best)
    for a, b in zip(
        jax.tree.leaves((again.model, again.last)), jax.tree.leaves((result.model, result.last)), strict=True
    ):
        assert jnp.array_equal(a, b)


def test_what_has_ended_is_not_trained_again(whole, linear):
    folder, result = whole
    before = sums(folder)
    again = train(folder, linear)
    assert (again.steps, again.stopped, again.compilations) == (32, "patience", 0)
    assert again.best == result.best
    assert sums(folder) == before


def test_other_noise_gives_other_bits(whole, tmp_path, linear):
    train(tmp_path, linear, seed=2)
    assert sums(tmp_path)["weights.safetensors"] != sums(whole[0])["weights.safetensors"]


def test_a_damaged_checkpoint_is_passed_over_aloud_and_the_end_is_the_same(whole, tmp_path, linear):
    train(tmp_path, linear, steps=24, patience=None)
    newest = checkpoints(tmp_path / "checkpoints")[0]
    os.truncate(newest / "weights.safetensors", 100)
    train(tmp_path, linear)
    assert sums(tmp_path) == sums(whole[0])
    assert evaluations(tmp_path) == evaluations(whole[0])
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    (warning,) = [r for r in lines if r["kind"] == "warning"]
    assert newest.name in warning["message"]
    assert "expected" in warning["message"]
    assert warning["step"] == 20


def test_a_run_goes_on_under_its_own_settings_and_seed_only(whole, linear):
    with pytest.raises(SettingsError, match=r"a: 1 there, 2 asked for"):
        train(whole[0], linear, settings={"a": 2})
    with pytest.raises(SettingsError, match="was made with 1, 5 asked for"):
        train(whole[0], linear, seed=5)


def test_where_all_checkpoints_are_damaged_training_does_not_start_from_nothing(tmp_path, linear):
    train(tmp_path, linear, steps=8, patience=None)
    for path in checkpoints(tmp_path / "checkpoints"):
        (path / MANIFEST).unlink()
    with pytest.raises(CorruptFile, match="no checkpoint can be used"):
        train(tmp_path, linear)


def test_a_disk_that_fills_up_stops_training_and_loses_nothing(whole, tmp_path, linear, monkeypatch):
    real = os.fsync

    def full(descriptor):
        if "step-00000012/best" in os.readlink(f"/proc/self/fd/{descriptor}"):
            raise OSError(28, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left on device"):
            train(tmp_path, linear)
    assert [p.name for p in checkpoints(tmp_path / "checkpoints")] == ["step-00000008", "step-00000004"]
    train(tmp_path, linear)
    assert sums(tmp_path) == sums(whole[0])


def test_going_back_goes_back_to_the_same_weights_after_an_interruption(tmp_path, linear):
    options = {"spoiled": 5, "on_nonfinite": "rollback", "steps": 16, "patience": None}
    once = train(tmp_path / "once", linear, **options)
    # Stopped between the evaluation of step 4, to which it goes back, and the bad batch, and once more later.
    again = train(tmp_path / "again", linear, stop_at=(4, 8), **options)
    assert once.skipped == again.skipped == [5, 11]
    assert sums(tmp_path / "again") == sums(tmp_path / "once")
    assert evaluations(tmp_path / "again") == evaluations(tmp_path / "once")
