"""The regressor of sequences, and the ridge beside it: against NumPy in float64 and scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.linear_model import Ridge as Peer

from ostinato.data.holdout import held_rows
from ostinato.errors import CorruptFile, DataError, NonFiniteError, NotFitted, ShapeError
from ostinato.models import SequenceClassifier, SequenceRegressor
from ostinato.models.ridge import STRENGTHS, RidgeRegression, summaries


def sums_and_ends(seed: int, count: int = 60) -> tuple[list[np.ndarray], np.ndarray]:
    """Two targets of very different units: the sum of the first feature, and the last value of the second."""
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(int(rng.integers(2, 8)), 2)) for _ in range(count)]
    return X, np.array([[2000 + 0.5 * x[:, 0].sum(), 1e-3 * x[-1, 1]] for x in X])


SETTINGS = {"cell": "elman", "hidden_size": 8, "epochs": 60, "learning_rate": 0.02, "batch_size": 20, "buckets": 1}


@pytest.fixture(scope="module")
def fitted() -> SequenceRegressor:
    return SequenceRegressor(bidirectional=True, **SETTINGS).fit(*sums_and_ends(0))


def elman_last(cell: object, xs: np.ndarray) -> np.ndarray:
    """The last output of an Elman network over one sequence, in float64."""
    W, R, b = (np.asarray(getattr(cell, n), np.float64)[0] for n in ("W", "R", "b"))
    h = np.zeros(len(b))
    for x in xs:
        h = np.tanh(W @ x + R @ h + b)
    return h


def test_numbers_are_those_of_the_equations(fitted: SequenceRegressor) -> None:
    X, _ = sums_and_ends(1, 5)
    layer, readout = fitted.network_.rnn.stack.layers[0], fitted.network_.readout
    expected = []
    for x in [*X, np.zeros((0, 2))]:
        z = (x - fitted.scale_.mean) / fitted.scale_.scale
        ends = np.concatenate([elman_last(layer.forward, z), elman_last(layer.backward, z[::-1])])
        expected.append(np.asarray(readout.V, np.float64) @ ends + np.asarray(readout.c))
    targets = sums_and_ends(0)[1]
    np.testing.assert_allclose(
        (fitted.predict([*X, np.zeros((0, 2))]) - targets.mean(0)) / targets.std(0), expected, atol=3e-6
    )


def test_scores_are_those_of_scikit_learn(fitted: SequenceRegressor) -> None:
    X, y = sums_and_ends(2, 50)
    found, guess = fitted.evaluate(X, y), fitted.predict(X)
    np.testing.assert_allclose(found["r2"], metrics.r2_score(y, guess), rtol=1e-9)
    np.testing.assert_allclose(found["rmse"], metrics.root_mean_squared_error(y, guess), rtol=1e-9)
    np.testing.assert_allclose(found["mae"], metrics.mean_absolute_error(y, guess), rtol=1e-9)
    np.testing.assert_allclose(
        [row["r2"] for row in found["per_target"]], metrics.r2_score(y, guess, multioutput="raw_values"), rtol=1e-9
    )
    mean = np.broadcast_to(sums_and_ends(0)[1].mean(0), y.shape)
    np.testing.assert_allclose(found["baselines"]["mean"]["r2"], metrics.r2_score(y, mean), rtol=1e-9)
    assert fitted.score(X, y) == found["r2"] > 0.8 > found["baselines"]["linear"]["r2"] + 0.2


def test_files(fitted: SequenceRegressor, tmp_path) -> None:
    X, _ = sums_and_ends(3, 4)
    again = SequenceRegressor.load(fitted.save(tmp_path / "model"))
    assert np.array_equal(again.predict(X), fitted.predict(X))
    with pytest.raises(CorruptFile, match="kind 'sequence-regressor', expected 'sequence-classifier'"):
        SequenceClassifier.load(tmp_path / "model")


def test_a_number_for_each_step_with_validation(tmp_path) -> None:
    """One target without an axis of its own: the running mean."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(int(rng.integers(1, 7)), 1)) for _ in range(40)]
    y = [x[:, 0].cumsum() for x in X]
    model = SequenceRegressor(per_step=True, validation=0.25, patience=50, **(SETTINGS | {"epochs": 40})).fit(X, y)
    found = model.predict(X)
    assert [f.shape for f in found] == [t.shape for t in y]
    np.testing.assert_allclose(model.score(X, y), metrics.r2_score(np.concatenate(y), np.concatenate(found)), rtol=1e-9)
    assert model.score(X, y) > 0.9 > model.evaluate(X, y)["baselines"]["linear"]["r2"]
    held = held_rows(0.25, 0, 40)
    rest = np.setdiff1d(np.arange(40), held)
    np.testing.assert_allclose(model.target_scale_.mean, np.concatenate([y[i] for i in rest]).mean())
    error = np.concatenate([found[i] - y[i] for i in held]) / model.target_scale_.scale
    np.testing.assert_allclose(model.best_["squared"], np.mean(error**2), rtol=1e-5)
    again = SequenceRegressor.load(model.save(tmp_path / "m")).predict(X)
    assert all(np.array_equal(a, b) for a, b in zip(again, found, strict=True))


