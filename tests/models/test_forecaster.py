"""The forecaster against an independent numpy network, loops, and what it must not look at."""

import numpy as np
import pytest

from ostinato.data import Table, to_series
from ostinato.models import Forecaster, LinearAR
from ostinato.models.forecast.windows import OriginWindows

SMALL = {"hidden_size": 3, "context": 6, "epochs": None, "steps": 0, "validation": 0}
"""A network as it is before training: its numbers are those of an oracle, and nothing has to be compiled for it."""


def frame(n: int = 60, ahead: int = 3) -> dict[str, np.ndarray]:
    """A daily series with one covariate of each kind, some values missing, and `ahead` rows to forecast."""
    rng = np.random.default_rng(0)
    y = np.sin(np.arange(n) / 4) + 0.2 * rng.normal(size=n) + 10
    p = rng.normal(size=n)
    y[[20, n - ahead - 2]], p[[30, n - ahead - 3]] = np.nan, np.nan
    y[n - ahead :], p[n - ahead :] = np.nan, np.nan
    days = np.datetime64("2022-01-01") + np.arange(n)
    return {"day": days, "y": y, "p": p, "z": rng.normal(size=n), "s": np.full(n, 2.5)}


def cut(columns: dict[str, np.ndarray], stop: int) -> dict[str, np.ndarray]:
    return {name: column[:stop] for name, column in columns.items()}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def numpy_gru(cell, xs: np.ndarray) -> np.ndarray:
    """The last state of a GRU over `(time, features)`, float64."""
    W, R, b, b_h = (np.asarray(a, np.float64) for a in (cell.W, cell.R, cell.b, cell.b_h))
    h = np.zeros(R.shape[1])
    for x in xs:
        i, u = W @ x + b, R @ h + b_h
        r, z = sigmoid(i[0] + u[0]), sigmoid(i[1] + u[1])
        n = np.tanh(i[2] + r * u[2])
        h = (1 - z) * n + z * h
    return h


@pytest.mark.parametrize("options", [{"subtract_last": True}, {"head_size": 4}])
def test_prediction_is_that_of_a_numpy_network_on_hand_made_features(options):
    data = frame()
    model = Forecaster(
        horizon=3,
        past=("p",),
        future=("z",),
        static=("s",),
        calendar=("weekday",),
        missing="observed",
        **SMALL,
        **options,
    ).fit(data, "y")
    y, p, z = data["y"], data["p"], data["z"]
    mean, std = (lambda a: np.nanmean(a[:57])), (lambda a: np.nanstd(a[:57]))
    scale = std(y)
    if options.get("subtract_last"):
        changes = np.concatenate([y[lag:57] - y[: 57 - lag] for lag in (1, 2, 3)])
        scale = np.sqrt(np.nanmean(changes**2))
    # 2022-01-01 was a Saturday, day 5 of a week that begins on Monday.
    angle = 2 * np.pi * ((np.arange(60) + 5) % 7) / 7
    known = np.stack([z, np.sin(angle), np.cos(angle)], 1)
    known = (known - known[:57].mean(0)) / known[:57].std(0)
    last = y[56] if options.get("subtract_last") else mean(y)
    rows = slice(51, 57)
    lags = np.where(np.isnan(y[rows]), 0, (y[rows] - last) / scale)
    past = np.where(np.isnan(p[rows]), 0, (p[rows] - mean(p)) / std(p))
    seen = np.stack([~np.isnan(y[rows]), ~np.isnan(p[rows])], 1).astype(float)
    xs = np.concatenate([lags[:, None], past[:, None], known[rows], np.zeros((6, 1)), seen], 1)
    h, head = numpy_gru(model.network_.rnn.stack.layers[0], xs), model.network_.head
    V, U, c = (np.asarray(a, np.float64) for a in (head.V, head.U, head.c))
    if options.get("head_size"):
        inner = np.tanh(np.asarray(head.W, np.float64) @ h + known[57:60] @ U.T + np.asarray(head.e, np.float64))
        wanted = inner @ V.T + c
    else:
        wanted = V @ h + known[57:60] @ U.T + c
    assert abs(V).max() > 0.1
    said = model.predict()
    assert said["y"] == pytest.approx(wanted[:, 0] * scale + last, rel=1e-6)
    assert said["day"].tolist() == data["day"][57:60].astype("M8[s]").tolist()


