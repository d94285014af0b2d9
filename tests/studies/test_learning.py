"""The studies of learning rules: what is learned from and what judges, the parts against numpy, the verdicts."""

from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.signal import lfilter

from ostinato.analysis import pole_metrics
from ostinato.data import Examples, SequenceBatch, stream
from ostinato.layers import RNN
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.learning import crbp, evolution, kalman, truncation

ONE = StudySettings(seeds=1)


def test_adam_beside_the_filter_is_adam_at_its_rate():
    """The held-out error after each window against updates by hand."""
    rng = np.random.default_rng(0)
    train, test, rate = rng.normal(size=151), rng.normal(size=121), 0.03
    model = RNN("elman", 1, 4, output_size=1, key=stream(0, "network"))
    found = kalman.curve(model, train, test, rate, 150)

    weights, rest = eqx.partition(model, eqx.is_inexact_array)
    optimizer = optax.adam(rate)
    moments, wanted = optimizer.init(weights), []
    column = lambda values: jnp.asarray(values, jnp.float32)[:, None]

    @jax.jit
    def step(weights, moments, xs, ys):
        loss = lambda w: jnp.mean((eqx.combine(w, rest)(xs)[0] - ys) ** 2)
        changes, moments = optimizer.update(jax.grad(loss)(weights), moments)
        return eqx.apply_updates(weights, changes), moments

    with jax.numpy_dtype_promotion("standard"):
        for start in (0, 50, 100):
            part = column(train[start : start + 51])
            weights, moments = step(weights, moments, part[:-1], part[1:])
            ys = np.asarray(eqx.combine(weights, rest)(column(test[:-1]))[0])[50:, 0]
            wanted.append(np.sqrt(np.mean((ys - test[51:]) ** 2) / np.var(test)))
    assert found == pytest.approx(wanted, rel=1e-4)
    assert len(set(found)) == 3


def test_the_filter_and_adam_learn_from_the_first_samples_and_are_judged_by_the_rest(monkeypatch):
    seen = []

    def curve(model, train, test, rate, budget):
        seen.append((rate, train, test, budget))
        return [0.5, 0.25, 0.2] if rate is None else [0.9, 0.9 - (rate or 0), 0.95]

    monkeypatch.setattr(kalman, "curve", curve)
    series = np.concatenate([np.arange(200.0), 1000 + np.arange(100.0)])
    needed, end = kalman.judged(series, 200, 150, ONE)
    assert [rate for rate, *_ in seen] == [None, *kalman.RATES]
    scaled = (series - 99.5) / np.arange(200.0).std()
    for _, train, test, budget in seen:
        np.testing.assert_allclose(train, scaled[:200])
        np.testing.assert_allclose(test, scaled[200:])
        assert budget == 150
    # Adam is best at 0.1 after the second window, where the filter was before its first ended.
    assert needed.baseline == {"Adam 0.1": 100.0}
    assert (needed.ours, needed.holds) == (50.0, True)
    assert (end.ours, end.baseline["Adam 0.1"], end.holds) == (0.2, 0.95, True)


def test_the_filter_has_to_be_faster_and_to_end_lower():
    median = {"filter": np.array([0.9, 0.5, 0.4]), "Adam 0.1": np.array([0.9, 0.5, 0.39]), "Adam 1": np.ones(3)}
    needed, end = kalman.compared(median, 0.3, [0])
    assert (needed.ours, needed.holds) == (None, False)
    assert end.holds is False
    median["filter"] = np.array([0.9, 0.8, 0.39])
    needed, end = kalman.compared(median, 0.3, [0])
    assert (needed.ours, needed.holds, end.holds) == (150.0, False, False)


def test_windows_of_a_series_follow_one_another():
    windows = kalman.Windows(np.arange(9.0), 4)
    assert len(windows) == 2
    first, second, again = (windows.at(step) for step in range(3))
    assert np.ravel(first.inputs.values).tolist() == [0, 1, 2, 3]
    assert np.ravel(second.inputs.values).tolist() == [4, 5, 6, 7]
    assert np.ravel(second.targets).tolist() == [5, 6, 7, 8]
    np.testing.assert_array_equal(again.inputs.values, first.inputs.values)


def test_back_and_tsois_system_by_its_equations():
    x, y = crbp.system(np.random.default_rng(0), 40)
    x, z = np.asarray(x[:, 0], np.float64), np.zeros(40)
    assert np.abs(x).max() <= 1
    at = lambda a, t: a[t] if t >= 0 else 0.0
    for t in range(40):
        z[t] = 0.0154 * (x[t] + at(x, t - 3)) + 0.0462 * (at(x, t - 1) + at(x, t - 2))
        z[t] += 1.99 * at(z, t - 1) - 1.572 * at(z, t - 2) + 0.4583 * at(z, t - 3)
    np.testing.assert_allclose(y[:, 0], np.sin(np.pi * z), atol=1e-5)


@pytest.mark.parametrize(("fade", "radius"), crbp.FILTERS.values(), ids=crbp.FILTERS)
def test_random_networks_are_stable(x64, fade, radius):
    largest = [
        pole_metrics(crbp.random_network(jax.random.key(seed), jnp.asarray(fade), jnp.asarray(radius)))["pole_radius"]
        for seed in range(5)
    ]
    assert 0.5 * radius < max(largest) <= radius


