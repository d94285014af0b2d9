"""Short versions of the studies on generated problems, and the promise that members of an ensemble do not meet."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ostinato as ost
from ostinato.data import FunctionBatches
from ostinato.studies import StudySettings, load_study
from ostinato.studies.seeds import SeedBatches, mean_needed
from ostinato.tasks import Adding
from ostinato.training import Ensemble, each


def claims(name: str):
    notes = []
    found = load_study(name).run(StudySettings(quick=True, note=notes.append))
    json.dumps([claim.to_dict() for claim in found], allow_nan=False)
    assert notes
    return found


def test_adding():
    """At 30 steps the tanh RNN may learn too; the IndRNN has to."""
    ours, tanh = claims("adding")
    assert ours.holds == (ours.ours < 0.01)
    assert ours.holds
    assert ours.baseline["the mean"] == pytest.approx(1 / 6)
    assert tanh.ours == ours.baseline["tanh RNN, 128 units, best of 3 learning rates"]
    assert tanh.holds == (tanh.ours >= 0.15)


def test_reber():
    share, strings = claims("reber")
    assert share.holds
    assert share.detail["strings_right"] == [1.0]
    assert share.baseline["strings right, Elman network, mean of seeds"] < 0.9
    assert strings.published is None
    assert 0 < strings.ours <= share.detail["settings"]["strings_in_all"]


def test_temporal_order():
    right, needed = claims("temporal-order")
    assert right.holds
    assert right.detail["accuracy"] == [1.0]
    assert right.baseline["accuracy, chance"] == 0.25
    assert needed.published is None
    assert 0 < needed.ours <= right.detail["settings"]["sequences_in_all"]


def test_each_member_is_trained_as_if_alone():
    """Two seeds side by side against `fit` on each, with a norm clipped that would couple them; float64 to 1e-12."""
    with jax.enable_x64(True):
        task, seeds, steps = Adding(length=7), [3, 8], 6
        make = lambda key: ost.ManyToOne(ost.RNN("elman", 2, 4, key=key), 1, key=key)
        optimizer = optax.chain(optax.clip_by_global_norm(1e-3), optax.sgd(1.0))
        model = Ensemble.make(make, seeds)
        together = ost.fit(
            model, SeedBatches(task, 5, seeds, steps), loss=task.loss, optimizer=each(optimizer), steps=steps
        ).model
        for index, seed in enumerate(seeds):
            alone = ost.fit(
                model.member(index),
                FunctionBatches(lambda key: task.sample(key, 5), steps, seed=seed),
                loss=task.loss,
                optimizer=optimizer,
                steps=steps,
            ).model
            for a, b in zip(jax.tree.leaves(together.member(index)), jax.tree.leaves(alone), strict=True):
                if isinstance(a, jax.Array):
                    np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
                    assert a.dtype == jnp.float64


def test_mean_needed():
    assert mean_needed([4, None, 8]) == 6
    assert mean_needed([None]) is None