def test_before_training_the_skip_is_the_ridge_regression():
    data = cut(frame(), 40) | {"y": np.random.default_rng(3).normal(size=40).cumsum()}
    options = {"future": ("z",), "calendar": ("weekday",), "subtract_last": True}
    net = Forecaster(horizon=2, linear_skip=True, skip_ridge=0.01, **options, **SMALL).fit(data, "y")
    origins = np.arange(20, 36)
    series = to_series(data, "y", future=("z",))
    # In the forecaster's own unit of changes the penalty has another weight, so the oracle is solved here.
    arrays, layout = net.features_.arrays(series), net.features_.layout
    source = OriginWindows(arrays, layout, 6, 2, [np.arange(6, 39)])
    rows = source.take(np.arange(33), 8)
    lags = rows.values[:, :6, 0] - rows.values[:, 5:6, 0]
    for k in range(2):
        x = np.concatenate([lags, rows.values[:, 6 + k, 1:], np.ones((33, 1))], 1)
        truth = rows.targets["values"][:, k, 0] - rows.values[:, 5, 0]
        penalty = 0.01 * np.diag([1.0] * (x.shape[1] - 1) + [0.0])
        w = np.linalg.solve(x.T @ x / 33 + penalty, x.T @ truth / 33)
        z = (x @ w + rows.values[:, 5, 0])[origins - 6]
        wanted = net.features_.to_units(z[:, None], series, 0)[:, 0]
        assert net._at(series, [origins], 2)[0][:, k, 0] == pytest.approx(wanted, rel=1e-5, abs=1e-5)


def test_training_finds_what_no_linear_map_can():
    x = np.empty(500)
    x[0] = 0.3
    for t in range(499):
        x[t + 1] = 3.8 * x[t] * (1 - x[t])
    model = Forecaster(hidden_size=12, context=3, epochs=None, steps=600, learning_rate=2e-2, validation=50, seed=1)
    test = model.fit(x[:400]).backtest(x, 100)
    (linear,) = (name for name in test.forecasts if name.startswith("linear"))
    assert test.rmse(model.label) < 0.05 < 0.15 < test.rmse(linear)
    assert test.verdict().startswith("gru forecaster wins: RMSE ")
    losses = [record["loss"] for record in model.history_]
    assert losses[-1] < 0.05 * losses[0]
    assert model.best_["validation"] == min(r["metrics"]["validation"] for r in model.history_)


def test_nothing_from_the_origin_on_is_looked_at_but_what_is_known_ahead():
    data = frame(40, 0)
    model = Forecaster(horizon=2, past=("p",), future=("z",), missing="observed", linear_skip=True, **SMALL)
    model.fit(cut(data, 30), "y")
    said = model.predict(cut(data, 33) | {"y": np.r_[data["y"][:31], [np.nan] * 2]})
    changed = {name: column[:33].copy() for name, column in data.items()}
    changed["y"][31:], changed["p"][31:] = np.nan, 1e6
    assert model.predict(changed)["y"].tolist() == said["y"].tolist()
    changed["z"][31] += 1
    assert model.predict(changed)["y"][0] != said["y"][0]
    # The same in a backtest: the truth after the origin may be anything.
    series = to_series(data, "y", past=("p",), future=("z",))
    wild = to_series(data | {"y": np.r_[data["y"][:31], [1e6] * 9]}, "y", past=("p",), future=("z",))
    one, other = (model._at(each, [np.array([31])], 2)[0] for each in (series, wild))
    assert one.tolist() == other.tolist() == said.values.tolist()


