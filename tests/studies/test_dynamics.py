"""The studies of time scales and of bodies: their parts against numpy, and when a claim holds."""

import numpy as np
import pytest

from ostinato.studies import StudySettings
from ostinato.studies.dynamics import evolved_agents, mtrnn, oscillator


def test_autocorrelation_time_of_a_decay_and_of_a_wave():
    rng = np.random.default_rng(0)
    values, noise = np.zeros((20, 4000)), rng.normal(size=(20, 4000))
    for t in range(1, 4000):
        values[:, t] = np.exp(-1 / 7) * values[:, t - 1] + noise[:, t]
    assert np.mean([mtrnn.autocorrelation_time(row) for row in values]) == pytest.approx(7, rel=0.05)
    # A cosine is at 1/e after arccos(1/e) of its circle.
    wave = np.cos(2 * np.pi * np.arange(8000) / 80)
    assert mtrnn.autocorrelation_time(wave) == pytest.approx(80 * np.arccos(1 / np.e) / (2 * np.pi), rel=0.01)
    assert mtrnn.autocorrelation_time(np.ones(30)) == 30


def test_movements_are_made_of_the_same_figures():
    made = mtrnn.movements()
    size = mtrnn.PERIOD * mtrnn.CYCLES
    figures = {np.round(made[0, k * size : (k + 1) * size], 9).tobytes() for k in range(3)}
    assert len(figures) == 3
    assert {np.round(row[k * size : (k + 1) * size], 9).tobytes() for row in made for k in range(3)} == figures
    assert len({row.tobytes() for row in made}) == 6


@pytest.mark.parametrize(
    ("fast", "slow", "holds"),
    [
        ([0.2, 0.21, 0.22, 0.23, 0.24], [0.1, 0.11, 0.12, 0.13, 0.14], True),
        ([0.1, 0.11, 0.12, 0.13, 0.14], [0.2, 0.21, 0.22, 0.23, 0.24], False),
        ([0.1, 0.3, 0.2, 0.4, 0.5], [0.11, 0.29, 0.21, 0.39, 0.49], False),
    ],
)
def test_slow_units_have_to_help(monkeypatch, fast, slow, holds):
    errors = {1.0: np.array(fast), 14.0: np.array(slow)}
    monkeypatch.setattr(mtrnn, "trained", lambda ratio, *given: (errors[ratio], [[30.0, 5.9]] * 5))
    alike, times = mtrnn.run(StudySettings(seeds=5))
    assert alike.holds is holds
    assert alike.baseline["squared error at ratio 14"] == pytest.approx(np.mean(slow))
    assert (times.ours, times.holds) == (pytest.approx(30 / 5.9), True)


def test_the_period_of_a_sine():
    time = 0.1 * np.arange(4000)
    ys = 0.5 + 0.3 * np.sin(2 * np.pi * time / 17.3)
    assert oscillator.period(ys, 0.1) == pytest.approx(17.3, abs=1e-4)


def test_the_agent_is_its_own_mirror_image():
    falls = evolved_agents.falls(np.array([7.0, 31.0]))
    mirrored = evolved_agents.falls(np.array([-7.0, -31.0]))
    network = evolved_agents.Watcher(evolved_agents.jr.key(5))
    scores, others = np.asarray(network(falls.inputs)[0]), np.asarray(network(mirrored.inputs)[0])
    np.testing.assert_allclose(scores, others, atol=1e-3)
    assert np.ptp(scores) > 0.05
    ends = evolved_agents.jnp.array([0.0, 9.0, -90.0])
    assert evolved_agents.score(ends, ends > 100).tolist() == pytest.approx([1, 0.8, 0])
    assert evolved_agents.score(ends, ends < 100).tolist() == pytest.approx([0, 0.2, 1])


@pytest.mark.parametrize(("median", "holds"), [(0.85, True), (0.849, False)])
def test_agents_are_judged_on_falls_from_fresh_places(monkeypatch, median, holds):
    given = []

    def evolved(make, changes, seen, fresh, seeds, generations, settings):
        given.append((make, seen, fresh, seeds))
        return {"reached": [0.1, median, 0.99], "minutes": [1.0, 5.1, 2.0], "random": [0.3, 0.4, 0.6]}

    monkeypatch.setattr(evolved_agents, "evolved", evolved)
    score, minutes, velocity, _ = evolved_agents.run(StudySettings())
    (watcher, seen, fresh, seeds), (walker, *_) = given
    assert (watcher, walker, seeds) == (evolved_agents.Watcher, evolved_agents.Walker, [10, 11, 12])
    places = lambda examples: set(np.ravel(examples.inputs.values[:, 0, 0]).tolist())
    assert len(places(fresh)) == evolved_agents.FRESH
    assert not places(fresh) & places(seen)
    assert (score.ours, score.holds) == (median, holds)
    assert score.baseline["random search, as many networks, median"] == 0.4
    assert (minutes.ours, minutes.holds, velocity.holds) == (5.1, False, True)
