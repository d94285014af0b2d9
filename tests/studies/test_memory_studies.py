"""The studies of networks with a memory: short runs, and what the committed results say."""

import json
from pathlib import Path

import numpy as np

from ostinato.studies import StudySettings, load_study

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def committed(name):
    return json.loads((RESULTS / f"study-{name}.json").read_text())["claims"]


def test_in_short():
    claims = load_study("ntm").run(StudySettings(quick=True))
    json.dumps([claim.to_dict() for claim in claims], allow_nan=False)
    # Hardly trained: neither network has learned the task, and the verdict says so.
    assert not any(claim.holds for claim in claims)


def test_the_committed_copies():
    cost, far = committed("ntm")
    networks = cost["detail"]["NTM"].values()
    bits = np.array([network["bits"]["20"] for network in networks])
    wrong = np.array([network["wrong"]["60"] for network in networks])
    assert len(bits) == 5
    assert cost["ours"] == np.median(bits)
    assert cost["holds"] == (np.sum(bits <= 0.05) >= 4)
    assert far["ours"] == np.mean(wrong == 0)
    assert far["holds"] == (far["ours"] >= 0.8)
    (lstm,) = far["baseline"].values()
    assert np.sort(wrong)[3] < 0.01 < 0.2 < lstm
