"""Simulations of several communities of which one grows without end: it is NaN and named, the others are unharmed."""

import numpy as np
import pytest

from ostinato.communities import ConsumerResource, LotkaVolterra
from ostinato.communities.simulation import SHOWN
from ostinato.data import Communities
from ostinato.errors import DataError

HOURS = np.array([0.0, 4.0, 8.0, 12.0])
CALM, WILD = 0, 3
"""The first species grows to 1; the last one helps itself and meets a pole. Of the other two there is nothing."""


def model() -> LotkaVolterra:
    return LotkaVolterra.from_parameters([0.5] * 4, np.diag([-0.5, -1.0, -1.0, 2.0]))


def starts(calm: list[float], wild: list[float]) -> np.ndarray:
    """Always twelve communities of four species: one compilation."""
    found = np.zeros((12, 4))
    found[: len(calm), CALM], found[: len(wild), WILD] = calm, wild
    return found


def pole(x: float) -> float:
    """When the last species would be infinite, in hours."""
    return float(np.log1p(0.5 / (2.0 * x)) / 0.5)


def test_one_that_diverges_spoils_no_other() -> None:
    start = starts([0.1, 0.1, 0.3, 0.0], [0.0, 0.02, 0.0, 0.1])
    assert 4 < pole(0.02) < 8
    assert pole(0.1) < 4
    with pytest.warns(RuntimeWarning, match=r"communities 1 by 8 h, 3 by 4 h: abundances grow without end"):
        found = model().simulate(start, HOURS)
    lost = np.zeros((12, 4), bool)
    lost[1, 2:] = lost[3, 1:] = True
    np.testing.assert_array_equal(np.isnan(found), np.repeat(lost[..., None], 4, axis=2))
    grown = 1 / (1 + (1 / np.array([[0.1], [0.3]]) - 1) * np.exp(-0.5 * HOURS))
    np.testing.assert_allclose(found[[0, 2], :, CALM], grown, rtol=1e-8)
    alone = model().simulate(starts([0.1, 0.1, 0.3], []), HOURS)
    np.testing.assert_array_equal(found[[0, 2]], alone[[0, 2]])


def test_a_prediction_names_its_communities_and_a_passage_brings_nobody_back() -> None:
    start = starts([0.1, 0.1], [0.0, 0.1])
    names = ("calm", "wild", *map(str, range(10)))
    data = Communities(names, tuple("ABCD"), (), HOURS, np.repeat(start[:, None], 4, axis=1))
    with pytest.warns(RuntimeWarning, match="community 'wild' by 4 h"):
        found = model().predict(data)
    assert np.isnan(found).all((1, 2)).tolist() == [False, True] + [False] * 10
    data.values[1, 0, 2] = np.nan
    with pytest.raises(DataError, match="a missing abundance in community 'wild'"):
        model().predict(data)
    with pytest.warns(RuntimeWarning, match="community 1 by 4 h"):
        found = model().simulate(start, HOURS, passages=[6.0], dilution=0.01)
    assert np.isnan(found[1, 1:]).all()
    assert np.isfinite(found[0]).all()


def test_a_long_list_is_cut() -> None:
    assert SHOWN == 10
    with pytest.warns(RuntimeWarning, match=r"9 by 9 h and 2 more: abundances"):
        model().simulate(starts([], [1.0] * 12), [0.0, 9.0])


def test_resources_that_breed_are_told_too() -> None:
    """What is left behind of a unit is more than a unit."""
    model = ConsumerResource.from_parameters([[1.0]], [[1.0]], [0.0], [[3.0]])
    with pytest.warns(RuntimeWarning, match="community 1 by 20 h"):
        found = model.simulate([[0.0], [0.1]], [[1.0], [1.0]], [0.0, 20.0])
    np.testing.assert_array_equal(found[0], [[0.0, 1.0]] * 2)
    assert np.isnan(found[1, 1]).all()
