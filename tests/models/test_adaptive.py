"""A forecaster with nothing set: its simple forecasts by hand, their mixture, what networks add, and odd data."""

from pathlib import Path

import jax
import numpy as np
import pytest

from ostinato.data import to_series
from ostinato.models import Forecaster
from ostinato.models.forecast.auto.correction import MissedWindows, SideBySide, earned
from ostinato.models.forecast.auto.linear import Linear, ridge
from ostinato.models.forecast.auto.mixing import convex_weights
from ostinato.models.forecast.auto.mixture import forecast_of
from ostinato.models.forecast.auto.panel import Panel
from ostinato.models.forecast.auto.rolling import Rolling
from ostinato.models.forecast.auto.seasons import seasons_of
from ostinato.models.forecast.auto.smoothing import Smoothing
from ostinato.models.forecast.features import Layout

RNG = np.random.default_rng(0)
WALK = np.cumsum(RNG.normal(size=40)) + 3 * np.sin(np.arange(40) * np.pi / 2)


def panel(values: np.ndarray) -> Panel:
    rows = values[:, None]
    return Panel((rows,), (np.nan_to_num(rows),), (np.zeros((len(rows), 0)),), (np.zeros((len(rows), 0)),))


def test_ridge_is_that_of_the_normal_equations() -> None:
    x, y = RNG.normal(size=(30, 3)) * [1, 10, 0.1] + 2, RNG.normal(size=(30, 2))
    z = (x - x.mean(0)) / x.std(0)
    for penalty, found in zip((1e-9, 0.5), ridge(x, y, (1e-9, 0.5)), strict=True):
        slope = np.linalg.solve(z.T @ z / 30 + penalty * np.eye(3), z.T @ (y - y.mean(0)) / 30)
        assert np.allclose(x @ found[:, :-1].T + found[:, -1], z @ slope + y.mean(0))


