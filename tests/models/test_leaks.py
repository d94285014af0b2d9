"""What is judged was not trained on, by the model or by what stands beside it: data in which the answer shows it."""

import numpy as np
import pytest

from ostinato.data import LabelledSequences, to_series
from ostinato.data.holdout import cut_series
from ostinato.errors import DataError, LeakError, LengthError, NonFiniteError, SettingsError
from ostinato.models import Forecaster, LinearAR, Mean, Persistence, SequenceClassifier, SequenceRegressor
from ostinato.models.forecast.baselines import best_order, default_baselines
from ostinato.models.ridge import RidgeRegression, summaries

SMALL = {"hidden_size": 2, "context": 5, "epochs": None, "steps": 0, "validation": 0}
RNG = np.random.default_rng(0)
BEFORE, AFTER = RNG.normal(0, 1, 80), RNG.normal(100, 1, 20)
"""A level that is another one in the held-out end: who has seen that, knows it."""


def test_default_baselines_of_a_backtest_are_fitted_to_the_rows_before_it() -> None:
    y = np.concatenate([BEFORE, AFTER])
    model = Forecaster(**SMALL).fit(BEFORE)
    test = model.backtest(y, 20)
    assert test.forecasts["mean"] == pytest.approx(np.full((20, 1, 1), BEFORE.mean()))
    (name,) = (n for n in test.forecasts if n.startswith("linear"))
    order = int(name.removeprefix("linear(").removesuffix(")"))
    alone = LinearAR(order, ridge=1e-6).fit(BEFORE).backtest(y, 20, baselines={})
    assert test.forecasts[name].tolist() == alone.forecasts["linear"].tolist()


def test_so_are_those_that_are_given_and_a_refitted_model() -> None:
    y = np.concatenate([BEFORE, AFTER])
    test = Mean().backtest(y, 20, refit="once", baselines={"another": Mean()})
    for name in ("mean", "another"):
        assert test.forecasts[name] == pytest.approx(np.full((20, 1, 1), BEFORE.mean()))
    with pytest.raises(LeakError, match="held-out end begins with row 80"):
        Mean().fit(BEFORE).backtest(y, 20, baselines={"cheat": Mean().fit(y)})


def test_the_order_is_chosen_on_the_training_rows() -> None:
    """A second-order process in training; in what follows only the last value counts."""
    rng = np.random.default_rng(3)
    noise, x = rng.normal(0, 0.1, 400), np.zeros(400)
    for t in range(2, 400):
        x[t] = (0.9 * x[t - 2] if t < 300 else x[t - 1]) + noise[t]
    series = to_series({"x": x}, "x")
    train = cut_series(series, stops=[300])
    order = best_order(LinearAR(6, ridge=1e-6), train).order
    assert order >= 2
    errors = {}
    for k in range(1, 7):
        o = np.arange(255, 300)
        lags = np.stack([x[k - i - 1 : 254 - i] for i in range(k)] + [np.ones(255 - k)], 1)
        a = np.linalg.lstsq(lags, x[k:255], rcond=None)[0]
        said = np.stack([x[o - i - 1] for i in range(k)] + [np.ones(45)], 1) @ a
        errors[k] = np.mean((said - x[o]) ** 2)
    assert order == min(errors, key=errors.__getitem__)
    # Beside a network with a short context it may look as far back as a quarter of the rows allow.
    found = default_baselines(Forecaster(**SMALL | {"context": 2}).fit(x[:300]), train, 1)
    order = best_order(LinearAR(75, ridge=1e-6), train, (False, True)).order
    assert order > 2
    assert list(found) == ["persistence", "mean", f"linear({order})"]
    assert all(baseline.rows_ == {"0": 300} for baseline in found.values())


def test_score_is_guarded_as_a_backtest_is() -> None:
    y = np.concatenate([BEFORE, AFTER])
    model = Forecaster(**SMALL).fit(BEFORE)
    for data, last in ((BEFORE, 1.0), (y, 1.0), (y, 21)):
        with pytest.raises(LeakError, match="held-out end begins with row"):
            model.score(data, last)
    assert np.isfinite(model.score(y, 20))
    dated = {"day": np.datetime64("2024-01-01") + np.arange(100), "y": y}
    dated_model = Forecaster(**SMALL).fit({name: column[:80] for name, column in dated.items()}, "y")
    with pytest.raises(LeakError):
        dated_model.score(dated, 30)
    assert dated_model.score(dated, 20) == pytest.approx(model.score(y, 20), rel=1e-6)


