"""Baselines against least squares and loops in numpy."""

import numpy as np
import pytest

from ostinato.data import Table, calendar
from ostinato.errors import CorruptFile, DataError, LengthError, NotFitted, SettingsError
from ostinato.models import Forecaster, LinearAR, Mean, Persistence, SeasonalNaive, load

rng = np.random.default_rng(7)


def walk(n: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=n)
    x = np.zeros(n)
    for t in range(2, n):
        x[t] = 0.6 * x[t - 1] - 0.3 * x[t - 2] + noise[t]
    return x + 5.0


def least_squares(columns: list[np.ndarray], wanted: np.ndarray) -> np.ndarray:
    """Coefficients of the columns, then the constant, in float64."""
    design = np.stack([*columns, np.ones(len(wanted))], 1)
    return np.linalg.lstsq(design, wanted, rcond=None)[0]


def test_persistence_repeats_the_last_observed_value():
    y = np.array([[1.0, 10.0], [2.0, np.nan], [np.nan, 30.0]])
    assert Persistence(horizon=2).fit(y).predict().values[0].tolist() == [[2.0, 30.0], [2.0, 30.0]]


def test_seasonal_naive_repeats_the_last_season():
    y = np.arange(10.0)
    assert SeasonalNaive(4, horizon=6).fit(y).predict()["0"].tolist() == [6, 7, 8, 9, 6, 7]
    y[7] = np.nan  # replaced by the season before
    assert SeasonalNaive(4, horizon=6).fit(y).predict()["0"].tolist() == [6, 3, 8, 9, 6, 3]


def test_seasonal_naive_takes_the_season_from_the_times():
    days = np.datetime64("2020-01-01") + np.arange(21)
    model = SeasonalNaive(horizon=7).fit({"day": days, "y": np.arange(21.0)})
    assert model.season_ == 7
    assert model.predict()["y"].tolist() == [14, 15, 16, 17, 18, 19, 20]
    assert model.predict()["day"].tolist() == (days[-1] + np.arange(1, 8)).astype("M8[s]").tolist()
    with pytest.raises(SettingsError, match="season"):
        SeasonalNaive().fit(np.arange(9.0))


def test_mean_is_that_of_the_training_rows_of_each_series():
    table = {"id": ["a", "a", "b", "b"], "y": [1.0, 3.0, 10.0, 20.0]}
    model = Mean().fit(table, "y", series="id")
    assert model.predict()["y"].tolist() == [2.0, 15.0]
    assert model.predict({"id": ["a", "c", "c"], "y": [9.0, 4.0, 6.0]})["y"].tolist() == [2.0, 5.0]


@pytest.mark.parametrize("subtract_last", [False, True])
def test_linear_is_least_squares_of_each_step_ahead(subtract_last: bool):
    y, order, horizon = walk(80), 3, 2
    said = LinearAR(order, horizon, subtract_last=subtract_last).fit(y).predict().values[0, :, 0]
    starts = np.arange(len(y) - order - horizon + 1)
    base = y[starts + order - 1] if subtract_last else np.zeros(len(starts))
    lags = [y[starts + i] - base for i in range(order)]
    for k in range(horizon):
        a = least_squares(lags, y[starts + order + k] - base)
        last = y[-1] if subtract_last else 0.0
        assert said[k] == pytest.approx(last + a[:-1] @ (y[-order:] - last) + a[-1], rel=1e-6)


def test_linear_with_calendar_and_known_covariates_is_least_squares():
    n, horizon = 120, 3
    times = np.datetime64("2021-03-01") + np.arange(n)
    z = rng.normal(size=n)
    y = walk(n) + 3 * z
    table = {"t": times, "z": z, "y": np.where(np.arange(n) < n - horizon, y, np.nan)}
    said = LinearAR(2, horizon, future=("z",), calendar=("weekday",)).fit(table, "y").predict()
    waves = calendar(times.astype("M8[s]"), ["weekday"])
    known = np.stack([z, waves["weekday_sin1"], waves["weekday_cos1"]], 1)
    o = np.arange(2, n - 2 * horizon + 1)
    for k in range(horizon):
        a = least_squares([y[o - 2], y[o - 1], *known[o + k].T], y[o + k])
        row = np.concatenate([y[n - horizon - 2 : n - horizon], known[n - horizon + k], [1.0]])
        assert said["y"][k] == pytest.approx(row @ a, rel=1e-6)
    assert said["t"].tolist() == times[-horizon:].astype("M8[s]").tolist()


