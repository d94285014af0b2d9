"""Consumer-resource models against a closed form, a conserved sum and an independent solver."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ostinato.communities import ConsumerResource
from ostinato.data import Communities
from ostinato.errors import DataError, SettingsError, ShapeError

RNG = np.random.default_rng(0)


def test_one_species_on_one_resource_is_logistic_growth() -> None:
    c, y, x0, r0 = 0.4, 0.5, 0.02, 3.0
    hours = np.array([0.0, 3.0, 10.0, 24.0])
    found = ConsumerResource.from_parameters([[c]], [[y]], [0.0]).simulate([[x0]], [[r0]], hours)[0]
    most = x0 + y * r0
    expected = most / (1 + (most / x0 - 1) * np.exp(-c * most * hours))
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-8)
    np.testing.assert_allclose(found[:, 0] + y * found[:, 1], most, rtol=1e-8)


def test_cross_feeding_with_passages_is_what_another_solver_finds() -> None:
    c, y, m = RNG.uniform(0, 1, (3, 2)), RNG.uniform(0.1, 0.5, (3, 2)), RNG.uniform(0, 0.1, 3)
    d = np.array([[0.0, 0.0], [0.6, 0.0]])
    model = ConsumerResource.from_parameters(c, y, m, d)
    x, r, medium = RNG.uniform(0, 0.1, (2, 3)), RNG.uniform(1, 4, (2, 2)), np.array([3.0, 0.5])
    hours = [0.0, 6.0, 12.0, 20.0]
    found = model.simulate(x, r, hours, passages=[12.0], dilution=0.1, medium=medium)

    def rhs(t: float, z: np.ndarray) -> np.ndarray:
        a, b = z[:3], z[3:]
        grown = [a[i] * (sum(y[i, k] * c[i, k] * b[k] for k in range(2)) - m[i]) for i in range(3)]
        eaten = [sum(c[i, k] * b[k] * a[i] for i in range(3)) for k in range(2)]
        left = [sum(d[k, j] * eaten[j] for j in range(2)) - eaten[k] for k in range(2)]
        return np.array(grown + left)

    for row in range(2):
        z = np.concatenate([x[row], r[row]])
        for at, (start, stop) in enumerate(pairwise(hours)):
            z = solve_ivp(rhs, (start, stop), z, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
            np.testing.assert_allclose(found[row, at + 1], z, rtol=1e-8, atol=1e-10)
            if stop == 12.0:
                z = 0.1 * z + 0.9 * np.concatenate([np.zeros(3), medium])


def test_a_fit_finds_the_parameters_again() -> None:
    c, y, m = np.array([[0.5, 0.0], [0.2, 0.4]]), np.array([[0.4, 0.0], [0.3, 0.2]]), np.array([0.05, 0.02])
    truth = ConsumerResource.from_parameters(c, y, m)
    hours = np.arange(0.0, 30.0, 0.25)
    x, r = RNG.uniform(0.05, 0.3, (6, 2)), RNG.uniform(0.5, 3, (6, 2))
    x[0, 1] = x[1, 0] = 0.0
    values = truth.simulate(x, r, hours)
    data = Communities(tuple("abcdef"), ("A", "B"), ("s", "t"), hours, values)
    found = ConsumerResource(ridge=1e-9).fit(data)
    np.testing.assert_allclose(found.uptake_, c, atol=0.01)
    np.testing.assert_allclose(found.yields_, y, atol=0.01)
    np.testing.assert_allclose(found.maintenance_, m, atol=0.005)
    np.testing.assert_allclose(found.predict(data), values[:, 1:], atol=0.05)
    values[2, 5], values[3, 7, 3] = np.nan, np.nan
    gaps = ConsumerResource(ridge=1e-9).fit(data)
    np.testing.assert_allclose(gaps.uptake_, found.uptake_, atol=0.005)
    # A large penalty holds everything back.
    assert (ConsumerResource(ridge=1e6).fit(data).uptake_ < 0.01).all()
    with pytest.raises(DataError, match="expected metabolites, which are the resources"):
        ConsumerResource().fit(Communities(tuple("abcdef"), ("A", "B", "s", "t"), (), hours, values))


def test_refused() -> None:
    one, two = np.ones((1, 1)), np.ones((1, 2))
    with pytest.raises(ShapeError, match="yields, maintenance"):
        ConsumerResource.from_parameters(one, two, np.zeros(1))
    with pytest.raises(ShapeError, match="conversion"):
        ConsumerResource.from_parameters(one, one, np.zeros(1), np.ones((2, 2)))
    with pytest.raises(SettingsError, match="uptake: expected numbers of 0 or more, got -1"):
        ConsumerResource.from_parameters(-one, one, np.zeros(1))
    model = ConsumerResource.from_parameters(one, one, np.zeros(1))
    with pytest.raises(ShapeError, match="initial, resources"):
        model.simulate([[1.0]], [[1.0, 2.0]], [0.0, 1.0])
    with pytest.raises(DataError, match="negative"):
        model.simulate([[-1.0]], [[1.0]], [0.0, 1.0])