def labelled() -> tuple[list[np.ndarray], list[str]]:
    """Two classes whose means lie on one side of 0, but for those that seed 0 holds out, which lie on the other."""
    rng = np.random.default_rng(1)
    y = ["a", "b"] * 12
    held = SequenceClassifier(validation=0.25)._prepare([np.zeros((3, 1))] * 24, y).held
    sign = np.where(np.isin(np.arange(24), held), -1.0, 1.0)
    return [rng.normal(s * (3 if label == "a" else -3), 0.1, (3, 1)) for s, label in zip(sign, y, strict=True)], y


def test_the_baseline_of_a_classifier_has_not_seen_the_validation_set() -> None:
    X, y = labelled()
    model = SequenceClassifier(hidden_size=2, epochs=1, validation=0.25, buckets=1).fit(X, y)
    held = model._prepare(X, y).held
    rest = np.setdiff1d(np.arange(24), held)
    one_hot = np.eye(2)[[["a", "b"].index(label) for label in y]]
    expected = RidgeRegression.fit(summaries([X[i] for i in rest]), one_hot[rest])
    np.testing.assert_allclose(model.baseline_.weights, expected.weights, rtol=1e-9)
    found = model.evaluate([X[i] for i in held], [y[i] for i in held])
    assert found["baselines"]["linear"] == 0
    assert model.evaluate([X[i] for i in rest], [y[i] for i in rest])["baselines"]["linear"] == 1
    numbers = SequenceRegressor(hidden_size=2, epochs=1, validation=6, buckets=1).fit(X, [x.mean() for x in X])
    rows = np.setdiff1d(np.arange(24), numbers._prepare(X, np.zeros(24)).held)
    assert len(rows) == 18
    assert numbers.target_scale_.mean == pytest.approx([np.mean([X[i].mean() for i in rows])])


def days(n: int = 60) -> dict[str, np.ndarray]:
    return {"day": np.datetime64("2024-01-01") + np.arange(n), "v": np.sin(np.arange(n)) + np.arange(n) / 50}


@pytest.mark.parametrize(
    ("settings", "asked", "error", "words"),
    [
        (
            {"horizon": 30, "context": 10},
            {"last": 0.2},
            LengthError,
            "no origin with 10 rows before it and 30 after it",
        ),
        ({"horizon": 3}, {"last": 2}, LengthError, "no origin with 5 rows before it and 3 after it"),
        ({"horizon": 3}, {"last": 0.2, "season": 500}, SettingsError, "season: expected 1 to below 48 steps, got 500"),
        ({"context": 48}, {"last": 0.2}, LengthError, "context 48 and horizon 1 need 49 rows to train on"),
        ({"validation": 0.95}, {}, LengthError, "context 5 and horizon 1 need 6 rows to train on"),
        ({"cell": "gruu"}, {}, SettingsError, "cell: expected one of"),
        ({"calendar": ("moon",)}, {}, DataError, "moon"),
        ({"loss": "cubed"}, {}, SettingsError, "loss: expected one of"),
        ({"rule": "none"}, {}, SettingsError, "rule"),
    ],
)
def test_what_can_be_judged_before_training_is(settings, asked, error, words) -> None:
    with pytest.raises(error, match=words):
        Forecaster(**SMALL | settings).check(days(), "v", **asked)


def test_what_was_judged_can_be_fitted_and_judged() -> None:
    model = Forecaster(**SMALL | {"horizon": 3})
    model.check(days(), "v", last=0.2, season=7)
    assert not model.is_fitted
    series = to_series(days(), "v")
    assert len(model.fit(cut_series(series, stops=[48])).backtest(series, 0.2).origins) == 10
    hole = days() | {"v": np.where(np.arange(60) == 50, np.nan, days()["v"])}
    with pytest.raises(NonFiniteError, match="is missing in row 50"):
        model.check(hole, "v", last=0.2)
    LinearAR(3).check(days(), "v", last=3)
    Persistence().check(days(), "v", last=1)


def test_labels_and_features_of_a_held_out_set_are_judged_before_training() -> None:
    X, y = labelled()
    model = SequenceClassifier(hidden_size=2, epochs=1)
    model.check(X, y, held=X[:3], held_y=y[:3])
    model.check(LabelledSequences(X, np.array(y)), held=LabelledSequences(X, np.array(y)))
    with pytest.raises(DataError, match="label 'c' was not seen in training"):
        model.check(X, y, held=X[:2], held_y=["a", "c"])
    with pytest.raises(DataError, match="expected one target for each sequence"):
        model.check(X, y, held=X[:2])
    with pytest.raises(ValueError, match=r"X\[0\]: expected \(time, 1\), got \(3, 2\)"):
        model.check(X, y, held=[np.zeros((3, 2))], held_y=["a"])
    assert vars(model) == model.get_params()
    with pytest.raises(SettingsError, match="cell: expected one of"):
        SequenceClassifier("gruu").check(X, y)