@pytest.mark.parametrize(
    ("y", "error", "words"),
    [
        ([1.0, 2.0], ShapeError, "expected 3 targets, one for each sequence, got 2"),
        (["a", "b", "c"], DataError, "expected numbers"),
        ([1.0, np.nan, 2.0], NonFiniteError, "nan"),
        (np.zeros((3, 2, 2)), ShapeError, r"\(n, targets\)"),
    ],
)
def test_bad_targets_are_refused_before_training(y, error, words) -> None:
    model = SequenceRegressor()
    with pytest.raises(error, match=words):
        model.fit([np.ones((2, 1))] * 3, y)
    assert not model.is_fitted


def test_other_targets_after_training(fitted: SequenceRegressor) -> None:
    X, y = sums_and_ends(4, 3)
    with pytest.raises(ShapeError, match="expected 2 targets, got 1"):
        fitted.evaluate(X, y[:, 0])
    with pytest.raises(NotFitted):
        SequenceRegressor().score(X, y)


def test_the_ridge_has_the_least_leave_one_out_error() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 9)) * [1, 100, 0.01, 1, 1, 1, 1, 1, 0] + 5
    y = x[:, [0, 3]] + rng.normal(size=(12, 2))
    z = (x - x.mean(0)) / np.where(x.std(0) > 1e-9, x.std(0), 1)

    def left_out(strength: float) -> float:
        """Each row's error when the coefficients are fitted without it, the scaling as before."""
        total = 0.0
        for i in range(12):
            rest = np.arange(12) != i
            # The rows left are no longer centred, so the constant is fitted with them.
            A = np.column_stack([z[rest], np.ones(11)])
            penalty = 12 * strength * np.diag([1.0] * 9 + [0.0])
            B = np.linalg.solve(A.T @ A + penalty, A.T @ y[rest])
            total += float(((y[i] - z[i] @ B[:9] - B[9]) ** 2).sum())
        return total

    best = min(STRENGTHS, key=left_out)
    assert STRENGTHS[0] < best < STRENGTHS[-1]
    peer = Peer(alpha=12 * best).fit(z, y)
    np.testing.assert_allclose(
        RidgeRegression.fit(x, y).predict(x + 1),
        peer.predict(z + (x + 1 - x) / np.where(x.std(0) > 1e-9, x.std(0), 1)),
        rtol=1e-8,
    )


def test_summaries_pass_over_what_is_missing() -> None:
    x = np.array([[1.0, np.nan], [4.0, 2.0], [np.nan, 5.0]])
    np.testing.assert_allclose(summaries([x])[0], [2.5, 3.5, 1.5, 1.5])