def test_recursive_forecast_is_one_step_fed_back():
    data = frame(40, 5)
    model = Forecaster(
        mode="recursive", future=("z",), subtract_last=True, missing="observed", linear_skip=True, **SMALL
    )
    model.fit(data, "y")
    said = model.predict(horizon=5)["y"]
    grown = {name: column.copy() for name, column in data.items()}
    for k in range(5):
        rows = cut(grown, 36 + k)
        one = model.predict(rows, horizon=1)["y"][0]
        assert said[k] == pytest.approx(one, rel=1e-5)
        grown["y"][35 + k] = one


def test_quantiles_do_not_cross_and_cover():
    rng = np.random.default_rng(5)
    y = rng.normal(3, 2, 1500)
    model = Forecaster(
        hidden_size=2, context=2, quantiles=(0.1, 0.5, 0.9), epochs=None, steps=400, learning_rate=3e-2, validation=0
    )
    test = model.fit(y[:1000], calibrate=False).backtest(y, 500)
    assert (np.diff(test.quantiles, axis=-1) >= 0).all()
    for level, share in test.shares_below().items():
        assert abs(share - level) < 0.05
    # The least pinball loss, that of the true quantiles of a normal distribution: 2 * mean(phi(z_q)) over the levels.
    phi = [np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) for z in (1.2815516, 0.0)]
    assert test.pinball() == pytest.approx(2 * (2 * phi[0] + phi[1]) / 3, rel=0.06)
    forecast = model.predict()
    assert forecast.names == ("step", "0", "0_q0.1", "0_q0.5", "0_q0.9")
    assert forecast["0"].tolist() == forecast["0_q0.5"].tolist()


def test_many_series_share_a_network_each_in_its_own_scale():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=50).cumsum(), rng.normal(size=30).cumsum()
    ids = ["a"] * 50 + ["b"] * 30
    table = Table({"id": ids, "y": np.concatenate([a, b])})
    larger = Table({"id": ids, "y": np.concatenate([a, 1000 * b + 7])})
    options = SMALL | {"steps": 3, "batch_size": 16}
    one, other = (Forecaster(horizon=2, **options).fit(t, "y", series="id").predict() for t in (table, larger))
    assert one["id"].tolist() == ["a", "a", "b", "b"]
    assert other["y"] == pytest.approx(np.r_[one["y"][:2], 1000 * one["y"][2:] + 7], rel=1e-4)


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not():
    y = np.random.default_rng(2).normal(size=40).cumsum()
    options = SMALL | {"steps": 4, "batch_size": 8, "dropout": 0.3}
    said = [Forecaster(seed=seed, **options).fit(y).predict()["0"][0] for seed in (0, 0, 1)]
    assert said[0] == said[1] != said[2]


def test_scale_and_skip_are_of_the_training_rows_alone():
    y = np.random.default_rng(2).normal(size=60).cumsum()
    wild = np.r_[y[:45], 1e3 * y[45:]]
    options = {**SMALL, "validation": 15, "linear_skip": True}
    nets = [Forecaster(**options).fit(each) for each in (y, wild)]
    assert nets[0].features_.to_dict() == nets[1].features_.to_dict()
    assert np.asarray(nets[0].network_.skip.A).tolist() == np.asarray(nets[1].network_.skip.A).tolist()
    assert nets[0].features_.scales["0"].mean[0] == pytest.approx(y[:45].mean())


def test_logarithm_makes_growth_linear():
    y = 3 * 1.1 ** np.arange(40)
    assert LinearAR(1, 3, log=True).fit(y).predict()["0"] == pytest.approx(3 * 1.1 ** np.arange(40, 43), rel=1e-6)
    model = Forecaster(horizon=3, log=True, subtract_last=True, linear_skip=True, skip_ridge=1e-9, **SMALL).fit(y)
    assert model.predict()["0"] == pytest.approx(3 * 1.1 ** np.arange(40, 43), rel=1e-4)
