"""Lotka-Volterra models: closed forms, an independent solver, passages, bounds, and models found again from samples."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ostinato.communities import LotkaVolterra
from ostinato.communities.lotka_volterra import _growing
from ostinato.data import Communities
from ostinato.errors import DataError, NonFiniteError, SettingsError, ShapeError

HOURS = np.arange(0.0, 49.0, 8.0)


def right_hand_side(model: LotkaVolterra, x: np.ndarray) -> np.ndarray:
    """The equation with plain loops."""
    rate = np.zeros(len(x))
    for i in range(len(x)):
        total = model.growth_[i] + sum(model.interactions_[i, j] * x[j] for j in range(len(x)))
        if model.third_ is not None:
            for k in range(len(x)):
                total += sum(model.third_[i, j, k] * x[j] * x[k] for j in range(k))
        rate[i] = x[i] * total
    return rate


def starts(seed: int = 0) -> np.ndarray:
    """Twelve communities of four species, some absent: one shape for all tests, which is one compilation."""
    rng = np.random.default_rng(seed)
    present = rng.integers(0, 2, (12, 4))
    present[np.arange(12), np.arange(12) % 4] = 1
    return rng.uniform(0.05, 0.5, (12, 4)) * present


def test_closed_forms() -> None:
    """Two species that grow by themselves: the logistic curve. Predator and prey: d x - c ln x + b y - a ln y stays."""
    a, b, c, d = 1.1, 0.4, 0.4, 0.1
    couplings = np.zeros((4, 4))
    couplings[0, 0], couplings[3, 3], couplings[1, 2], couplings[2, 1] = -0.8, -0.2, -b, d
    model = LotkaVolterra.from_parameters([0.6, a, -c, 0.3], couplings)
    start = starts() + np.array([0.0, 5.0, 3.0, 0.0])
    found = model.simulate(start, HOURS)
    for i in (0, 3):
        grown = start[:, i] > 0
        top, mu = model.growth_[i] / -couplings[i, i], model.growth_[i]
        expected = top / (1 + (top / start[grown, i, None] - 1) * np.exp(-mu * HOURS))
        np.testing.assert_allclose(found[grown, :, i], expected, rtol=1e-8)
        assert (found[~grown, :, i] == 0).all()
    x, y = found[..., 1], found[..., 2]
    invariant = d * x - c * np.log(x) + b * y - a * np.log(y)
    np.testing.assert_allclose(invariant, invariant[:, :1] * np.ones(len(HOURS)), rtol=1e-8)
    assert np.ptp(x) > 3


@pytest.mark.parametrize("third", [0.0, 0.5])
def test_against_another_solver(third: float) -> None:
    model = LotkaVolterra.random(4, third=third, seed=3)
    assert (model.third_ is None) == (third == 0)
    start = starts()
    found = model.simulate(start, HOURS)
    for x0, ours in list(zip(start, found, strict=True))[:4]:
        other = solve_ivp(
            lambda t, x: right_hand_side(model, x), (0, 48), x0, method="DOP853", t_eval=HOURS, rtol=1e-12, atol=1e-14
        )
        np.testing.assert_allclose(ours, other.y.T, rtol=1e-8, atol=1e-10)


def test_of_the_third_order_only_what_has_two_different_others_is_read() -> None:
    """Squares, and each pair a second time, stand in the array, and change nothing."""
    rng = np.random.default_rng(0)
    model = LotkaVolterra.from_parameters(rng.uniform(0.1, 0.5, 4), -np.eye(4), -rng.uniform(0, 1, (4, 4, 4)))
    start = starts()
    found = model.simulate(start, HOURS)
    assert model.third_ is not None
    upper = LotkaVolterra.from_parameters(model.growth_, model.interactions_, np.triu(model.third_, 1))
    np.testing.assert_array_equal(upper.simulate(start, HOURS), found)
    for x0, ours in list(zip(start, found, strict=True))[:2]:
        other = solve_ivp(
            lambda t, x: right_hand_side(model, x), (0, 48), x0, method="DOP853", t_eval=HOURS, rtol=1e-12, atol=1e-14
        )
        np.testing.assert_allclose(ours, other.y.T, rtol=1e-8, atol=1e-10)


def test_passages() -> None:
    model = LotkaVolterra.random(4, seed=1)
    start = starts()
    found = model.simulate(start, HOURS, passages=[16.0, 20.0], dilution=0.1)
    before = model.simulate(start, [0.0, 16.0])[:, 1]
    between = model.simulate(before * 0.1, [16.0, 20.0])[:, 1]
    after = model.simulate(between * 0.1, [20.0, 24.0])[:, 1]
    np.testing.assert_allclose(found[:, 2], before, rtol=1e-8)
    np.testing.assert_allclose(found[:, 3], after, rtol=1e-8)


def test_random_communities_stay_bounded() -> None:
    for seed in range(3):
        model = LotkaVolterra.random(25, seed=seed)
        assert _growing(model.interactions_) <= -0.01
        assert (np.diag(model.interactions_) <= -0.2).all()
        # Then sum x < sum mu x + x'ax shrinks once |x| is above |mu| / |largest eigenvalue|, whatever x is.
        x = np.abs(np.random.default_rng(seed).normal(size=(1000, 25)))
        assert ((x @ model.interactions_) * x).sum(1).max() < 0
    model = LotkaVolterra.random(4, third=1.0)
    assert model.third_ is not None
    assert (model.third_ <= 0).all()
    assert (model.simulate(starts() * 20, [0.0, 1000.0], tolerance=1e-6)[:, 1] < 10).all()


def data_of(model: LotkaVolterra, hours: np.ndarray) -> Communities:
    names = tuple(f"c{i}" for i in range(12))
    return Communities(names, tuple("ABCD"), (), hours, model.simulate(starts(), hours))


def test_regression_finds_the_model_again() -> None:
    truth = LotkaVolterra.random(4, third=0.5, seed=2)
    fine = data_of(truth, np.arange(0.0, 30.0, 0.25))
    found = LotkaVolterra(third=True, ridge=1e-9).fit(fine)
    np.testing.assert_allclose(found.growth_, truth.growth_, atol=0.01)
    np.testing.assert_allclose(found.interactions_, truth.interactions_, atol=0.05)
    np.testing.assert_allclose(found.third_, truth.third_, atol=0.15)
    # Samples that are missing are stepped over.
    values = fine.values.copy()
    values[0, 5] = values[1, 8] = np.nan
    gaps = Communities(fine.names, fine.species, (), fine.hours, values)
    again = LotkaVolterra(third=True, ridge=1e-9).fit(gaps)
    np.testing.assert_allclose(again.interactions_, found.interactions_, atol=1e-2)


def test_the_gradient_improves_on_the_regression() -> None:
    truth = LotkaVolterra.random(4, seed=5)
    coarse = data_of(truth, np.array([0.0, 12.0, 24.0]))
    start = LotkaVolterra().fit(coarse)
    better = LotkaVolterra(steps=200, learning_rate=2e-2).fit(coarse)
    error = lambda model: np.abs(model.predict(coarse) - coarse.values[:, 1:]).mean()
    assert error(better) < 0.5 * error(start)


def test_what_is_refused() -> None:
    model = LotkaVolterra.random(4)
    with pytest.raises(ShapeError, match=r"interactions: expected \(2, 2\)"):
        LotkaVolterra.from_parameters(np.zeros(2), np.zeros((3, 3)))
    with pytest.raises(ShapeError, match=r"initial: expected \(communities, 4\)"):
        model.simulate([[1.0]], HOURS)
    with pytest.raises(DataError, match="negative abundance in community 0"):
        model.simulate(-starts(), HOURS)
    with pytest.raises(SettingsError, match="times that increase"):
        model.simulate(starts(), [0.0, 5.0, 5.0])
    with pytest.raises(DataError, match="missing abundance in community 1"):
        model.simulate([[1.0] * 4, [1.0, np.nan, 1.0, 1.0]], HOURS)
    with pytest.raises(NonFiniteError, match="growth: nan at index"):
        LotkaVolterra.from_parameters([np.nan], [[1.0]])
    with pytest.raises(SettingsError, match="ridge: expected 0 or more, got -1"):
        LotkaVolterra(ridge=-1).fit(data_of(model, HOURS))
    zero = Communities(("a", "b"), ("A", "B"), (), HOURS, np.zeros((2, len(HOURS), 2)))
    with pytest.raises(DataError, match="no abundance above 0 of any of A, B"):
        LotkaVolterra().fit(zero)
    ones = replace(zero, values=np.ones_like(zero.values))
    with pytest.raises(SettingsError, match="do not determine the interactions of 'A'; expected a penalty above 0"):
        LotkaVolterra(ridge=0).fit(ones)
    ones.values[..., 1] = 0.0
    with pytest.raises(DataError, match="species 'B' is in fewer than two pairs of consecutive samples"):
        LotkaVolterra().fit(ones)
