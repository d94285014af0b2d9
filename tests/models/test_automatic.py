"""What a classifier chooses by itself: against brute force, on data where it shows, and the same again from a file."""

import itertools

import numpy as np
import pytest

from ostinato.data import LabelledSequences
from ostinato.models import SequenceClassifier, SequenceRegressor
from ostinato.models.measures import calibration_error
from ostinato.models.ridge import LARGE, RidgeRegression
from ostinato.models.sequences.automatic import PLAIN, choose
from ostinato.models.sequences.beside import FILTERS, NEIGHBOUR, VALUES, Beside
from ostinato.models.sequences.filters import RandomFilters
from ostinato.models.sequences.inputs import stacked
from ostinato.models.sequences.opinions import OpinionPool, sharpness, softmax
from ostinato.models.sequences.references import NearestNeighbour, resampled
from ostinato.models.targets import Labels


def ragged(rng, count, features=2):
    return [rng.normal(size=(int(n), features)) for n in rng.integers(3, 60, count)]


def test_filters_are_those_of_a_plain_convolution():
    rng = np.random.default_rng(0)
    values = ragged(rng, 12)
    bank = RandomFilters.fit(values, 400, seed=3)
    found = bank(values).reshape(12, *bank.thresholds.shape)
    assert len(bank.dilations) > 1
    triples = list(itertools.combinations(range(9), 3))
    for i, d, k in [(0, 0, 0), (5, 1, 40), (11, 0, 83), (7, 1, 17)]:
        weights = np.full(9, -1.0)
        weights[list(triples[k])] = 2.0
        x, far = values[i] @ bank.channels[d, k], int(bank.dilations[d])
        wide = np.pad(x, 4 * far)
        out = np.array([weights @ wide[t : t + 8 * far + 1 : far] for t in range(len(x))])
        assert found[i, d, k] == pytest.approx([(out > b).mean() for b in bank.thresholds[d, k]], abs=1e-6)
    # Each sequence by itself, and nothing but the seed decides.
    np.testing.assert_array_equal(bank(values[4:5])[0], bank(values)[4])
    np.testing.assert_array_equal(RandomFilters.fit(values, 400, seed=3).thresholds, bank.thresholds)
    assert not np.array_equal(RandomFilters.fit(values, 400, seed=4).channels, bank.channels)
    assert (bank([np.zeros((0, 2))]) == 0).all()


def test_values_are_interpolated_and_the_nearest_is_the_nearest():
    rng = np.random.default_rng(1)
    values = ragged(rng, 20, 1)
    rows = resampled(values, 7)
    for row, value in zip(rows, values, strict=True):
        wanted = np.interp(np.linspace(0, len(value) - 1, 7), np.arange(len(value)), value[:, 0])
        assert row == pytest.approx(wanted, abs=1e-12)
    nearest = NearestNeighbour.fit(rows[:15], np.arange(15.0)[:, None])
    distance = np.linalg.norm(rows[:, None] - rows[None, :15], axis=2)
    assert nearest.predict(rows[15:])[:, 0].tolist() == distance[15:].argmin(1).tolist()
    np.fill_diagonal(distance[:15], np.inf)
    assert nearest.left_out()[:, 0].tolist() == distance[:15].argmin(1).tolist()


def test_what_is_left_out_is_left_out():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(15, 3)), rng.normal(size=(15, 2))
    _, said = RidgeRegression.fit_left_out(x, y, (0.1,))
    mean, scale = x.mean(0), x.std(0)
    z, wide = (x - mean) / scale, np.column_stack([np.ones(15), (x - mean) / scale])
    for i in range(15):
        rest = np.arange(15) != i
        penalty = np.diag([0.0, *[15 * 0.1] * 3])
        w = np.linalg.solve(wide[rest].T @ wide[rest] + penalty, wide[rest].T @ y[rest])
        assert said[i] == pytest.approx(np.r_[1.0, z[i]] @ w, rel=1e-9)


