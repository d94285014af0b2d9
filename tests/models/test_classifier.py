"""The classifier of sequences: against NumPy in float64, scikit-learn's scores, and what must not make a difference."""

import copy

import jax
import numpy as np
import pytest
from sklearn import metrics

import ostinato as ost
from ostinato.data import LabelledSequences
from ostinato.errors import CorruptFile, DataError, NonFiniteError, NotFitted, SettingsError, ShapeError
from ostinato.models import SequenceClassifier

CENTRES = {"falls": (-1.0, 0.5), "rests": (0.0, -1.0), "turns": (1.0, 0.5)}


def noisy_classes(seed: int, count: int = 72) -> tuple[list[np.ndarray], list[str]]:
    """Sequences of 1 to 9 steps whose mean tells the class; features with other units."""
    rng = np.random.default_rng(seed)
    labels = [list(CENTRES)[i % 3] for i in range(count)]
    shapes = [(int(rng.integers(1, 10)), 2) for _ in labels]
    return [
        (rng.normal(CENTRES[y], 0.8, s)) * [10, 0.1] + [100, 0] for y, s in zip(labels, shapes, strict=True)
    ], labels


SETTINGS = {"hidden_size": 5, "pool": "mean", "epochs": 12, "learning_rate": 0.03, "batch_size": 16, "buckets": 1}


@pytest.fixture(scope="module")
def fitted() -> SequenceClassifier:
    return SequenceClassifier(**SETTINGS).fit(*noisy_classes(0))


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def gru_outputs(cell: object, xs: np.ndarray) -> np.ndarray:
    """A GRU over one sequence in float64, step by step."""
    W, R, b, c = (np.asarray(getattr(cell, n), np.float64) for n in ("W", "R", "b", "b_h"))
    h, ys = np.zeros(R.shape[1]), []
    for x in xs:
        a, q = W @ x + b, R @ h + c
        r, z = sigmoid(a[0] + q[0]), sigmoid(a[1] + q[1])
        h = (1 - z) * np.tanh(a[2] + r * q[2]) + z * h
        ys.append(h)
    return np.array(ys).reshape(len(xs), len(h))


def by_hand(model: SequenceClassifier, x: np.ndarray) -> np.ndarray:
    """Probabilities from the fitted weights, standardisation included."""
    network = model.network_
    ys = gru_outputs(network.rnn.stack.layers[0], (x - model.scale_.mean) / model.scale_.scale)
    pooled = ys.mean(0) if len(x) else np.zeros(5)
    logits = np.asarray(network.readout.V, np.float64) @ pooled + np.asarray(network.readout.c, np.float64)
    return np.exp(logits) / np.exp(logits).sum()


def test_it_learns_what_is_there(fitted: SequenceClassifier) -> None:
    X, y = noisy_classes(1, 150)
    found = fitted.evaluate(X, y)
    assert found["accuracy"] > 0.8 > 2 * found["baselines"]["majority"]
    assert fitted.history_[-1]["loss"] < 0.6 * fitted.history_[0]["loss"]


def test_probabilities_are_those_of_the_equations(fitted: SequenceClassifier) -> None:
    X, _ = noisy_classes(2, 7)
    X = [*X, np.zeros((0, 2)), np.full((23, 2), [90.0, 0.1])]
    expected = np.array([by_hand(fitted, x) for x in X])
    found = fitted.predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-12)
    assert fitted.predict(X).tolist() == [fitted.classes_[k] for k in expected.argmax(1)]


def test_scaling_is_that_of_all_steps(fitted: SequenceClassifier) -> None:
    steps = np.concatenate(noisy_classes(0)[0])
    np.testing.assert_allclose(fitted.scale_.mean, steps.mean(0))
    np.testing.assert_allclose(fitted.scale_.scale, steps.std(0))


def test_all_forms_of_input_say_the_same(fitted: SequenceClassifier) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(100, 10, (4, 6, 2))
    expected = fitted.predict_proba(list(X))
    for form in (X, ost.SequenceBatch.from_padded(X), LabelledSequences(list(X))):
        np.testing.assert_allclose(fitted.predict_proba(form), expected, atol=1e-6)
    mask = rng.random((4, 6)) < 0.6
    holes = ost.SequenceBatch(jax.numpy.asarray(X, "float32"), jax.numpy.asarray(mask))
    kept = [x[m] for x, m in zip(X, mask, strict=True)]
    np.testing.assert_allclose(fitted.predict_proba(holes), fitted.predict_proba(kept), atol=1e-5)