def test_identification_learns_from_streams_and_is_judged_by_another(monkeypatch):
    """Networks that are all nine tenths of the system: the error says which stream they were asked about."""
    given, heard = [], []

    def learn(rule, networks, xs, ys):
        given.append((rule.horizon, np.asarray(xs), np.asarray(ys)))
        return networks

    def unroll(network, xs, **options):
        heard.append(np.asarray(xs[:, 0], np.float64))
        z = lfilter(crbp.NUMERATOR, crbp.DENOMINATOR, heard[-1])
        return jnp.asarray(0.9 * np.sin(np.pi * z)[:, None], jnp.float32), None

    monkeypatch.setattr(crbp, "learn", learn)
    monkeypatch.setattr(crbp, "unroll", unroll)
    error, share = crbp.identification(StudySettings(quick=True, seeds=2))
    assert [horizon for horizon, *_ in given] == [crbp.HORIZON, 0]
    for _, xs, ys in given:
        for seed in range(2):
            x, y = crbp.system(np.random.default_rng([seed, 0]), 2000)
            np.testing.assert_array_equal(xs[seed], x)
            np.testing.assert_array_equal(ys[seed], y)
    x, y = crbp.system(np.random.default_rng([0, 1]), 5000)
    for xs in heard:
        np.testing.assert_array_equal(xs, np.asarray(x[:, 0], np.float64))
    wanted = np.asarray(y, np.float64)[100:]
    assert error.ours == pytest.approx(0.01 * np.mean(wanted**2) / np.var(wanted), rel=1e-3)
    assert error.ours == error.baseline["untrained"] == error.baseline["Back-Tsoi"]
    # As low is not lower.
    assert (error.holds, share.ours, share.holds) == (False, 0, False)


def test_crbp_has_to_end_lower_on_most_seeds():
    errors = lambda *values: np.array(values)
    error, share = crbp.compared(errors(0.1, 0.2, 0.3), errors(0.2, 0.3, 1.0), 1.0, 10, {})
    assert (error.ours, error.holds, share.ours, share.holds) == (pytest.approx(0.2), True, 1.0, True)
    assert error.baseline["Back-Tsoi, the 2 seeds that did not diverge"] == pytest.approx(0.25)
    error, share = crbp.compared(errors(0.1, 0.2, 0.3, 0.4), errors(0.2, 0.3, 0.1, 0.2), 1.0, 10, {})
    assert (error.holds, share.ours, share.holds) == (False, 0.5, False)


@pytest.mark.parametrize(("horizon", "bar"), [(0, 0.95), (3, 0.995), (5, 0.9999)])
def test_the_bar_of_the_truncation_rises_with_its_horizon(horizon, bar):
    for shift, holds in ((1e-5, True), (-1e-5, False)):
        claim = crbp.alike(horizon, "fading taps", np.array([bar + shift - 1e-6, bar + shift + 1e-6]))
        assert (claim.ours, claim.holds) == (pytest.approx(bar + shift), holds)


def test_the_exponent_of_a_linear_network_is_the_logarithm_of_its_radius():
    xs = jax.random.normal(jax.random.key(0), (60, truncation.INPUTS))
    assert truncation.exponent(truncation.network("linear", 0.8), xs) == pytest.approx(np.log(0.8), abs=1e-4)


@pytest.mark.parametrize(("factor", "linear", "tanh"), [(1.0, True, True), (1.2, False, False), (0.8, False, True)])
def test_the_slope_is_held_against_the_exponent(monkeypatch, factor, linear, tanh):
    """Errors that fall exactly as fast as the exponent says, times a factor."""
    falls = iter([np.log(0.8), np.log(0.9), -0.25])

    def errors(model, examples, windows):
        rate = factor * next(falls)
        return [float(np.exp(rate * window)) for window in windows]

    monkeypatch.setattr(truncation, "errors", errors)
    monkeypatch.setattr(truncation, "exponent", lambda model, xs: -0.25)
    claims = truncation.run(ONE)
    assert [claim.holds for claim in claims] == [linear, linear, tanh]
    assert claims[0].ours == pytest.approx(factor * np.log(0.8))


def test_the_search_ends_by_the_reason_that_was_asked_for(monkeypatch):
    """Random search gets as many networks; a seed that ends for another reason breaks the claim."""
    asked, stopped = [], {"share": "share", "error": "steps", "generations": "generations"}

    def xor(seed, rule, steps):
        kind = type(rule).__name__
        asked.append((kind, seed, steps))
        limit = next((name for name in stopped if getattr(rule, name, None) is not None), "share")
        found = {"error": 0.01 if kind == "GeneticAlgorithm" else 0.2, "share": 1.0}
        return SimpleNamespace(stopped=stopped[limit], steps=17), found

    monkeypatch.setattr(evolution, "xor", xor)
    monkeypatch.setattr(evolution, "oscillator", lambda seeds, settings: Claim("", "", None, None, Bar.reported()))
    share, error, exactly, _ = evolution.run(StudySettings(seeds=2))
    assert {steps for kind, _, steps in asked if kind == "RandomSearch"} == {17}
    assert {steps for kind, _, steps in asked if kind == "GeneticAlgorithm"} == {evolution.GENERATIONS}
    assert [share.holds, error.holds, exactly.holds] == [True, False, True]
    assert share.baseline["random search, error with as many networks"] == 0.2


def test_amplitude_and_period_of_a_cycle():
    ys = 0.4 * np.sin(2 * np.pi * evolution.STEP / 17.3 * np.arange(4000)) + 0.1
    found = evolution.cycle(ys)
    assert found["amplitude"] == pytest.approx(0.4, abs=1e-3)
    assert found["period"] == pytest.approx(17.3, abs=0.02)
    assert evolution.cycle(np.linspace(0, 1, 50))["period"] == 0


def test_one_batch_over_and_over():
    examples = Examples(SequenceBatch(jnp.ones((1, 2, 1))), jnp.ones((1, 2, 1)), jnp.ones((1, 2)))
    batches = evolution.Same(examples)
    assert len(batches) == 1
    assert batches.at(0) is batches.at(7) is examples
