"""The studies of architectures: short runs, and what the committed results say."""

import json
from pathlib import Path

import numpy as np
import pytest

from ostinato.studies import StudySettings, associative, load_study, reservoir

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def committed(name):
    """The claims of a result file by name."""
    return {claim["name"]: claim for claim in json.loads((RESULTS / f"study-{name}.json").read_text())["claims"]}


def test_associative_in_short():
    claims = load_study("associative").run(StudySettings(quick=True))
    json.dumps([claim.to_dict() for claim in claims], allow_nan=False)
    by_load = claims[1].detail["mean overlap by load"]
    assert claims[1].ours == pytest.approx(np.mean(by_load["0.1"]))
    assert all(claim.holds for claim in claims[-4:])
    found = committed("associative")
    assert found["latch: steps for which a bit is held"]["ours"] == 10_000
    assert found["Hopfield, 1000 units, 5 networks: mean overlap at load 0.10"]["ours"] > 0.95


def test_the_committed_reservoir_result():
    found = committed("reservoir")
    assert len(found) == 5
    assert all(claim["holds"] for claim in found.values())
    bars = {"NARMA-10: error over variance, 200": 0.08, "NARMA-10: error over variance, 500": 0.045}
    bars |= {"Mackey-Glass": -2.7, "Santa Fe laser": 0.1}
    for start, bar in bars.items():
        (claim,) = [c for name, c in found.items() if name.startswith(start)]
        assert claim["ours"] == pytest.approx(np.mean(claim["detail"]["by_seed"]))
        assert claim["ours"] <= bar
        assert len(claim["detail"]["by_seed"]) == 5
        assert claim["ours"] < min(claim["baseline"].values())


def test_the_memory_of_a_small_reservoir():
    (claim,) = reservoir.memory(StudySettings(quick=True))
    assert claim.baseline["leaky echo-state network"] < claim.ours <= 20.5


def test_the_committed_alkanes_result():
    found = committed("alkanes")
    (by_sum,) = [c for name, c in found.items() if "sum of the states" in name]
    assert by_sum["holds"]
    assert by_sum["ours"] == pytest.approx(np.mean(by_sum["detail"]["by_seed"]))
    assert by_sum["ours"] <= 2.8
    (by_root,) = [c for name, c in found.items() if "root of the states" in name]
    assert by_root["ours"] == pytest.approx(np.mean(by_root["detail"]["by_seed"]))
    assert by_root["ours"] <= 3.6
    assert {c["input_scaling"] for c in by_root["detail"]["chosen"]} <= {0.3, 1.0}
    assert by_sum["ours"] < by_sum["baseline"]["size"] < by_sum["baseline"]["mean"]


def test_the_published_networks_do_what_they_did(data_folder, monkeypatch):
    monkeypatch.setenv("OSTINATO_DATA", str(data_folder))
    claims = load_study("beer-agents").run(StudySettings(quick=True))
    assert all(claim.holds for claim in claims)
    found = committed("beer-agents")
    assert [claim.name for claim in claims] == list(found)
    for claim in claims:
        assert claim.ours == pytest.approx(found[claim.name]["ours"], abs=1e-9)


def test_the_level_is_crossed_between_two_loads():
    assert associative.crossing_of({0.1: 0.9, 0.2: 0.5, 0.3: 0.1}) == pytest.approx(0.15)
