"""The studies of online learning in short, and what the bench of rules fits its powers to."""

import numpy as np
import pytest

from ostinato.benches import rules
from ostinato.studies import run_study
from ostinato.studies.base import StudySettings


def test_truncation_falls_as_the_network_forgets():
    claims = run_study("truncation", StudySettings(quick=True))["claims"]
    for claim, known in zip(claims, (0.8, 0.9), strict=False):
        detail = claim["detail"]
        assert detail["measured_exponent"] == pytest.approx(np.log(known), abs=1e-4)
        assert detail["errors"] == sorted(detail["errors"], reverse=True)
        assert claim["ours"] < 0


def test_a_stream_is_followed_in_constant_memory():
    error, speed, memory = run_study("stream", StudySettings(quick=True))["claims"]
    online = error["detail"]["online"]
    assert online["steps"] == 60_000
    assert online["carried_bytes"] == online["carried_bytes_at_the_end"] < 20_000
    assert speed["ours"] > 0
    assert np.isfinite(error["ours"])
    assert memory["detail"] == {"carried_bytes": online["carried_bytes"]}


def test_operations_grow_as_they_should():
    sizes = (8, 16)
    found = {name: [rules.step_operations(name, n) for n in sizes] for name in ("bptt", "rtrl", "diagonal rtrl")}
    weights = [float(size) for _, size in found["diagonal rtrl"]]
    assert rules.slope(weights, [count for count, _ in found["diagonal rtrl"]]) <= 1.1
    assert rules.slope([8.0, 16.0], [count for count, _ in found["rtrl"]]) > 3.3
    assert found["bptt"][1][0] < found["rtrl"][1][0] / 10
