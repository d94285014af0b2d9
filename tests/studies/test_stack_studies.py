"""The studies of the stack and of the Turing machine's other tasks: short runs, and what the committed results say."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.studies import StudySettings, load_study, ntm_tasks, stack
from ostinato.studies.seeds import SeedBatches
from ostinato.tasks import Reversal
from ostinato.training import Ensemble

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def committed(name):
    return json.loads((RESULTS / f"study-{name}.json").read_text())["claims"]


@pytest.mark.full
def test_the_stack_in_short():
    claims = load_study("stack").run(StudySettings(quick=True))
    json.dumps([claim.to_dict() for claim in claims], allow_nan=False)
    assert [claim.ours for claim in claims] == [0, 0]
    # Hardly trained: neither network has learned the task, and the verdict says so.
    assert not any(claim.holds for claim in claims)


def test_a_stack_grows_and_an_lstm_stays_as_it_is():
    task, longer = Reversal(lengths=(1, 3)), Reversal(lengths=(6, 6))
    model = Ensemble.make(lambda key: stack.stack(task, key), [0])
    more = stack.grown(model, longer)
    assert more.member(0).init_state()[0].lengths.shape == (13,)
    inputs = SeedBatches(task, 5, [0], 1).at(0).inputs
    np.testing.assert_array_equal(model(inputs)[0], more(inputs)[0])
    other = Ensemble.make(lambda key: stack.lstm(task, key), [0])
    assert stack.grown(other, longer) is other


def test_the_committed_stacks():
    claims = committed("stack")
    assert len(claims) == 3
    for claim, far in zip(claims, ("length 24", "length 40", "length 110, depth 12"), strict=True):
        assert far in claim["name"]
        detail = claim["detail"] or claims[0]["detail"]
        whole = np.array(detail["stack"][far]["whole"])
        assert whole.shape == (5,)
        assert claim["ours"] == np.sum(whole == 1)
        assert claim["holds"] == (claim["ours"] >= 4)
        lstm = max(max(scores[far]["whole"]) for scores in detail["LSTM by rate"].values())
        assert claim["baseline"]["LSTM of 64 units, best of its seeds and rates"] == pytest.approx(lstm)


@pytest.mark.full
def test_the_other_tasks_of_the_turing_machine_in_short():
    claims = load_study("ntm-tasks").run(StudySettings(quick=True, seeds=2))
    json.dumps([claim.to_dict() for claim in claims], allow_nan=False)
    detail = claims[0].detail
    # Hardly trained: both guess the 18 bits of an item; seeds and rates are told apart.
    for network in ("NTM", "LSTM"):
        assert detail[network]["bits"] == pytest.approx(18, abs=5)
        assert len(set(detail[network]["bits"])) == len(detail[network]["bits"])
    assert [len(detail[network]["bits"]) for network in ("NTM", "LSTM")] == [2, 4]
    assert list(detail["NTM"]["course"]) == [16, 32]


def test_the_committed_turing_machines():
    claims = committed("ntm-tasks")
    assert [claim["name"].split(":")[0] for claim in claims] == [
        "repeat copy",
        "associative recall",
        "associative recall, beyond",
        "dynamic N-gram",
        "priority sort",
    ]
    for claim in claims:
        if not claim["detail"]:
            continue
        machines, others = (claim["detail"][network]["bits"] for network in ("NTM", "LSTM"))
        assert (len(machines), len(others)) == (2, 4)
        assert claim["ours"] == pytest.approx(np.mean(machines))
        assert claim["holds"] == (max(machines) < min(others))
    # No predictor is better than the best there can be, on average.
    ngram = claims[3]
    best = ngram["baseline"]["the best predictor there can be"]
    assert best < min(ngram["detail"]["NTM"]["bits"] + ngram["detail"]["LSTM"]["bits"])


def test_each_member_moves_at_a_rate_of_its_own():
    optimizer = ntm_tasks.scaled(np.array([1.0, 0.5]))
    updates = {"W": jnp.ones((2, 3, 4)), "b": jnp.ones((2, 3)), "none": None}
    moved, _ = optimizer.update(updates, optimizer.init(updates), updates)
    np.testing.assert_array_equal(moved["W"][1], 0.5 * moved["W"][0])
    np.testing.assert_array_equal(moved["b"], [[1] * 3, [0.5] * 3])