def test_scores_are_those_of_scikit_learn(fitted: SequenceClassifier) -> None:
    X, y = noisy_classes(4, 40)
    y[:10] = ["falls"] * 10
    found, guess = fitted.evaluate(X, y), fitted.predict(X)
    assert found["accuracy"] == fitted.score(X, y) == metrics.accuracy_score(y, guess)
    assert found["confusion"] == metrics.confusion_matrix(y, guess, labels=fitted.classes_).tolist()
    np.testing.assert_allclose(found["cross_entropy"], metrics.log_loss(y, fitted.predict_proba(X)), rtol=1e-9)
    expected = metrics.precision_recall_fscore_support(y, guess, labels=fitted.classes_, zero_division=0)
    for name, values in zip(("precision", "recall", "f1", "count"), expected, strict=True):
        np.testing.assert_allclose([row[name] for row in found["per_class"]], values)
    # All training classes are equally frequent, so the majority is the first one.
    assert found["baselines"]["majority"] == y.count(fitted.majority_) / len(y)
    means = np.array([np.concatenate([x.mean(0), x.std(0)]) for x in X])
    linear = fitted.classes_[fitted.baseline_.predict(means).argmax(1)]
    assert found["baselines"]["linear"] == metrics.accuracy_score(y, linear) > 0.7


def test_the_seed_says_everything_and_inputs_stay_as_they_are(fitted: SequenceClassifier) -> None:
    X, y = noisy_classes(0)
    before = copy.deepcopy((X, y))
    again = SequenceClassifier(**SETTINGS).fit(X, y)
    for a, b in zip(jax.tree.leaves(again.network_), jax.tree.leaves(fitted.network_), strict=True):
        assert np.array_equal(a, b)
    assert y == before[1]
    assert all(np.array_equal(a, b) for a, b in zip(X, before[0], strict=True))


def test_files(fitted: SequenceClassifier, tmp_path) -> None:
    folder = fitted.save(tmp_path / "model")
    again = SequenceClassifier.load(folder)
    X, y = noisy_classes(5, 9)
    assert again.get_params() == fitted.get_params()
    assert again.evaluate(X, y) == fitted.evaluate(X, y)
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    with pytest.raises(CorruptFile, match="SHA-256"):
        SequenceClassifier.load(folder)


def test_validation_is_stratified_and_not_seen(tmp_path) -> None:
    """Labels of other kinds on the way: tuples, of which one class is rare."""
    X, names = noisy_classes(6, 30)
    y = [("rare", 1) if i < 2 else (name, len(name)) for i, name in enumerate(names)]
    model = SequenceClassifier(**(SETTINGS | {"epochs": 3, "validation": 0.3}))
    held = model._prepare(X, y).held
    assert [sum(y[i] == c for i in held) for c in sorted(set(y))] == [round(0.3 * y.count(c)) for c in sorted(set(y))]
    assert not np.array_equal(held, SequenceClassifier(validation=0.3, seed=1)._prepare(X, y).held)
    model.fit(X, y)
    rest = np.setdiff1d(np.arange(30), held)
    np.testing.assert_allclose(model.scale_.mean, np.concatenate([X[i] for i in rest]).mean(0))
    judged = model.evaluate([X[i] for i in held], [y[i] for i in held])
    best = min(record["metrics"]["cross_entropy"] for record in model.history_)
    np.testing.assert_allclose(judged["cross_entropy"], best, rtol=1e-6)
    assert model.best_["cross_entropy"] == best
    assert SequenceClassifier.load(model.save(tmp_path / "m")).classes_.tolist() == sorted(set(y))


def test_groups_stay_together() -> None:
    X, y = noisy_classes(7, 12)
    groups = np.arange(12) // 4
    held = SequenceClassifier(validation=0.3)._prepare(LabelledSequences(X, np.array(y), groups=groups), None).held
    assert len(held) == 4
    assert len(set(groups[held])) == 1


