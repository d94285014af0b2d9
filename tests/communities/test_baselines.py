"""The baselines of communities against their definitions, and against all that they could be."""

import numpy as np

from ostinato.communities import LotkaVolterra
from ostinato.communities.baselines import BASELINES, CommunityLinear, CommunityMean, _left_out, _solve, baselines
from ostinato.communities.lotka_volterra_baseline import CommunityLotkaVolterra
from ostinato.data import Communities
from ostinato.models.measures import pearson, r2


def test_baselines_against_their_definitions(make) -> None:
    data = make(14)
    mean = CommunityMean.fit(data).predict(data)
    there = data.present[:, 1]
    np.testing.assert_allclose(mean[there, 0, 1], data.values[there, 1, 1].mean())
    assert (mean[~there, :, 1] == 0).all()
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(8, 2)), rng.normal(size=(8, 1))
    for i in range(8):
        rest = np.arange(8) != i
        centre, constant = inputs[rest].mean(0), targets[rest].mean(0)
        w = _solve(inputs[rest] - centre, targets[rest] - constant, 0.7)
        alone = targets[i] - constant - (inputs[i] - centre) @ w
        np.testing.assert_allclose(_left_out(inputs, targets, 0.7)[i], alone, rtol=1e-9)
    linear = CommunityLinear.fit(data).predict(data)
    assert pearson(data.values[:, 1:, 3], linear[..., 3]) > pearson(data.values[:, 1:, 3], mean[..., 3])


def test_the_linear_baseline_is_the_best_of_all_penalties(make) -> None:
    """Brute force: each community left out by itself, an intercept without penalty, the least of six errors."""
    data = make(14)
    # So noisy that neither the weakest penalty nor the strongest is the best.
    data.values[:, 1:] *= np.random.default_rng(0).lognormal(0, 1, data.values[:, 1:].shape)
    data.values[3, 2] = np.nan
    present, mean = data.present.astype(float), CommunityMean.fit(data).predict(data)
    truth = np.where(np.isnan(data.values[:, 1:]), mean, data.values[:, 1:])
    targets = truth.reshape(14, -1)
    counted = np.repeat(np.concatenate([data.present, np.ones((14, 1), bool)], 1)[:, None], 3, 1).reshape(14, -1)

    def mapped(rows: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        wide = np.concatenate([np.ones((len(rows), 1)), present[rows]], axis=1)
        ridge = np.diag([0.0, *[penalty] * 3])
        found = np.linalg.solve(wide.T @ wide + ridge, wide.T @ targets[rows])
        return found[0], found[1:]

    errors = []
    penalties = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
    for penalty in penalties:
        apart = np.empty_like(targets)
        for i in range(14):
            constant, weights = mapped(np.delete(np.arange(14), i), penalty)
            apart[i] = targets[i] - constant - present[i] @ weights
        errors.append(np.square(apart / np.maximum(targets.std(0), 1e-12))[counted].mean())
    assert 0 < int(np.argmin(errors)) < len(penalties) - 1
    constant, weights = mapped(np.arange(14), penalties[int(np.argmin(errors))])
    expected = np.where(counted, np.maximum(constant + present @ weights, 0), 0).reshape(14, 3, 4)
    np.testing.assert_allclose(CommunityLinear.fit(data).predict(data), expected, rtol=1e-9, atol=1e-12)


def test_a_baseline_in_a_file_is_the_baseline(make) -> None:
    data = make(14)
    found, lacking = baselines(data)
    assert list(found) == list(BASELINES)
    assert lacking == ()
    for name, baseline in found.items():
        arrays = baseline.arrays()
        assert {key: a.shape for key, a in arrays.items()} == BASELINES[name].shapes(3, 3, 4)
        np.testing.assert_array_equal(BASELINES[name](**arrays).predict(data), baseline.predict(data))


def test_lotka_volterra_is_the_simulation_of_what_was_regressed() -> None:
    """On a truth of the model itself it is nearly right; its steps are those of the library's own simulation."""
    truth = LotkaVolterra.random(4, seed=3)
    rng = np.random.default_rng(0)
    start = 0.01 * (rng.uniform(size=(30, 4)) < 0.7)
    start[:4] = 0.01 * np.eye(4)
    start[(start == 0).all(1)] = 0.01
    hours = np.arange(0.0, 25.0, 2.0)
    values = truth.simulate(start, hours)
    data = Communities(tuple(map(str, range(30))), tuple("abcd"), (), hours, values)
    found = CommunityLotkaVolterra.fit(data.take(slice(0, 20)))
    held = data.take(slice(20, None))
    said = found.predict(held)
    own = LotkaVolterra.from_parameters(found.growth, found.interactions).simulate(start, hours)
    np.testing.assert_allclose(said, own[20:, 1:], rtol=1e-3, atol=1e-6)
    assert r2(held.values[:, -1].ravel(), said[:, -1].ravel()) > 0.9
    assert (said[:, :, 0][held.initial[:, 0] == 0] == 0).all()
    # However strongly they help each other, nothing grows without end.
    found.interactions = np.abs(found.interactions)
    assert (found.predict(held) <= found.most * (1 + 1e-12)).all()


def test_what_the_samples_do_not_determine_is_left_out_in_words(make) -> None:
    data = make(14)
    data.values[:, 1::2] = np.nan
    data.values[:, :, 0] = np.where(np.arange(data.values.shape[1]) == 0, data.values[:, :, 0], np.nan)
    found, lacking = baselines(data)
    assert "Lotka-Volterra" not in found
    assert lacking[0].startswith("No Lotka-Volterra beside: ")