@pytest.mark.parametrize("base", ["none", "last", "season", "change"])
def test_a_linear_forecast_is_its_base_and_a_regression_on_what_the_base_misses(base: str) -> None:
    y, m, order, horizon, stop = WALK, 4, 2, 6, 30
    g = np.concatenate([np.full(m, np.nan), y[m:] - y[:-m]])

    def row(o: int, k: int) -> tuple[float, list[float]]:
        before = y[o + k - m * (k // m + 1)]
        if base == "none":
            return 0.0, [y[o - 1], y[o - 2]]
        if base == "last":
            return y[o - 1], [y[o - 2] - y[o - 1], y[o - 3] - y[o - 1]]
        if base == "season":
            return before, [g[o - 1], g[o - 2]]
        return before + g[o - 1], [g[o - 2] - g[o - 1], g[o - 3] - g[o - 1]]

    linear = Linear(base, order, m, 1e-9)
    (weights,) = linear.fit(panel(y), [stop], horizon, [1e-9])
    said = linear.at(panel(y), weights, [np.array([34])], horizon)[0, :, 0]
    for k in (0, 5):
        # Few windows: those that end after the stop count for the steps before it.
        rows = [row(o, k) for o in range(linear.need, stop - k)]
        x = np.array([[*lags, 1.0] for _, lags in rows])
        miss = [y[o + k] - b for o, (b, _) in zip(range(linear.need, stop - k), rows, strict=True)]
        b, lags = row(34, k)
        assert np.isclose(said[k], b + np.array([*lags, 1.0]) @ np.linalg.lstsq(x, miss, rcond=None)[0], atol=1e-5)


def test_smoothing_is_its_recursion() -> None:
    y, (alpha, beta, gamma, phi) = WALK, (0.4, 0.1, 0.2, 0.9)
    # The line with a season through the first two seasons, at the row before the first.
    trend = float(np.mean(y[4:8] - y[:4])) / 4
    season = [float(np.mean([y[i] - trend * (i + 1), y[i + 4] - trend * (i + 5)])) for i in range(4)]
    level = float(np.mean(season))
    season = [s - level for s in season]
    for t in range(30):
        e = y[t] - level - phi * trend - season[t % 4]
        level, trend, season[t % 4] = level + phi * trend + alpha * e, phi * trend + beta * e, season[t % 4] + gamma * e
    wanted = [level + sum(phi**i for i in range(1, k + 2)) * trend + season[(30 + k) % 4] for k in range(5)]
    gains = np.array([alpha, beta, gamma, phi])
    said = Smoothing(4).at(panel(y), gains, [np.array([30, 12, 30])], 5)
    assert np.allclose(said[0, :, 0], wanted)
    assert np.array_equal(said[0], said[2])
    assert np.array_equal(said[1], Smoothing(4).at(panel(y[:12]), gains, [np.array([12])], 5)[0])
    # With less than two seasons before it nothing can be said without rows that come later.
    assert (forecast_of(Smoothing(4), panel(y), gains, [np.array([5])], 3) == y[4]).all()


def test_the_gains_are_better_than_those_of_a_plain_mean_and_of_the_last_value() -> None:
    y = np.cumsum(RNG.normal(size=300) * 0.3) + RNG.normal(size=300)
    own = panel(y)
    gains = Smoothing(1).fit(own, [300], 1)
    origins = np.arange(10, 300)
    error = lambda g: np.mean((Smoothing(1).at(own, np.array(g), [origins], 1)[:, 0, 0] - y[10:]) ** 2)
    assert error(gains) < min(error([1, 0, 0, 0.9]), error([0.02, 0, 0, 0.9]))
    assert 0.1 < gains[0] < 0.6


def test_shares_are_the_best_on_the_simplex() -> None:
    e = RNG.normal(size=(3, 500)) * np.array([[1.0], [1.5], [4.0]]) + RNG.normal(size=500)
    grid = [(a, b, 1 - a - b) for a in np.linspace(0, 1, 101) for b in np.linspace(0, 1 - a, 101)]
    wanted = min(grid, key=lambda w: np.mean((np.array(w) @ e) ** 2))
    assert np.allclose(convex_weights(e, 1e9), wanted, atol=0.02)
    few = convex_weights(e, 1e-4)
    size = np.mean(e**2, 1) ** -2.0
    assert np.allclose(few, size / size.sum(), atol=0.001)


def test_a_correction_earns_what_it_has_shown() -> None:
    draws = np.random.default_rng(3)
    missed = draws.normal(size=(200, 2, 1))
    assert 0.4 < earned(missed, 2 * missed + draws.normal(size=missed.shape) * 0.1) < 0.5
    chance = [earned(missed, draws.normal(size=missed.shape)) for _ in range(50)]
    assert np.mean(np.array(chance) == 0) > 0.7
    assert max(chance) < 0.15
    assert earned(missed, -missed) == 0


def test_batches_side_by_side_are_the_same_on_the_device_and_hold_each_window_once() -> None:
    arrays, layout = [np.arange(20.0)[:, None]], Layout(1, 0, 0, 0, 0)
    missed = np.where(np.arange(13) == 4, np.nan, np.arange(13.0))[:, None, None]
    batches = SideBySide(MissedWindows(missed, arrays, layout, 4, 1, [np.arange(4, 17)]), 5, (3, 4))
    stored = batches.stored()
    assert stored is not None
    seen = [[], []]
    for step in range(len(batches)):
        one, other = batches.at(step), stored.gathers[0](stored.data, stored.rows(step)[1])
        assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), one, other))
        assert np.allclose(np.asarray(one.weight).sum(1), 1)
        for member in (0, 1):
            there = np.asarray(one.weight[member]) > 0
            seen[member] += np.asarray(one.targets["values"])[member, there, 0, 0].tolist()
            ends = np.asarray(one.inputs.values)[member, there, 3, 0]
            assert (ends - 3 == seen[member][-int(there.sum()) :]).all()
    assert sorted(seen[0]) == sorted(seen[1]) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]
    assert seen[0] != seen[1]


