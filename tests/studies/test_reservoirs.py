"""The study of reservoirs: which rows of a series are fitted, which are judged, what stands beside."""

import numpy as np
import pytest

from ostinato.studies import Bar, StudySettings
from ostinato.studies.reservoirs import reservoir

ONE = StudySettings()


@pytest.fixture
def networks(monkeypatch):
    """What stands in the place of an echo-state network: it keeps what it was given."""
    made = []

    class Recorder:
        def __init__(self, hidden_size=0, *, washout, scale, seed, **options):
            assert washout == reservoir.WASHOUT
            assert scale is False
            self.hidden_size, self.seed = hidden_size, seed
            self.histories = []
            made.append(self)

        def fit(self, X, y=None):
            self.seen, self.wanted = X, y
            return self

        def evaluate(self, X, y=None):
            self.judged, self.judged_by = X, y
            return {"nrmse": 0.1 * (1 + self.seed), "baselines": {"linear": {"nrmse": 0.5}}}

        def forecast(self, steps, *, history):
            self.histories.append(history)
            return history[-1] + np.arange(1.0, steps + 1) + (0.1 if self.seed else 0.01)

    monkeypatch.setattr(reservoir, "ESN", Recorder)
    return made


def test_narma_is_judged_on_steps_that_come_after_those_fitted(networks):
    rows = np.arange(3800.0)
    claim = reservoir.narma_claim(40, Bar.at_most(0.02), [(rows, -rows), (rows, -rows)], ONE)
    for seed, one in enumerate(networks):
        assert (one.seed, one.hidden_size) == (seed, 40)
        np.testing.assert_array_equal(one.seen, rows[:2000])
        np.testing.assert_array_equal(one.wanted, -rows[:2000])
        # A hundred steps that only warm the network up.
        np.testing.assert_array_equal(one.judged, rows[1900:])
        np.testing.assert_array_equal(one.judged_by, -rows[1900:])
    assert claim.ours == pytest.approx((0.1**2 + 0.2**2) / 2)
    assert claim.baseline == {"linear in the last 10 inputs": pytest.approx(0.25)}
    assert claim.holds is False
    assert reservoir.narma_claim(40, Bar.at_most(0.03), [(rows, rows)], ONE).holds is True


def test_the_laser_is_judged_where_nothing_was_chosen(networks):
    record = np.arange(10_000.0)
    options = {"hidden_size": 50, "penalty": 1e-4}
    claim = reservoir.laser(record, options, [0, 1], Bar.at_most(0.15), ONE)
    for one in networks:
        np.testing.assert_array_equal(one.seen, np.arange(2000))
        np.testing.assert_array_equal(one.judged, np.arange(4900, 8000))
        assert one.wanted is None
        assert one.judged_by is None
    assert claim.ours == pytest.approx(0.15)
    assert claim.baseline == {"linear in the last 10 values": 0.5}


def test_the_network_goes_on_from_places_behind_what_it_learned(networks):
    series = np.arange(3000.0 + 3 * 60 + reservoir.HORIZON)
    claim = reservoir.going_on(series, 60, [0, 1], Bar.at_most(-2.7), ONE)
    for one in networks:
        np.testing.assert_array_equal(one.seen, np.arange(3000))
        assert [history[-1] for history in one.histories] == [2999, 3059, 3119]
        assert {len(history) for history in one.histories} == {1000}
    # The first is 0.01 away after 84 steps, the other 0.1.
    away = np.log10(np.array([0.01, 0.1]) / series.std())
    np.testing.assert_allclose(claim.detail["by_seed"], away)
    assert claim.ours == pytest.approx(away.mean())
    assert claim.detail["starts"] == 3
    assert claim.holds is True


def test_the_linear_model_beside_it_has_seen_the_training_part_alone(networks):
    rng = np.random.default_rng(0)
    series = rng.normal(size=3000 + 5 * 60 + 84)
    series[3000:] = 10 * np.sin(np.arange(len(series) - 3000) / 5)
    claim = reservoir.going_on(series, 60, [0], Bar.at_most(0), ONE)
    lagged = np.lib.stride_tricks.sliding_window_view(series, 50)
    # Row k holds the values k to k + 49; what is wanted of it is 84 steps behind its last.
    design = lambda rows: np.concatenate([lagged[rows], np.ones((len(rows), 1))], axis=1)
    rows = np.arange(3000 - 84 - 50)
    weights, *_ = np.linalg.lstsq(design(rows), series[rows + 50 + 83], rcond=None)
    places = 3000 + 60 * np.arange(5)
    wrong = series[places + 83] - design(places - 50) @ weights
    wanted = np.log10(np.sqrt(np.mean(wrong**2)) / series.std())
    assert claim.baseline["linear in the last 50 values"] == pytest.approx(wanted, rel=1e-6)


def test_the_memory_of_a_small_reservoir():
    (claim,) = reservoir.memory(StudySettings(quick=True))
    assert claim.baseline["leaky echo-state network"] < claim.ours <= 20.5
    assert claim.holds == (claim.ours >= 18)
