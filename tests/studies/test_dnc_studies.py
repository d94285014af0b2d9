"""The studies of the differentiable neural computer: short runs, and what the committed results say."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.data import Batches
from ostinato.data.sets.stories import Line
from ostinato.studies import StudySettings, babi, dnc, graph_traversal, load_study, story_lines
from ostinato.studies.story_lines import Codes
from ostinato.training import Ensemble

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def committed(name):
    return json.loads((RESULTS / f"study-{name}.json").read_text())["claims"]


@pytest.mark.full
@pytest.mark.parametrize("name", ["dnc", "graph-traversal", "babi"])
def test_in_short(name, data_folder, monkeypatch):
    monkeypatch.setenv("OSTINATO_DATA", str(data_folder))
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


def test_graphs_grow_in_training():
    tasks = [graph_traversal.traversal((2, n), (1, 1)) for n in (2, 3, 4)]
    batches = graph_traversal.Growing(100, tasks, [2, 1, 3])
    assert len(batches) == 6
    # As many steps as the largest graph of the stage has edges, and one of the path.
    assert [batches.at(step).inputs.time_size for step in range(6)] == [5, 5, 7, 9, 9, 9]
    first, again, other = (np.asarray(batches.at(step).inputs.values) for step in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_lines_become_steps():
    told = [[Line(("a", "b")), Line(("c", "c"), "x"), Line(("a",)), Line(("b", "c"), "y")], [Line(("c",), "x")]]
    codes = Codes(told)
    assert codes.words == {"?": 0, "a": 1, "b": 2, "c": 3}
    assert codes.answers == {"x": 0, "y": 1}
    examples = codes.whole(told)
    shown = np.asarray(examples.inputs.values)
    np.testing.assert_array_equal(shown[0], [[0, 1, 1, 0], [1, 0, 0, 2], [0, 1, 0, 0], [1, 0, 1, 1]])
    np.testing.assert_array_equal(shown[1, :1], [[1, 0, 0, 1]])
    assert examples.inputs.lengths.tolist() == [4, 1]
    weight = np.asarray(examples.weight)
    assert np.argwhere(weight).tolist() == [[0, 1], [0, 3], [1, 0]]
    assert np.asarray(examples.targets)[weight > 0].tolist() == [0, 1, 0]
    unknown = codes.whole([[Line(("z",), "w")]])
    np.testing.assert_array_equal(unknown.inputs.values[0], [[1, 0, 0, 0]])
    assert int(unknown.targets[0, 0]) == -1


def test_lines_that_count_grow():
    told = [[Line(("a",), "x")] * 10, [Line(("b",), "x")] * 2]
    codes = Codes(told)
    batches = story_lines.Growing(Batches(codes.source(told), 2, buckets=1, shuffle=False), 100)
    counted = [np.flatnonzero(np.asarray(batches.at(step).weight).any(0)).size for step in (0, 12, 26, 39, 40, 99)]
    assert counted == [3, 3, 7, 10, 10, 10]
    assert float(batches.at(0).weight.sum()) == pytest.approx(1)


def test_the_share_of_right_answers():
    told = [[Line(("a",), "x"), Line(("b",), "y")], [Line(("c",), "y")]]
    codes = Codes(told)
    constant = lambda inputs: (jnp.broadcast_to(jnp.array([0.0, 1.0]), (*inputs.values.shape[:-1], 2)), None)
    assert babi.right(constant, codes.whole(told)) == pytest.approx(2 / 3)


def test_the_committed_paths():
    (claim,) = committed("graph-traversal")
    found = {
        name: [scores["as in training"]["accuracy"] for scores in seeds.values()]
        for name, seeds in claim["detail"]["by seed"].items()
    }
    assert len(found["DNC"]) == len(found["LSTM"]) >= 3
    assert claim["ours"] == pytest.approx(np.mean(found["DNC"]))
    assert claim["holds"] == (min(found["DNC"]) > 0.95)
    assert max(found["LSTM"]) < min(found["DNC"])
    assert claim["detail"]["weights"]["LSTM"] > claim["detail"]["weights"]["DNC"]


def test_the_committed_stories():
    for claim, bar in zip(committed("babi"), (0.95, 0.9), strict=True):
        shares = [one["test"] for one in claim["detail"]["by seed"]["DNC"].values()]
        assert len(shares) >= 3
        assert claim["ours"] == pytest.approx(np.mean(shares))
        assert claim["holds"] == (min(shares) >= bar)
        assert claim["detail"]["weights"]["LSTM"] > claim["detail"]["weights"]["DNC"]
