"""Conformal intervals against the ranks, the distributions and the loops that they stand for."""

import numpy as np
import pytest
from scipy import stats

from ostinato.errors import SettingsError
from ostinato.models import LinearAR, Mean, Persistence, SeasonalNaive, load, measures
from ostinato.models.forecast.adaptive import follow
from ostinato.models.forecast.calibration import Calibration, change_scale, independent

rng = np.random.default_rng(3)
ONE = np.zeros((1, 1, 1))


def calibration(errors: np.ndarray, **more) -> Calibration:
    errors = errors.reshape(len(errors), -1, 1)
    return Calibration(errors, np.zeros(len(errors), int), ("a",), np.ones((1, 1)), **more)


def half(found: Calibration, level: float, horizon: int = 1) -> np.ndarray:
    low, high = found.intervals(np.zeros((1, horizon, 1)), (level,), ("a",))
    assert low[..., 0] == pytest.approx(-high[..., 0])
    return high[0, :, 0, 0]


@pytest.mark.parametrize("level", [80, 90, 97.5])
def test_the_half_width_is_the_corrected_rank_of_the_absolute_errors(level: float):
    errors = rng.normal(size=250)
    rank = int(np.ceil(251 * level / 100))
    assert half(calibration(errors), level)[0] == np.sort(abs(errors))[rank - 1]


def test_split_conformal_covers_what_is_exchangeable_at_its_level():
    """Over many calibrations of nine errors: at least .9, and at most 1 / 10 above it (Lei et al. 2018, theorem 2)."""
    draws = rng.standard_cauchy(size=(4000, 10))
    inside = [abs(d[9]) <= np.sort(abs(d[:9]))[8] for d in draws]
    ours = [abs(d[9]) <= half(calibration(d[:9]), 90)[0] for d in draws[:100]]
    assert ours == inside[:100]
    assert 0.9 - 0.015 < np.mean(inside) < 1.0


def test_beyond_the_ranks_it_is_that_of_student():
    errors = np.array([1.0, -1.0, 2.0, -2.0])
    wanted = stats.t.ppf(0.975, 4) * np.sqrt(2.5 * (1 + 1 / 4))
    assert half(calibration(errors), 95)[0] == pytest.approx(wanted)