def test_ridge_penalises_standardised_coefficients():
    y, lam = walk(60), 0.5
    said = LinearAR(2, ridge=lam).fit(y).predict()["0"][0]
    z = (y - y.mean()) / y.std()
    x = np.stack([z[:-2], z[1:-1], np.ones(58)], 1)
    a = np.linalg.solve(x.T @ x / 58 + lam * np.diag([1.0, 1.0, 0.0]), x.T @ z[2:] / 58)
    assert said == pytest.approx((a @ [z[-2], z[-1], 1.0]) * y.std() + y.mean(), rel=1e-9)


def test_one_linear_map_serves_many_series_each_in_its_own_scale():
    a, b = walk(70, 1), walk(50, 2)
    table = {"id": ["a"] * 70 + ["b"] * 50, "y": [*a, *(1000 * b)]}
    said = LinearAR(2).fit(table, "y", series="id").predict()["y"]
    za, zb = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    lags = [np.concatenate([za[i : i - 2], zb[i : i - 2]]) for i in range(2)]
    w = least_squares(lags, np.concatenate([za[2:], zb[2:]]))
    assert said[0] == pytest.approx((w @ [*za[-2:], 1.0]) * a.std() + a.mean(), rel=1e-9)
    assert said[1] == pytest.approx(1000 * ((w @ [*zb[-2:], 1.0]) * b.std() + b.mean()), rel=1e-9)


def test_backtest_says_at_each_origin_what_predict_says_there():
    y = walk(60)
    models = {"linear": LinearAR(3, 2).fit(y[:40]), "season": SeasonalNaive(5, 2).fit(y[:40])}
    test = models["linear"].backtest(y, 20, step=4, baselines={"season": models["season"]})
    assert test.origins.tolist() == [40, 44, 48, 52, 56]
    for i, o in enumerate(test.origins):
        assert test.truth[i, :, 0].tolist() == y[o : o + 2].tolist()
        for name, model in zip(test.forecasts, models.values(), strict=True):
            assert test.forecasts[name][i] == pytest.approx(model.predict(y[:o]).values[0], rel=1e-12)
    error = test.forecasts["linear"] - test.truth
    assert test.rmse("linear") == pytest.approx(np.sqrt(np.mean(error**2)))
    assert test.by_horizon("linear", "mae") == pytest.approx(np.abs(error).mean((0, 2)))


def test_score_is_skill_against_persistence():
    y = walk(200)
    model = LinearAR(2).fit(y[:100])
    o = np.arange(100, 200)
    a = least_squares([y[:98], y[1:99]], y[2:100])
    error = y[o] - (a[0] * y[o - 2] + a[1] * y[o - 1] + a[2])
    assert model.score(y, 100) == pytest.approx(1 - np.mean(error**2) / np.mean((y[o] - y[o - 1]) ** 2), rel=1e-6)


def test_saved_and_loaded_baselines_say_the_same(tmp_path):
    days = np.datetime64("2020-01-01") + np.arange(40)
    table = Table({"day": days, "y": walk(40)})
    for model in (Persistence(3), SeasonalNaive(7, 3), Mean(3), LinearAR(4, 3, calendar=("weekday",))):
        model.fit(table, "y")
        again = load(model.save(tmp_path / model.kind))
        assert repr(again) == repr(model)
        assert again.predict().columns().keys() == model.predict().columns().keys()
        for name in model.predict():
            assert again.predict()[name].tolist() == model.predict()[name].tolist()
    with pytest.raises(CorruptFile, match="'mean'"):
        Forecaster.load(tmp_path / "mean")


def test_errors_name_what_is_wrong():
    with pytest.raises(NotFitted):
        LinearAR().predict()
    with pytest.raises(LengthError, match="order 7 and horizon 1 need 8 rows"):
        LinearAR(7).fit(walk(6))
    with pytest.raises(LengthError, match="horizon: fitted for 2"):
        LinearAR(2, 2).fit(walk(30)).predict(horizon=3)
    with pytest.raises(LengthError, match="needs 3 rows before it, got 2"):
        LinearAR(3).fit(walk(30)).predict(walk(30)[:2])
    with pytest.raises(DataError, match="constant"):
        LinearAR(2).fit(np.full(30, 4.0))
    with pytest.raises(DataError, match="needs a column of dates"):
        LinearAR(2, calendar=("weekday",)).fit(walk(30))
