"""The studies of the differentiable neural computer: short runs, and what the committed results say."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.studies import StudySettings, dnc, load_study
from ostinato.training import Ensemble

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def committed(name):
    return json.loads((RESULTS / f"study-{name}.json").read_text())["claims"]


@pytest.mark.parametrize("name", ["dnc"])
def test_in_short(name):
    claims = load_study(name).run(StudySettings(quick=True))
    json.dumps([claim.to_dict() for claim in claims], allow_nan=False)
    # Hardly trained: no network has learned its task, and the verdict says so.
    assert not any(claim.holds for claim in claims)


def test_the_same_weights_with_another_memory():
    model = Ensemble.make(dnc.dnc, [100, 101])
    other = dnc.more_rows(model, 40)
    for before, after in zip(jax.tree.leaves(model), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(before, after)
    assert other.member(1)(jnp.ones((3, 5)))[1][0].M.shape == (40, dnc.WIDTH)
    assert model.member(1)(jnp.ones((3, 5)))[1][0].M.shape == (dnc.ROWS, dnc.WIDTH)


def test_the_committed_copies():
    trained, resized = committed("dnc")
    detail = trained["detail"]
    wrong = {int(rows): np.array(shares) for rows, shares in detail["wrong bits by rows"].items()}
    assert len(wrong[16]) >= 3
    for claim, rows in ((trained, 16), (resized, 32)):
        assert claim["ours"] == np.mean(wrong[rows] == 0)
        assert claim["holds"] == (not wrong[rows].any())
    assert detail["seconds of training, a network"] < 300
    assert detail["weights"]["LSTM"] > detail["weights"]["DNC"]
