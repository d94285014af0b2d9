"""The studies of whole sequences: who was heard in training and who is judged; their parts against numpy."""

from types import SimpleNamespace

import numpy as np
import pytest

from ostinato.data import LabelledSequences, log_mel
from ostinato.layers import RNN, ManyToOne
from ostinato.studies import StudySettings, seeds
from ostinato.studies.sequences import adding, clockwork, digits, lags, parity, temporal_order, vowels
from ostinato.tasks import Adding, Parity
from ostinato.training import Ensemble

ONE, TWO = StudySettings(), StudySettings(seeds=2)


def numbered(first, count, groups=None):
    """Sequences that say which they are; two classes in turn."""
    values = [np.full((1, 1), float(i)) for i in range(first, first + count)]
    return LabelledSequences(values, np.arange(count) % 2, groups=groups)


@pytest.fixture
def classifiers(monkeypatch):
    """What stands in the place of a classifier: it keeps what it was fitted to and judged by."""
    made = []

    class Recorder:
        def __init__(self, **options):
            self.options, self.accuracy = options, 0.9 + 0.08 * options["seed"]
            made.append(self)

        def fit(self, data):
            self.heard = {v[0, 0] for v in data.values}
            return self

        def evaluate(self, data):
            self.judged = {v[0, 0] for v in data.values}
            beside = {"majority": 0.5, "linear": 0.6}
            shares = {"accuracy": self.accuracy, "cross_entropy": 1.0, "baselines": beside}
            return {"count": len(data), "confusion": [[1]], "classes": [0, 1], **shares}

    for module in (vowels, digits):
        monkeypatch.setattr(module, "SequenceClassifier", Recorder)
    return made


def test_vowels_are_judged_by_those_that_nobody_heard(classifiers):
    (claim,) = vowels.judged(numbered(0, 6), numbered(10, 4), {"epochs": 3}, TWO)
    assert [one.options for one in classifiers] == [{"epochs": 3, "seed": 0}, {"epochs": 3, "seed": 1}]
    for one in classifiers:
        assert one.heard == set(range(6))
        assert one.judged == set(range(10, 14))
    assert claim.ours == pytest.approx(0.94)
    assert claim.detail["errors_by_seed"] == [0, 0]
    assert claim.holds is False
    (claim,) = vowels.judged(numbered(0, 6), numbered(10, 4), {}, StudySettings(seeds=3))
    assert claim.ours == pytest.approx(0.98)
    assert claim.holds is True


def test_digits_of_each_speaker_by_a_model_that_never_heard_them(classifiers):
    train = numbered(0, 6, np.array(["ann", "bob", "cy"] * 2))
    test = numbered(10, 3, np.array(["ann", "bob", "cy"]))
    official, apart = digits.judged(train, test, {}, ONE)
    by_seed, left = classifiers[:3], classifiers[3:]
    assert [one.options["seed"] for one in by_seed] == [0, 1, 2]
    assert all(one.heard == set(range(6)) and one.judged == {10, 11, 12} for one in by_seed)
    assert official.ours == pytest.approx(0.98)
    assert official.holds is False
    assert [one.heard for one in left] == [{1, 2, 4, 5}, {0, 2, 3, 5}, {0, 1, 3, 4}]
    assert [one.judged for one in left] == [{0, 3, 10}, {1, 4, 11}, {2, 5, 12}]
    assert apart.ours == pytest.approx(0.9)
    assert apart.holds is True


def test_folds_share_no_sequence_and_hold_each_class_alike(monkeypatch):
    seen = []

    class Recorder:
        def __init__(self, **options):
            assert options == {"epochs": 3, "seed": 7}

        def fit(self, data):
            self.rows = {v[0, 0] for v in data.values}
            return self

        def evaluate(self, data):
            held = {v[0, 0] for v in data.values}
            assert not held & self.rows
            assert len(held | self.rows) == 12
            seen.append((held, np.bincount(data.labels).tolist()))
            return {"count": len(held), "accuracy": len(seen) / 10, "cross_entropy": 1.0}

    monkeypatch.setattr(vowels, "SequenceClassifier", Recorder)
    found = vowels.cross_validate(numbered(0, 12), {"epochs": 3}, folds=3, seed=7)
    assert found == {"accuracy": pytest.approx(0.2), "cross_entropy": 1.0}
    assert set().union(*(held for held, _ in seen)) == set(range(12))
    assert [counts for _, counts in seen] == [[2, 2]] * 3


