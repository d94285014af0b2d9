"""The estimator of an echo-state network against numpy: states, read-out, free run, files, and what it refuses."""

import numpy as np
import pytest

from ostinato.errors import CorruptFile, DataError, NonFiniteError, NotFitted, SettingsError, ShapeError
from ostinato.models import ESN, load

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
    again = load(tmp_path / "model")
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


def least_norm(model, u, y):
    """Predictions by the read-out of the smallest norm, from the singular values of the states."""
    z = (u - u.mean(0)) / np.where(u.std(0) > 1e-12, u.std(0), 1)
    X = np.concatenate([z, numpy_states(model.layers_, z)], axis=1)
    aim = (y - y.mean()) / y.std()
    centre, rows = X[model.washout :].mean(0), X[model.washout :]
    V = np.linalg.pinv(rows - centre, rcond=1e-6) @ (aim[model.washout :] - aim[model.washout :].mean())
    return ((X - centre) @ V + aim[model.washout :].mean()) * y.std() + y.mean(), np.linalg.norm(V)


def test_a_singular_system_gives_the_read_out_of_the_smallest_norm(series):
    """Two equal inputs and no penalty: which of the two is used is left open by the sums."""
    u, y = series
    twice = u[:, [0, 0]]
    model = ESN(4, penalty=0.0, washout=20, seed=1).fit(twice, y)
    expected, norm = least_norm(model, twice, y)
    np.testing.assert_allclose(model.predict(twice), expected, rtol=0, atol=1e-6)
    V = np.asarray(model.readout_.V)
    assert np.linalg.norm(V) == pytest.approx(norm, rel=1e-6)
    assert V[0, 0] == pytest.approx(V[0, 1], abs=1e-9)


def test_as_many_units_as_steps_and_a_constant_series():
    wave = np.sin(np.arange(100) / 5)
    found = ESN(100, penalty=0.0, washout=0).fit(wave).predict(wave)
    assert np.abs(found - wave).max() < 1e-3
    assert ESN(10, penalty=0.0).fit(np.full(300, 5.0)).forecast(3) == pytest.approx([5.0, 5.0, 5.0])


def test_a_sequence_of_length_0_changes_nothing(series):
    u, y = series
    none = np.zeros((0, 2)), np.zeros(0)
    model = ESN(**SETTINGS).fit([u, none[0]], [y, none[1]])
    np.testing.assert_array_equal(model.predict(u), ESN(**SETTINGS).fit([u], [y]).predict(u))
    assert [len(p) for p in model.predict([none[0], u])] == [0, 300]
    assert model.evaluate([u, none[0]], [y, none[1]]) == model.evaluate([u], [y])
    own = ESN(**SETTINGS).fit([u, none[0]])
    np.testing.assert_array_equal(own.forecast(3), ESN(**SETTINGS).fit(u).forecast(3))


def test_the_linear_baseline_sees_the_last_ten_inputs_and_is_the_best_ridge(series):
    """By leaving each row out one after the other; a baseline with fewer inputs or another penalty does worse."""
    u, y = series
    model = ESN(**SETTINGS).fit(u[:200], y[:200])
    z = (u - u[:200].mean(0)) / u[:200].std(0)
    padded = np.concatenate([np.zeros((9, 2)), z])
    lags = np.concatenate([padded[9 - k : 309 - k] for k in range(10)], axis=1)
    X, aim = lags[20:200], ((y - y[:200].mean()) / y[:200].std())[20:200]
    X = (X - X.mean(0)) / X.std(0)
    left_out = {}
    for strength in 10.0 ** np.arange(-4, 5):
        hat = X @ np.linalg.solve(X.T @ X + 180 * strength * np.eye(20), X.T) + 1 / 180
        left_out[strength] = np.mean(((aim - hat @ aim) / (1 - np.diag(hat))) ** 2)
    assert model.baseline_.left_out == pytest.approx(min(left_out.values()), rel=1e-9)
    linear = model.evaluate(u[200:], y[200:])["baselines"]["linear"]
    start = np.concatenate([np.zeros((9, 2)), z[200:]])
    rows = np.concatenate([start[9 - k : 109 - k] for k in range(10)], axis=1)[20:]
    found = model.baseline_.predict(rows)[:, 0] * y[:200].std() + y[:200].mean()
    assert linear["r2"] == pytest.approx(1 - np.mean((found - y[220:]) ** 2) / y[220:].var(), rel=1e-9)


def test_a_fit_that_fails_leaves_the_network_as_it_was(series):
    u, y = series
    model = ESN(**SETTINGS).fit(u, y)
    before = model.predict(u)
    with pytest.raises(DataError):
        model.fit(u[:10], y[:10])
    np.testing.assert_array_equal(model.predict(u), before)
    fresh = ESN(**SETTINGS)
    with pytest.raises(DataError, match=r"y, row 7: 1e\+300, expected a magnitude"):
        fresh.fit(u, np.where(np.arange(300) == 7, 1e300, y))
    assert not fresh.is_fitted


REFUSED = {
    "cell: expected one of": (SettingsError, lambda u, y: ESN(cell="gru").fit(u, y)),
    "num_layers: expected 1 or more, got 0": (SettingsError, lambda u, y: ESN(num_layers=0).fit(u, y)),
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