def test_a_label_for_each_step() -> None:
    """The sign of the running sum; missing values are the mean."""
    rng = np.random.default_rng(0)
    X = [rng.normal(0.2, 1, (int(rng.integers(2, 9)), 1)) for _ in range(60)]
    y = [["plus" if s > 0 else "minus" for s in x.cumsum()] for x in X]
    settings = {"per_step": True, "epochs": 20, "missing": True, "learning_rate": 0.05, "buckets": 1}
    model = SequenceClassifier(hidden_size=5, **settings).fit(X, y)
    fresh = [*X[:3], np.zeros((0, 1))]
    for x, found, chances in zip(fresh, model.predict(fresh), model.predict_proba(fresh), strict=True):
        ys = gru_outputs(model.network_.rnn.stack.layers[0], (x - model.scale_.mean) / model.scale_.scale)
        logits = ys @ np.asarray(model.network_.readout.V, np.float64).T + np.asarray(model.network_.readout.c)
        expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        np.testing.assert_allclose(chances, expected, atol=2e-6)
        assert found.tolist() == [model.classes_[k] for k in expected.argmax(-1)]
    scores = model.evaluate(X, y)
    assert scores["count"] == sum(map(len, X))
    assert scores["accuracy"] > 0.9 > scores["baselines"]["linear"]
    gap, mean = X[0].copy(), X[0].copy()
    gap[0], mean[0] = np.nan, model.scale_.mean
    np.testing.assert_allclose(model.predict_proba([gap])[0], model.predict_proba([mean])[0], atol=1e-6)
    with pytest.raises(ShapeError, match=r"y\[0\]: expected 2 labels, one for each step, got 1"):
        model.evaluate([X[0][:2]], [["plus"]])


GOOD = noisy_classes(8, 6)
NAN = [*GOOD[0][:5], np.full((3, 2), np.nan)]


@pytest.mark.parametrize(
    ("X", "y", "error", "words"),
    [
        (np.zeros((4, 3)), [0, 1, 0, 1], ShapeError, "2 axes"),
        ([], [], ShapeError, "no sequence"),
        ([*GOOD[0][:5], np.zeros((3, 4))], GOOD[1], ShapeError, r"X\[5\]: expected \(time, 2\), got \(3, 4\)"),
        (GOOD[0], GOOD[1][:5], ShapeError, "expected 6 labels, one for each sequence, got 5"),
        (GOOD[0], np.zeros((6, 2)), ShapeError, "one axis of labels"),
        (GOOD[0], ["a"] * 6, DataError, "two classes, got only"),
        (GOOD[0], [0.5, 1, 0, 1, 0, 1], DataError, "SequenceRegressor"),
        (GOOD[0], [[0], [1]] * 3, DataError, "hashable"),
        (GOOD[0], None, DataError, "got None"),
        (NAN, GOOD[1], NonFiniteError, r"X\[5\]: nan"),
        ([np.array([["1", "x"]])] * 6, GOOD[1], DataError, "expected numbers"),
    ],
)
def test_bad_input_is_refused_before_training(X, y, error, words) -> None:
    model = SequenceClassifier()
    with pytest.raises(error, match=words):
        model.fit(X, y)
    assert not model.is_fitted


@pytest.mark.parametrize(
    "settings",
    [
        {"pool": "sum"},
        {"hidden_size": 0},
        {"epochs": 0},
        {"dropout": 1.0},
        {"learning_rate": -1.0},
        {"patience": 3, "validation": 0},
        {"schedule": "linear"},
        {"cell": "gro"},
        {"input_noise": -0.1},
    ],
)
def test_bad_settings_are_refused(settings) -> None:
    with pytest.raises(SettingsError, match=next(iter(settings))):
        SequenceClassifier(**settings).fit(*GOOD)


def test_bad_input_after_training(fitted: SequenceClassifier) -> None:
    X, _ = noisy_classes(9, 3)
    with pytest.raises(DataError, match="label 'jumps' was not seen in training"):
        fitted.evaluate(X, ["falls", "rests", "jumps"])
    with pytest.raises(ShapeError, match=r"X\[0\]: expected \(time, 2\), got \(5, 3\)"):
        fitted.predict([np.zeros((5, 3))])
    batch = ost.SequenceBatch.from_sequences(X)
    reset = jax.numpy.zeros(batch.values.shape[:2], bool).at[0, 1].set(True)
    with pytest.raises(SettingsError, match="cut the batch at its resets"):
        fitted.predict(ost.SequenceBatch(batch.values, batch.mask, reset))
    with pytest.raises(NotFitted, match="call fit first"):
        SequenceClassifier().predict(X)