def test_frames_do_not_know_how_loud_it_was():
    signal = np.random.default_rng(0).normal(size=(4000, 1)) * 0.1
    loud, quiet = digits.frames(LabelledSequences([signal, 0.25 * signal])).values
    np.testing.assert_allclose(loud, quiet, atol=1e-4)
    energies = log_mel(signal[:, 0], 8000, 0.025, 0.02, 40)
    np.testing.assert_allclose(loud, energies - energies.mean(), atol=1e-5)


def inputs_of(examples):
    """The rows of a batch, as bytes."""
    values = np.asarray(examples.inputs.values)
    return {row.tobytes() for row in values.reshape(-1, *values.shape[-2:])}


def begun(seeds):
    """Small networks for the adding problem, one a seed."""
    return Ensemble.make(lambda key: ManyToOne(RNN("elman", 2, 3, key=key), 1, key=key), seeds)


def test_the_final_figures_are_of_trials_that_neither_trained_nor_were_watched(monkeypatch):
    """`seeds.train` measures the last networks on trials of their own; the watched ones only tell how long it took."""
    measured, given, networks = [], {}, begun([3, 8])
    looks = {step: Ensemble(networks.members) for step in (10, 20, 30)}

    def measure(model, task, examples):
        measured.append((model, inputs_of(examples)))
        shares = {1: [0.5, 1.0], 2: [1.0, 0.9]}.get(len(measured), [1.0, 1.0])
        return {"right": np.array(shares)}

    def fit(model, batches, *, steps, every, validate, **rest):
        given.update(trained=inputs_of(batches.at(0)) | inputs_of(batches.at(1)), rest=rest)
        for step in range(every, steps + 1, every):
            validate(looks[step])
        return SimpleNamespace(last="last", model="best")

    monkeypatch.setattr(seeds, "measure", measure)
    monkeypatch.setattr(seeds, "fit", fit)
    task = Adding(length=6)
    found = seeds.train(
        networks, task, [3, 8], batch=4, steps=30, every=10, rate=0.1, right="right", watched=5, fresh=7
    )
    *watched, (model, fresh) = measured
    assert all(model is look for (model, _), look in zip(watched, looks.values(), strict=True))
    assert all(rows == watched[0][1] for _, rows in watched)
    assert model == "last"
    assert found.model == "last"
    assert (len(watched[0][1]), len(fresh), len(given["trained"])) == (5, 7, 16)
    assert not fresh & watched[0][1]
    assert not (fresh | watched[0][1]) & given["trained"]
    # The first seed is first right at the second look, the second at the first: 4 trials a step.
    assert found.needed == [80, 40]


@pytest.mark.parametrize(
    ("needed", "holds", "mean"), [([40, 80], True, 60), ([40, None], False, 40), ([None], False, None)]
)
def test_every_seed_has_to_get_there(needed, holds, mean):
    claim = lags.within_the_budget("Mean", "someone", 8440.0, needed, 100, 20, "strings")
    assert (claim.holds, claim.ours) == (holds, mean)
    assert claim.detail == {"strings_needed": needed, "looked_every": 20}


def test_an_lstm_has_to_be_right_on_all_and_an_elman_network_stands_beside(monkeypatch):
    shares = {"LSTM": [1.0, 0.999], "Elman network": [0.25, 0.35]}

    def learned(name, make, task, seeds, settings, **budget):
        assert budget == {"batch": 20, "steps": 400, "every": 50, "right": "accuracy", "fresh": 2560}
        found = np.array(shares[name.split(", ")[-1]])
        return seeds_outcome({"accuracy": found, "within": found}, [1000, 2000])

    seeds_outcome = lambda metrics, needed: seeds.Outcome(metrics, needed, None)
    monkeypatch.setattr(temporal_order, "learned", learned)
    right, needed = temporal_order.run(StudySettings(quick=True, seeds=2))
    assert (right.ours, right.holds) == (0.5, False)
    assert right.baseline["accuracy, Elman network in the same budget, mean of seeds"] == pytest.approx(0.3)
    assert (needed.ours, needed.holds) == (1500, True)
    shares["LSTM"] = [1.0, 1.0]
    assert temporal_order.run(StudySettings(quick=True, seeds=2))[0].holds is True