def test_no_fit_sees_what_it_is_judged_by() -> None:
    rolling = Rolling.of([100, 30], 3)
    assert rolling is not None
    for cut, origins in zip(rolling.cuts, rolling.origins, strict=True):
        for c, o, n in zip(cut, origins, (100, 30), strict=True):
            assert (o >= c).all()
            assert (o + 3 <= n).all()
    assert len({*rolling.rows[rolling.series == 0].tolist()}) == (rolling.series == 0).sum()


def test_seasons_of_the_step_and_of_the_autocorrelation() -> None:
    months = np.arange("2000-01", "2010-01", dtype="M8[M]").astype("M8[D]")
    dated = to_series({"month": months, "y": RNG.normal(size=120)}, "y")
    assert seasons_of(dated.target, [120], dated.frequency) == (12,)
    wave = np.sin(2 * np.pi * np.arange(200) / 9)[:, None] + 0.2 * RNG.normal(size=(200, 1))
    assert seasons_of([wave], [200], None) == (9,)
    assert seasons_of([RNG.normal(size=(200, 1))], [200], None) == ()


@pytest.mark.parametrize(
    ("values", "horizon"),
    [
        (np.full(50, 3.0), 2),
        (np.zeros(20), 3),
        (np.array([3.0]), 1),
        (np.array([3.0, 4.0]), 5),
        (np.arange(5.0), 12),
        (np.concatenate([np.full(20, np.nan), np.arange(20.0)]), 4),
        (1e130 * np.arange(1.0, 21), 2),
        (RNG.poisson(0.3, size=40).astype(float), 3),
        (RNG.normal(size=(40, 2)), 3),
    ],
)
def test_there_is_a_forecast_of_whatever_comes(values: np.ndarray, horizon: int) -> None:
    made = Forecaster(horizon=horizon).fit(values).predict().values
    assert made.shape == (1, horizon, 1 if values.ndim == 1 else 2)
    assert np.isfinite(made).all()
    if np.nanmin(values) == np.nanmax(values):
        assert np.allclose(made, np.nanmax(values))


def test_a_growing_season_is_forecast_by_logarithms() -> None:
    t = np.arange(84)
    y = np.exp(0.03 * t + 0.4 * np.sin(2 * np.pi * t / 12))
    model = Forecaster(horizon=12).fit(y[:72])
    assert np.allclose(model.predict().values[0, :, 0], y[72:], rtol=0.01)
    assert all("logarithms" in name for name in model.chosen_["mixture"])
    # A later value that has no logarithm is no error.
    assert np.isfinite(model.predict(np.append(y[:72], 0.0)).values).all()


@pytest.fixture(scope="module")
def chaos() -> np.ndarray:
    """A series that is chance to any linear map."""
    x = [0.3]
    for _ in range(399):
        x.append(3.9 * x[-1] * (1 - x[-1]))
    return np.array(x)


@pytest.fixture(scope="module")
def corrected(chaos: np.ndarray) -> Forecaster:
    return Forecaster(hidden_size=8, context=2, mixture=True, learning_rate=2e-2, steps=300, seed=1).fit(chaos[:340])


def test_networks_correct_what_the_mixture_misses(chaos: np.ndarray, corrected: Forecaster) -> None:
    test = corrected.backtest(chaos, 60)
    linear = next(name for name in test.forecasts if name.startswith("linear"))
    assert test.rmse("forecaster") < 0.5 * test.rmse(linear)
    assert corrected.chosen_["network"]["share"] > 0.9
    assert "networks (3 of 8 units)" in corrected.notes_[-1]


def test_it_is_read_back_as_it_was(chaos: np.ndarray, corrected: Forecaster, tmp_path: Path) -> None:
    read = Forecaster.load(corrected.save(tmp_path / "model"))
    assert np.array_equal(read.predict().values, corrected.predict().values)
    assert np.array_equal(read.predict(chaos).values, corrected.predict(chaos).values)
    assert read.chosen_ == corrected.chosen_


def test_nothing_from_the_origin_on_is_looked_at(chaos: np.ndarray, corrected: Forecaster) -> None:
    other = chaos.copy()
    other[350:] = 0.5
    said, same = (corrected._at(to_series(x), [np.array([350])], 1)[0] for x in (chaos, other))
    assert np.array_equal(said, same)