@pytest.mark.parametrize("shape", [(LARGE + 10, LARGE + 50), (LARGE + 50, LARGE + 10)])
def test_large_problems_take_another_way_to_the_same_map(shape, monkeypatch):
    rng = np.random.default_rng(3)
    x = rng.normal(size=shape)
    y = x[:, :1] + rng.normal(size=(shape[0], 1))
    fast, left = RidgeRegression.fit_left_out(x, y, (0.1, 1.0))
    monkeypatch.setattr("ostinato.models.ridge.LARGE", 10**6)
    slow, wanted = RidgeRegression.fit_left_out(x, y, (0.1, 1.0))
    np.testing.assert_allclose(fast.weights, slow.weights, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(left, wanted, rtol=1e-6, atol=1e-9)


def test_a_pool_is_calibrated_and_believes_who_is_right():
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, 400)
    signal = 2.0 * np.eye(3)[truth] + rng.normal(size=(400, 3))
    # Of scores that are normal around their class the logits are twice themselves, however they are stretched.
    assert sharpness(10 * signal, truth) == pytest.approx(0.2, rel=0.25)
    pool = OpinionPool.fit({"good": 10 * signal, "noise": rng.normal(size=(400, 3))}, truth)
    # Each model has a twentieth of the rows beforehand.
    assert 0.85 < pool.weights["good"] < 1 - 21 / 442
    fresh = rng.integers(0, 3, 4000)
    seen = 2.0 * np.eye(3)[fresh] + rng.normal(size=(4000, 3))
    chances = np.exp(OpinionPool.fit({"good": 10 * signal}, truth)({"good": 10 * seen}))
    assert chances.sum(1) == pytest.approx(np.ones(4000))
    assert calibration_error(fresh, chances) < 0.03 < 0.1 < calibration_error(fresh, softmax(10 * seen))
    again = OpinionPool.from_dict(pool.to_dict())
    assert again == pool


def test_a_mixture_of_calibrated_models_is_as_sure_as_it_is_right():
    # Two models, each right of 4 in 5 by itself: where they agree 16 of 17 are right, and a mean of them says 4 of 5.
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 8000)
    said = [np.where(rng.random(8000) < 0.8, truth, 1 - truth) for _ in range(2)]
    scores = {str(i): np.log(4.0) * np.eye(2)[own] for i, own in enumerate(said)}
    half = {name: own[:4000] for name, own in scores.items()}
    closed = OpinionPool.fit({"0": half["0"]}, truth[:4000])
    joined = closed.joined("1", half["1"], closed.mixed({"0": half["0"]}), truth[:4000])
    agree = (said[0] == said[1])[4000:]
    for pool in (OpinionPool.fit(half, truth[:4000]), joined):
        sure = np.exp(pool({name: own[4000:] for name, own in scores.items()}))
        assert np.allclose(sure.sum(1), 1)
        assert abs(sure[agree].max(1).mean() - 16 / 17) < 0.015


def test_numbers_are_mixed_by_least_squares():
    rng = np.random.default_rng(5)
    truth = rng.normal(size=(300, 1))
    parts = {"a": truth + rng.normal(size=(300, 1)), "b": truth + 0.5 * rng.normal(size=(300, 1))}
    weights = OpinionPool.fit(parts, truth).weights
    assert sum(weights.values()) == pytest.approx(1)
    # Independent errors: weights in proportion to the inverse variances, 1 : 4, drawn a little to equal ones.
    assert weights["b"] == pytest.approx(0.8, abs=0.06)


def test_the_frames_of_a_stack_are_in_order():
    x = np.arange(10.0).reshape(5, 2)
    (found,) = stacked([x], 2)
    assert found.tolist() == [[0, 1, 0, 1], [2, 3, 4, 5], [6, 7, 8, 9]]


def chosen(lengths, counts=None, groups=None, **asked):
    settings = dict.fromkeys(PLAIN, "auto") | {"epochs": None, "batch_size": 32} | asked
    return choose(settings, lengths, counts, groups, per_step=False, dt=False)[0]


def test_choices_follow_the_data_and_leave_what_was_asked_for():
    even = np.array([25, 25])
    small = chosen([150] * 50, even)
    assert (small["hidden_size"], small["stack"], small["validation"], small["pool"]) == (32, 2, 10, "all")
    assert small["class_weights"] == "none"
    assert chosen([150] * 50, np.array([40, 10]))["class_weights"] == "balanced"
    assert chosen([50] * 1000, even)["hidden_size"] == 64
    assert chosen([50] * 8, np.array([4, 4]))["validation"] == 0
    assert chosen([50] * 60, even, np.arange(60) % 6)["validation"] == 0.2
    asked = chosen([150] * 50, even, hidden_size=7, pool="last", filters=0, validation=0.5)
    assert (asked["hidden_size"], asked["pool"], asked["filters"], asked["validation"]) == (7, "last", 0, 0.5)
    assert chosen([150] * 50, even, epochs=3) == PLAIN


def bursts(seed, count, length=40):
    """Of the second class a short burst somewhere: no single value tells it, and no mean."""
    rng = np.random.default_rng(seed)
    values, labels = [], []
    for i in range(count):
        x = rng.normal(size=(length, 1))
        if i % 3 == 0:
            at = rng.integers(0, length - 9)
            x[at : at + 9] += 3 * np.array([[2], [-1], [-1], [2], [-1], [-1], [2], [-1], [-1]])
        # Neither the mean nor the deviation tells them apart.
        values.append((x - x.mean()) / x.std())
        labels.append("burst" if i % 3 == 0 else "noise")
    return values, labels


