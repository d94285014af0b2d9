"""What a community model has learned: maps by hand, slopes against differences, a surrogate of a linear model."""

import numpy as np
import pytest

from ostinato.communities import CommunityModel, Surrogate, carbon, gradients, influences, sensitivity, surrogate
from ostinato.data import Communities
from ostinato.errors import DataError, SettingsError


@pytest.fixture(scope="module")
def data() -> Communities:
    rng = np.random.default_rng(0)
    present = rng.integers(0, 2, (16, 3))
    present[np.arange(16), np.arange(16) % 3] = 1
    start = present * rng.uniform(0.05, 0.2, (16, 3))
    acid = 28 + np.array([[30.0, -10.0, 5.0]]) * present
    values = np.stack([np.concatenate([start * (1 + 3 * t), 28 * np.ones((16, 1))], axis=1) for t in range(3)], axis=1)
    values[:, 1:, 3] += (acid - 28).sum(1, keepdims=True) * np.array([[0.5, 1.0]])
    return Communities(tuple(map(str, range(16))), ("A", "B", "C"), ("Lactate",), np.array([0.0, 8.0, 24.0]), values)


def test_sensitivity_by_hand(data: Communities) -> None:
    unseen = data.values[:, 1:] + np.random.default_rng(1).normal(size=(16, 2, 4))
    found = sensitivity(data, unseen, "Lactate", least=3)
    np.testing.assert_array_equal(found, found.T)
    both = data.present[:, 0] & data.present[:, 2]
    assert both.sum() >= 3
    expected = np.corrcoef(data.values[both, 1:, 3].ravel(), unseen[both, :, 3].ravel())[0, 1] ** 2
    assert found[0, 2] == pytest.approx(expected)
    assert np.isnan(sensitivity(data, unseen, "Lactate", least=16)).any()
    with pytest.raises(SettingsError, match="feature: expected one of A, B, C, Lactate"):
        sensitivity(data, unseen, "Butyrate")


def test_slopes_against_differences_in_the_units_of_the_data(data: Communities) -> None:
    model = CommunityModel(hidden_size=4, members=2, folds=0, epochs=4).fit(data)
    found = gradients(model, data)
    assert (found[..., :3][~np.repeat(np.repeat(data.present[:, None, None], 2, 1), 4, 2)] == 0).all()
    c = int(np.flatnonzero(data.present[:, 0] & data.present[:, 1])[0])
    for i in (0, 1):
        step = 1e-2
        ends = []
        for sign in (1, -1):
            moved = data.initial[c : c + 1].copy()
            moved[0, i] += sign * step
            made = np.concatenate([model.networks_.forecast(moved, 2)], axis=0)
            ends.append(made.mean(0)[0])
        slope = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(found[c, :, 3, i], slope[:, 3], rtol=2e-2, atol=1e-2)


def test_a_surrogate_of_a_linear_model_is_that_model(data: Communities) -> None:
    weights = np.array([30.0, -10.0, 5.0])

    def predict(first: np.ndarray) -> np.ndarray:
        acid = 28 + (first[:, :3] > 0) @ weights
        return np.concatenate([first[:, :3], acid[:, None]], axis=1)

    found = surrogate(predict, data, ridge=1e-9)
    several = data.present.sum(1) > 1
    assert several.sum() > 5
    for i in range(3):
        np.testing.assert_allclose(found.effects[data.present[:, i] & several, 3, i], weights[i], rtol=1e-5)
    assert np.isnan(found.effects[~several]).all()
    assert np.isnan(found.effects[~data.present[:, 0], 3, 0]).all()
    np.testing.assert_allclose(found.r2[several, 3], 1, atol=1e-6)


def test_influences_are_medians_above_the_bars(data: Communities) -> None:
    effects = np.full((16, 4, 3), np.nan)
    for i in range(3):
        effects[data.present[:, i], :, i] = 0.0
    own, acid = data.present[:, 0], data.present[:, 1]
    effects[own, 0, 0], effects[acid, 0, 1], effects[acid, 3, 1] = 1.0, -0.3, 7.0
    effects[own, 3, 0] = 4.9
    found = influences(data, Surrogate(effects, np.ones((16, 4))))
    assert [(e.source, e.target, e.effect) for e in found] == [("B", "Lactate", 7.0), ("B", "A", -0.3)]
    noise = np.random.default_rng(0).normal(size=(16, 2, 4))
    noise[..., 0] = data.values[:, 1:, 0]
    kept = influences(data, Surrogate(effects, np.ones((16, 4))), noise)
    assert [(e.source, e.target) for e in kept] == [("B", "A")]


def test_carbon_needs_a_known_product() -> None:
    with pytest.raises(DataError, match="the atoms of none of foo are known"):
        carbon(("foo",), np.ones((2, 1)), np.ones((2, 1)))
    found = carbon(("foo", "Butyrate"), np.ones((2, 2)), np.zeros((2, 2)), atoms={"Foo": 7})
    np.testing.assert_array_equal(found.total, [11, 11])