def test_overlapping_errors_count_as_fewer():
    """Sums of k steps of white noise have the autocorrelations 1 - i / k."""
    noise, k = rng.normal(size=40_000), 5
    sums = np.convolve(noise, np.ones(k), "valid")
    wanted = len(sums) / (1 + 2 * sum((1 - i / k) ** 2 for i in range(1, k)))
    assert independent(sums, np.zeros(len(sums), int), k - 1) == pytest.approx(wanted, rel=0.05)
    apart = np.repeat([0, 1], [len(sums) // 2, len(sums) - len(sums) // 2])
    assert independent(sums, apart, k - 1) == pytest.approx(wanted, rel=0.05)


def test_few_origins_are_pooled_over_steps_and_grow_as_the_root_beyond_them():
    walk = rng.normal(size=(30, 6)).cumsum(1)
    found = half(calibration(walk), 80, 24)
    assert (np.diff(found) >= -1e-12).all()
    assert found[23] / found[5] == pytest.approx(np.sqrt(24 / 6))
    errors = np.full((30, 3), np.nan)
    errors[:, 0] = walk[:, 0]
    assert half(calibration(errors), 80, 3)[2] > half(calibration(errors), 80, 3)[0] > 0


def test_series_are_pooled_in_their_own_scale():
    small, large = rng.normal(size=(60, 1, 1)), 100 * rng.normal(size=(60, 1, 1))
    errors, rows = np.concatenate([small, large]), np.repeat([0, 1], 60)
    found = Calibration(errors, rows, ("s", "l"), np.array([[1.0], [100.0]]))
    relative = np.sort(abs(np.concatenate([small, large / 100]).ravel()))
    high = found.intervals(np.zeros((3, 1, 1)), (90,), ("l", "s", "new"), np.array([[9.0], [9.0], [7.0]]))[1]
    assert high.ravel() == pytest.approx(np.array([100, 1, 7]) * relative[int(np.ceil(121 * 0.9)) - 1])
    many = Calibration(np.concatenate([small, small, large]), np.repeat([0, 1], [120, 60]), ("s", "l"), np.ones((2, 1)))
    own = np.sort(abs(np.concatenate([small, small]).ravel()))[int(np.ceil(121 * 0.9)) - 1]
    assert many.intervals(ONE, (90,), ("s",))[1].item() == own


def test_a_factor_where_errors_grow_with_the_level():
    truth = 100 * np.exp(rng.normal(size=(200, 1, 1)))
    found = Calibration.of(truth, np.full((200, 1, 1), 100.0), np.zeros(200, int), ("a",), log=True)
    low, high = found.intervals(np.full((1, 1, 1), 7.0), (90,), ("a",))
    q = np.sort(abs(np.log(truth / 100).ravel()))[int(np.ceil(201 * 0.9)) - 1]
    assert (low.item(), high.item()) == pytest.approx((7 * np.exp(-q), 7 * np.exp(q)))
    airline = 100 * 1.02 ** np.arange(120) * (1 + 0.1 * rng.normal(size=120))
    assert Persistence().fit(airline).calibration_.log
    assert not Persistence().fit(100 + rng.normal(size=120).cumsum()).calibration_.log


def test_series_of_any_scale_are_pooled_in_that_of_their_logarithm():
    swing = np.exp(0.1 * rng.normal(size=(2, 120)))
    table = {"id": ["a"] * 120 + ["b"] * 120, "y": np.r_[swing[0], 1e4 * swing[1]]}
    found = LinearAR(1, log=True).fit(table, "y", series="id").calibration_
    assert found.log
    assert found.scales.ravel() == pytest.approx([np.sqrt(np.mean(np.diff(np.log(s)) ** 2)) for s in swing])


def test_errors_are_those_of_a_model_that_has_not_seen_the_rows():
    y = rng.normal(size=80).cumsum()
    found = LinearAR(3, 2).fit(y).calibration_
    early = LinearAR(3, 2).fit(y[:60])
    wanted = [y[o : o + 2] - early.predict(y[:o], level=())["0"] for o in range(60, 79)]
    assert found.errors[:19, :, 0] == pytest.approx(np.array(wanted))
    assert np.isnan(found.errors[19, 1, 0])
    assert SeasonalNaive(4).fit(y).calibration_.errors[:, 0, 0] == pytest.approx(y[60:] - y[56:76])


def test_few_rows_give_an_interval_all_the_same():
    said = LinearAR(1, 3).fit([1.0, 2.0, 4.0, 8.0, 9.0]).predict()
    assert said.lower is not None
    assert np.isfinite(said.lower).all()
    assert (said["0_lo95"] < said["0_lo80"]).all()
    assert (said["0_lo80"] < said["0"]).all()
    for level in ((0,), (100,), (True,)):
        with pytest.raises(SettingsError, match="level: expected percent"):
            Persistence().fit([1.0, 2.0]).predict(level=level)


def test_intervals_come_back_from_a_folder(tmp_path):
    model = LinearAR(2, 3).fit(np.exp(rng.normal(size=60).cumsum() / 9))
    again = load(model.save(tmp_path / "m")).calibration_
    for name, array in model.calibration_.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)
    assert again.numbers() == model.calibration_.numbers()


def naive_follow(first, errors, origins, old, share, rate, k):
    """The same as a loop over one step ahead."""
    alpha, pool, said, found = 1 - share, list(old), 0, []
    for row, origin in enumerate(origins):
        while said < row and origins[said] + k < origin:
            alpha = float(np.clip(alpha + rate * ((1 - share) - (errors[said] > found[said])), 1e-3, 1 - 1e-3))
            pool.append(errors[said])
            said += 1
        rank = int(np.ceil(round((len(pool) + 1) * (1 - alpha), 9)))
        tail = stats.t.ppf(1 - alpha / 2, len(pool)) * np.sqrt(np.mean(np.square(pool)) * (1 + 1 / len(pool)))
        half = np.sort(pool)[rank - 1] if rank <= len(pool) else max(tail, max(pool))
        found.append(half if said else first)
    return np.array(found)


def test_adaptive_intervals_are_those_of_the_loop():
    old, horizon = rng.normal(size=(40, 3, 1)), 3
    base = Calibration(old, np.zeros(40, int), ("a",), np.ones((1, 1)))
    truth, origins = 3 * rng.normal(size=(60, horizon, 1)), np.arange(0, 120, 2)
    said = np.zeros((60, horizon, 1))
    made = follow(base, truth, said, np.zeros(60, int), origins, ["a"] * 60, np.ones((60, 1)), (90,), rate=0.05)
    first = base.intervals(said[:1], (90,), ("a",))[1][0, :, 0, 0]
    for k in range(horizon):
        wanted = naive_follow(first[k], abs(truth[:, k, 0]), origins, abs(old[:, k, 0]), 0.9, 0.05, k)
        assert made[:, k, 0, 0, 1] == pytest.approx(wanted)


def test_adaptive_intervals_cover_where_the_errors_grow():
    y = rng.normal(size=1200) * np.repeat([1.0, 4.0], 600)
    model = SeasonalNaive(1).fit(y[:600].cumsum())
    plain, adapted = (model.backtest(y.cumsum(), 600, baselines={}, adapt=a).coverage()[80.0] for a in (None, 0.03))
    assert plain < 0.4
    assert adapted == pytest.approx(0.8, abs=0.02)


def test_predict_follows_the_errors_on_rows_that_came_later():
    y = rng.normal(size=300) * np.repeat([1.0, 4.0], 150)
    model = Persistence(2).fit(y[:150].cumsum())
    later, plain = (model.predict(y.cumsum(), level=(80,), adapt=a) for a in (0.03, None))
    test = model.backtest(np.r_[y.cumsum(), 0, 0], 152, level=(80,), baselines={})
    width = lambda f: float(f["0_hi80"][0] - f["0_lo80"][0])
    assert width(later) > 2 * width(plain)
    assert np.stack([later["0_lo80"], later["0_hi80"]], 1) == pytest.approx(test.intervals["persistence"][-1, :, 0, 0])


def test_change_scale_is_that_of_differences_or_else_of_values():
    y = np.array([[1.0, 5.0, 2.0], [3.0, 5.0, np.nan], [7.0, 5.0, 8.0]])
    assert change_scale(y).tolist() == pytest.approx([np.sqrt(10), 1.0, 3.0])


def test_the_backtest_scores_the_intervals():
    y = rng.normal(size=200)
    test = LinearAR(2, 2).fit(y[:150]).backtest(y, 50, step=3, level=(80, 95))
    ends = test.intervals["linear"]
    t, low, high = test.truth, ends[..., 1, 0], ends[..., 1, 1]
    inside = (low <= t) & (t <= high)
    assert test.coverage()[95] == inside.mean()
    assert test.coverage_by_horizon(95).tolist() == inside.mean((0, 2)).tolist()
    missed = np.where(t < low, low - t, np.where(t > high, t - high, 0))
    assert test.interval_score()[95] == pytest.approx((high - low + 40 * missed).mean())
    assert test.metrics()["linear"]["crps"] < test.mae("linear")
    assert measures.mae(t.ravel(), test.forecasts["linear"].ravel()) == test.mae("linear")


def test_a_model_is_fitted_again_before_each_origin_or_some_of_them():
    y = rng.normal(size=60).cumsum()
    for refit, fits in ((True, [50, 52, 54, 56]), (2, [50, 50, 54, 54]), ("once", [50] * 4)):
        test = LinearAR(2, 3).backtest(y, windows=4, step=2, refit=refit, baselines={"mean": Mean(3)}, level=())
        assert test.origins.tolist() == [51, 53, 55, 57]
        for row, (origin, stop) in enumerate(zip(test.origins, fits, strict=True)):
            model, mean = LinearAR(2, 3).fit(y[: stop + 1], calibrate=False), Mean(3).fit(y[: stop + 1])
            assert test.forecasts["linear"][row, :, 0] == pytest.approx(model.predict(y[:origin])["0"])
            assert test.forecasts["mean"][row, 0, 0] == pytest.approx(mean.predict()["0"][0])


def test_figures_in_the_units_of_the_data_and_in_training_standardised_ones():
    y = 100 + 7 * rng.normal(size=(90, 2)) * [1, 50]
    test = Persistence().fit(y[:60]).backtest(y, 30, baselines={})
    assert test.mase("persistence") == pytest.approx(
        np.mean([measures.mase(test.truth[:, 0, j], test.forecasts["persistence"][:, 0, j], y[:60, j]) for j in (0, 1)])
    )
    z = (y - y[:60].mean(0)) / y[:60].std(0)
    assert test.standardised().rmse("persistence") == pytest.approx(np.sqrt(np.mean(np.diff(z[59:], axis=0) ** 2)))
    assert test.standardised().coverage() == test.coverage()