def test_adding_is_judged_on_fresh_sequences_and_by_the_worst_seed(monkeypatch):
    errors = iter(
        [np.array([0.001, 0.02]), np.array([0.2, 0.16, 0.3]), np.array([0.001, 0.009]), np.array([0.2, 0.1, 0.3])]
    )
    monkeypatch.setattr(adding, "train", lambda *given: next(errors))
    settings = StudySettings(quick=True, seeds=2)
    ours, tanh = adding.run(settings)
    assert (ours.ours, ours.holds, tanh.ours, tanh.holds) == (0.02, False, 0.16, True)
    ours, tanh = adding.run(settings)
    assert (ours.ours, ours.holds, tanh.ours, tanh.holds) == (0.009, True, 0.1, False)
    monkeypatch.undo()
    given, judged = {}, []

    def fit(model, batches, **rest):
        given["rows"] = inputs_of(batches.at(0)) | inputs_of(batches.at(5))
        return SimpleNamespace(last="last")

    def measure(model, task, piece):
        assert model == "last"
        judged.append(inputs_of(piece))
        return {"mse": np.array([float(len(judged))])}

    monkeypatch.setattr(adding, "fit", fit)
    monkeypatch.setattr(adding, "measure", measure)
    mean = adding.train(begun([0]), Adding(length=5), [0], 10, [0.1], None, ONE)
    assert mean == [5.5]
    assert len(set().union(*judged)) == adding.HELD_OUT
    assert not set().union(*judged) & given["rows"]


@pytest.mark.parametrize(
    ("cell", "right", "holds"), [("elman", 3, True), ("elman", 2, False), ("min-gru", 0, True), ("min-gru", 1, False)]
)
def test_parity_is_judged_beyond_the_training(monkeypatch, cell, right, holds):
    asked = []

    def fit(model, batches, *, steps, **rest):
        asked.append(batches.at(steps - 1).inputs.time_size)
        return SimpleNamespace(last="last")

    def measure(model, task, examples):
        assert model == "last"
        asked.append(examples.inputs.time_size)
        throughout = np.array([1.0] * right + [0.99] * (5 - right)) if len(asked) == 3 else np.ones(5)
        return {"accuracy": np.full(5, 0.5), "all_right": throughout, "last": np.ones(5)}

    monkeypatch.setattr(parity, "fit", fit)
    monkeypatch.setattr(parity, "measure", measure)
    monkeypatch.setattr(parity, "network", lambda cell, key: None)
    monkeypatch.setattr(parity.Ensemble, "make", lambda make, seeds: None)
    claim = parity.judged(cell, 10, 6, 9, ONE)
    assert asked == [6, 6, 9]
    assert (claim.ours, claim.holds) == (right, holds)


def test_the_steps_that_count_grow():
    batches = parity.growing(seeds.SeedBatches(Parity(10), 3, [0, 1], 1), 10, 100)
    weights = [np.asarray(batches.at(step).weight) for step in (0, 35, 70, 99)]
    assert [np.flatnonzero(w.any((0, 1))).size for w in weights] == [2, 6, 10, 10]
    for weight in weights:
        np.testing.assert_allclose(weight.sum((1, 2)), 1, rtol=1e-6)


def test_signals_and_the_weights_that_count():
    values = clockwork.signal(3, 320)
    assert (values.mean(), values.var()) == pytest.approx((0, 1), abs=1e-12)
    # Eight groups of eight units: a group hears its own and the slower ones.
    made = clockwork.network("clockwork", 64, clockwork.jax.random.key(0))
    assert clockwork.weights_that_count(made) == sum(8 * 8 * (8 - g) for g in range(8)) + 64 + 64 + 1
    n = clockwork.plain_units(64)
    assert (n - 1) ** 2 + 2 * (n - 1) + 1 < clockwork.weights_that_count(made) <= n * n + 2 * n + 1