@pytest.fixture(scope="module")
def by_itself():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ostinato.models.sequences.automatic.BUDGET", 2000)
        patch.setattr("ostinato.models.sequences.automatic.FEWEST", 20)
        return SequenceClassifier(hidden_size=4, seed=1).fit(*bursts(0, 45))


def test_it_finds_what_neither_neighbour_nor_linear_map_finds(by_itself, tmp_path):
    X, y = bursts(1, 90)
    found = by_itself.evaluate(X, y)
    assert found["accuracy"] > 0.9 > 0.8 > max(found["baselines"].values())
    assert all(found["tests"][name].shows for name in (NEIGHBOUR, VALUES, "linear"))
    assert by_itself.weights_[FILTERS] > 0.4
    assert set(by_itself.weights_) == {FILTERS, NEIGHBOUR, VALUES, "network"}
    assert by_itself.chosen_["hidden_size"] == 4
    assert "random filters" in by_itself.notes_[0]
    again = SequenceClassifier.load(by_itself.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.predict_proba(X), by_itself.predict_proba(X))
    assert (again.notes_, again.chosen_) == (by_itself.notes_, by_itself.chosen_)


def test_nothing_of_what_is_judged_is_learned(by_itself):
    """What was left out of the closed-form models does not change with its own label."""
    X, y = bursts(0, 45)
    scale = by_itself.scale_
    values = [scale.transform(np.asarray(x)) for x in X]
    codes = np.array([label == "noise" for label in y], int)
    one = Beside.fit(values, np.eye(2)[codes], 300, 1)
    other = codes.copy()
    other[7] = 1 - other[7]
    two = Beside.fit(values, np.eye(2)[other], 300, 1)
    assert one.left_out[NEIGHBOUR][7].tolist() == two.left_out[NEIGHBOUR][7].tolist()


def test_training_that_has_not_moved_is_said():
    rng = np.random.default_rng(6)
    X, y = rng.normal(size=(16, 3, 1)), ["a", "b"] * 8
    with pytest.warns(RuntimeWarning, match="training has not moved: its loss is .* after 60 updates"):
        model = SequenceClassifier(hidden_size=2, epochs=60, learning_rate=1e-6).fit(X, y)
    assert model.notes_[0].startswith("Training has not moved")


def test_rare_classes_count_more_in_training_and_not_in_probabilities():
    """Of a network that sees nothing but noise the probabilities are the shares of the classes, weighted or not."""
    rng = np.random.default_rng(7)
    X, y = list(0.01 * rng.normal(size=(40, 3, 1))), ["a"] * 36 + ["b"] * 4
    options = {"hidden_size": 2, "epochs": 40, "batch_size": 40, "learning_rate": 0.1, "class_weights": "balanced"}
    even = SequenceClassifier(**options, weight_decay=1.0).fit(X, y)
    assert even.class_weights_ == pytest.approx([40 / 72, 5.0])
    assert even.predict_proba(X)[:, 1].mean() == pytest.approx(0.5, abs=0.1)
    even.class_weights = "auto"
    assert even.predict_proba(X)[:, 1].mean() == pytest.approx(0.1, abs=0.05)


def test_a_regressor_mixes_too(monkeypatch):
    monkeypatch.setattr("ostinato.models.sequences.automatic.BUDGET", 2000)
    monkeypatch.setattr("ostinato.models.sequences.automatic.FEWEST", 20)
    rng = np.random.default_rng(8)
    X = list(rng.normal(size=(60, 12, 1)))
    y = np.array([x[2, 0] - 2 * x[7, 0] for x in X])
    data = LabelledSequences(X[:40], y[:40])
    model = SequenceRegressor(hidden_size=4).fit(data)
    found = model.evaluate(X[40:], y[40:])
    assert model.weights_[VALUES] > 0.5
    assert found["r2"] > 0.8 > found["baselines"]["linear"]["r2"]
    assert found["baselines"][VALUES]["r2"] > 0.95


def test_guessing_is_the_best_constant_under_the_loss_that_is_trained():
    """Of 3 in 10 the entropy; where each class counts alike, one of two."""
    labels = ["a"] * 7 + ["b"] * 3
    model, target = SequenceClassifier(), Labels(False).learn(labels, np.arange(10))
    codes = target.encode(labels)
    model.class_weights_ = None
    assert model._guessing(target, codes) == pytest.approx(-0.7 * np.log(0.7) - 0.3 * np.log(0.3))
    model.class_weights_ = [0.7, 1.7]
    assert model._guessing(target, codes) == pytest.approx(np.log(2))
