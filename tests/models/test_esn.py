"""The estimator of an echo-state network against numpy: states, read-out, free run, files, and what it refuses."""

import numpy as np
import pytest

from ostinato.errors import CorruptFile, DataError, NonFiniteError, NotFitted, SettingsError, ShapeError
from ostinato.models import ESN, load_model

SETTINGS = {"hidden_size": 12, "leak": 0.6, "bias_scaling": 0.3, "washout": 20, "penalty": 1e-4}


def numpy_states(layers, drive):
    """States of all layers side by side, by the equation."""
    found, xs = [], drive
    for layer in layers:
        W, R, b = (np.asarray(a[0]) for a in (layer.W, layer.R, layer.b))
        h, hs = np.zeros(len(b)), []
        for u in xs:
            h = (1 - layer.leak) * h + layer.leak * np.tanh(W @ u + b + R @ h)
            hs.append(h)
        xs = np.array(hs)
        found.append(xs)
    return np.concatenate(found, axis=1)


def numpy_ridge(X, Y, penalty):
    mean, centre = Y.mean(0), X.mean(0)
    V = np.linalg.solve((X - centre).T @ (X - centre) + penalty * np.eye(X.shape[1]), (X - centre).T @ (Y - mean))
    return lambda x: (x - centre) @ V + mean


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(0)
    u = rng.uniform(-1, 1, (300, 2))
    y = np.tanh(u[:, 0] + np.roll(u[:, 1], 2) * np.roll(u[:, 0], 1))
    return u, y


@pytest.mark.parametrize("several", [False, True])
def test_predictions_are_those_of_the_equations(series, several):
    u, y = series
    X, Y = ([u[:170], u[170:]], [y[:170], y[170:]]) if several else (u, y)
    model = ESN(num_layers=2, **SETTINGS).fit(X, Y)
    parts = [(u[:170], y[:170]), (u[170:], y[170:])] if several else [(u, y)]
    rows, scaled = np.concatenate([p[0] for p in parts]), []
    for part, _ in parts:
        z = (part - rows.mean(0)) / rows.std(0)
        scaled.append(np.concatenate([z, numpy_states(model.layers_, z)], axis=1))
    aims = [(part - y.mean()) / y.std() for _, part in parts]
    readout = numpy_ridge(
        np.concatenate([s[20:] for s in scaled]), np.concatenate([a[20:] for a in aims])[:, None], 1e-4
    )
    expected = [readout(s)[:, 0] * y.std() + y.mean() for s in scaled]
    found = model.predict(X)
    for a, b in zip(found if several else [found], expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)
    scores = model.evaluate(X, Y)
    assert scores["r2"] == model.score(X, Y)
    error = np.concatenate([p[20:] for p in expected]) - np.concatenate([p[1][20:] for p in parts])
    spread = np.concatenate([p[1][20:] for p in parts]).std()
    assert scores["nrmse"] == pytest.approx(np.sqrt(np.mean(error**2)) / spread, rel=1e-8)
    assert scores["nrmse"] < scores["baselines"]["linear"]["nrmse"] < scores["baselines"]["mean"]["nrmse"]


def test_a_free_run_feeds_its_own_outputs():
    wave = np.sin(np.arange(400) / 4) + 0.3 * np.cos(np.arange(400) / 9)
    model = ESN(**SETTINGS).fit(wave)
    ahead = model.forecast(5)
    seen = wave
    for k in range(5):
        # One step of the free run is a prediction from everything so far.
        expected = model.predict(np.append(seen, 0.0))[-1]
        assert ahead[k] == pytest.approx(expected, abs=1e-9)
        seen = np.append(seen, expected)
    np.testing.assert_allclose(model.forecast(5, history=wave), ahead, rtol=0, atol=1e-9)
    assert model.forecast(3, history=wave[:200]).shape == (3,)
    two = ESN(**SETTINGS).fit(np.stack([wave, -wave], axis=1))
    assert two.forecast(4).shape == (4, 2)


@pytest.mark.parametrize("cell", ["echo-state", "es2n"])
def test_files(tmp_path, series, cell):
    u, _ = series
    model = ESN(cell=cell, **SETTINGS).fit(u)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert repr(again) == repr(model)
    np.testing.assert_array_equal(again.predict(u), model.predict(u))
    np.testing.assert_array_equal(again.forecast(7), model.forecast(7))
    assert again.evaluate(u) == model.evaluate(u)
    (tmp_path / "model" / "weights.safetensors").write_bytes(b"no weights")
    with pytest.raises(CorruptFile):
        ESN.load(tmp_path / "model")


def test_same_seed_same_network(series):
    u, y = series
    one, two, other = (ESN(seed=s, **SETTINGS).fit(u, y).predict(u) for s in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 1e-3


REFUSED = {
    "cell: expected one of": (SettingsError, lambda u, y: ESN(cell="gru").fit(u, y)),
    "num_layers, washout": (SettingsError, lambda u, y: ESN(num_layers=0).fit(u, y)),
    "leak: expected": (SettingsError, lambda u, y: ESN(leak=2.0).fit(u, y)),
    "penalty: expected": (SettingsError, lambda u, y: ESN(5, penalty=-1.0).fit(u, y)),
    "a target for each step": (ShapeError, lambda u, y: ESN(5).fit(u, y[:-1])),
    "more than washout = 300": (DataError, lambda u, y: ESN(5, washout=300).fit(u, y)),
    "X: expected numbers": (DataError, lambda u, y: ESN(5).fit("laser")),
    r"X: expected \(time,\)": (ShapeError, lambda u, y: ESN(5).fit(np.zeros((2, 3, 4)))),
    "X: nan at index": (NonFiniteError, lambda u, y: ESN(5).fit(np.where(u > 0.9, np.nan, u))),
    "X: expected 2 features, got 1": (ShapeError, lambda u, y: ESN(5).fit(u, y).predict(y)),
    "call fit first": (NotFitted, lambda u, y: ESN(5).predict(u)),
    "targets of its own; fit": (SettingsError, lambda u, y: ESN(5).fit(u, y).forecast(3)),
    "y: expected targets": (DataError, lambda u, y: ESN(5).fit(u, y).evaluate(u)),
    "steps: expected": (SettingsError, lambda u, y: ESN(5).fit(u).forecast(0)),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(series, words):
    error, call = REFUSED[words]
    with pytest.raises(error, match=words):
        call(*series)
