"""The studies of filters and of continuous time: their parts against numpy, and what the committed results say."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.analysis import pole_metrics
from ostinato.studies import StudySettings, crbp, load_study, oscillator

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


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


@pytest.mark.full
def test_crbp_in_short():
    notes = []
    claims = load_study("crbp").run(StudySettings(quick=True, note=notes.append))
    json.dumps([claim.to_dict() for claim in claims], allow_nan=False)
    assert claims[0].holds
    by_kind = {kind: [c.ours for c in claims if c.name.endswith(kind)] for kind in crbp.FILTERS}
    assert all(values == sorted(values) and len(values) == 3 for values in by_kind.values())
    assert len(notes) == 11


def test_the_committed_crbp_result():
    result = json.loads((RESULTS / "study-crbp.json").read_text())
    claims = {claim["name"]: claim for claim in result["claims"]}
    by_autodiff = result["claims"][0]
    assert by_autodiff["holds"]
    assert by_autodiff["ours"] <= 1e-8
    for horizon, bar in ((0, 0.95), (3, 0.995), (5, 0.9999)):
        claim = claims[f"cosine of CRBP at Q={horizon} with RBP, mean of 5 stable 2-4-1 networks, fading taps"]
        assert claim["ours"] == pytest.approx(np.mean(claim["detail"]["cosines"]), rel=1e-12)
        assert claim["ours"] >= bar
        assert claim["holds"]
    error, share = result["claims"][-2:]
    ours, theirs = (np.array(error["detail"][name]["errors"]) for name in ("CRBP", "Back-Tsoi"))
    assert len(ours) == len(theirs) == 10
    assert error["ours"] == pytest.approx(ours.mean())
    assert ours.mean() < theirs.mean() == pytest.approx(error["baseline"]["Back-Tsoi"])
    assert share["ours"] == np.mean(ours < theirs) > 0.5


def test_the_oscillator_in_short():
    claims = oscillator.run(StudySettings(quick=True))
    assert len(claims) == 7
    assert all(claim.holds for claim in claims)
    committed = json.loads((RESULTS / "study-oscillator.json").read_text())["claims"]
    assert len(committed) == 8
    assert all(claim["holds"] for claim in committed)
    for now, then in zip(claims, committed, strict=False):
        assert now.name == then["name"]
        assert now.ours == pytest.approx(then["ours"], rel=1e-9)


def test_the_period_of_a_sine():
    time = 0.1 * np.arange(4000)
    ys = 0.5 + 0.3 * np.sin(2 * np.pi * time / 17.3)
    assert oscillator.period(ys, 0.1) == pytest.approx(17.3, abs=1e-4)
