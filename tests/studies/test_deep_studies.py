"""The studies of long time lags and of structure: their parts against numpy, and what the committed results say."""

import json
from pathlib import Path

import numpy as np
import pytest

from ostinato.studies import StudySettings, compressor, load_study, parity

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def committed(name):
    """The claims of a result file, in order."""
    return json.loads((RESULTS / f"study-{name}.json").read_text())["claims"]


@pytest.mark.full
def test_the_compressor_in_short():
    claims = load_study("compressor").run(StudySettings(quick=True))
    json.dumps([claim.to_dict() for claim in claims], allow_nan=False)
    right, seconds, bits, taught, coded = claims
    assert right.holds
    assert seconds.ours == pytest.approx(max(seconds.detail["seconds of processor"]), abs=0.01)
    assert bits.ours == pytest.approx(np.mean(bits.detail["by_seed"]))
    assert taught.ours == min(taught.detail["by_seed"])
    assert coded.detail["same"]
    assert [claim.name for claim in claims][1:3] == [claim["name"] for claim in committed("compressor")][1:3]


def test_the_committed_compressor_result():
    right, seconds, bits, taught, coded, nested, moves, deep, deep_seconds, tanh = committed("compressor")
    assert right["ours"] == np.sum(np.array(right["detail"]["accuracy"]) >= 0.99) == 10
    assert len(right["detail"]["accuracy"]) == 10
    assert seconds["ours"] < 10
    assert seconds["baseline"]["by the clock, the machine shared"] == pytest.approx(
        max(seconds["detail"]["seconds"]), abs=0.01
    )
    assert bits["ours"] == pytest.approx(np.mean(bits["detail"]["by_seed"]))
    # Four bits that nobody can know, and the first symbol. One level has no more to know here, and is nearer to them.
    assert bits["baseline"]["least"] == pytest.approx(np.log2(22) + 4)
    assert not bits["holds"]
    assert bits["baseline"]["one level"] < bits["ours"]
    assert bits["ours"] < 1.2 * bits["baseline"]["least"]
    assert taught["ours"] == min(taught["detail"]["by_seed"]) >= 0.95
    assert max(taught["detail"]["without a teacher"]) < 0.6
    assert coded["detail"]["same"]
    assert coded["ours"] == pytest.approx(coded["baseline"]["bits"] / coded["detail"]["description length"])
    assert abs(coded["ours"] - 1) <= 0.01
    assert nested["ours"] == min(nested["detail"]["accuracy"])
    shares = np.mean(nested["detail"]["moves"], axis=0)
    assert moves["ours"] == pytest.approx(shares[2])
    assert shares[0] == 1
    assert deep["ours"] == min(deep["detail"]["by_seed"]) == 1
    assert deep_seconds["ours"] < 60
    assert tanh["ours"] == max(rate["accuracy"] for rate in tanh["detail"]["by_rate"].values()) < 0.75
    assert len(tanh["detail"]["by_rate"]) == len(compressor.RATES)


def test_the_committed_parity_result():
    claims = committed("parity")
    assert [claim["name"].split(":")[0] for claim in claims] == list(parity.CELLS)
    for claim in claims:
        throughout = np.array(claim["detail"]["sequences right throughout"])
        assert claim["ours"] == np.sum(throughout == 1)
        assert len(throughout) == 5
        assert claim["baseline"]["accuracy at 256, mean"] == pytest.approx(np.mean(claim["detail"]["accuracy"]))
    *mixing, gates_of_the_input = claims
    assert all(claim["holds"] == (claim["ours"] >= 3) for claim in mixing)
    assert gates_of_the_input["ours"] == 0


@pytest.mark.full
def test_parity_in_short():
    claims = parity.run(StudySettings(quick=True, seeds=2))
    json.dumps([claim.to_dict() for claim in claims], allow_nan=False)
    assert len(claims) == 4
    assert all(len(claim.detail["accuracy"]) == 2 for claim in claims)
