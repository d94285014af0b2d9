"""Studies of time scales, evolved agents and trees: their parts against plain Python, and what the results say."""

import json
from pathlib import Path

import numpy as np
import pytest

from ostinato.data.sets.trees import expression
from ostinato.studies import StudySettings, clockwork, evolved_agents, listops, mtrnn, sentiment

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def committed(name):
    """The claims of a result file, in order."""
    return json.loads((RESULTS / f"study-{name}.json").read_text())["claims"]


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


def test_signals_and_the_weights_that_count():
    values = clockwork.signal(3, 320)
    assert (values.mean(), values.var()) == pytest.approx((0, 1), abs=1e-12)
    # Eight groups of eight units: a group hears its own and the slower ones.
    made = clockwork.network("clockwork", 64, clockwork.jax.random.key(0))
    assert clockwork.weights_that_count(made) == sum(8 * 8 * (8 - g) for g in range(8)) + 64 + 64 + 1
    n = clockwork.plain_units(64)
    assert (n - 1) ** 2 + 2 * (n - 1) + 1 < clockwork.weights_that_count(made) <= n * n + 2 * n + 1


def test_expressions_are_folded_with_the_value_of_every_part():
    made = listops.folded(*expression("[MED 4 [SM 9 8 5 ] 1 [MIN 7 3 ] ]"))
    closed = [int(v) for v, node in zip(made.values, made.tree.features[:, 0], strict=True) if node == listops.CLOSE]
    # Sum 22, smallest 3, then the median of 4, 2, 1 and 3, which is 2.5.
    assert closed == [2, 3, 2]
    assert made.tree.arity == 2


def test_drawn_expressions_are_those_of_the_paper():
    rng = np.random.default_rng(0)
    drawn = [listops.drawn(rng) for _ in range(3000)]
    operators = [np.array(symbols) >= listops.MIN for _, symbols in drawn]
    counts = np.concatenate(
        [
            np.bincount(np.array(parents[1:]), minlength=len(parents))[is_operator]
            for (parents, _), is_operator in zip(drawn, operators, strict=True)
        ]
    )
    assert set(counts.tolist()) == {2, 3, 4, 5}
    assert np.mean(counts) == pytest.approx(3.5, abs=0.03)
    nested = sum(o.sum() - 1 for o in operators) / sum(len(o) - 1 for o in operators)
    assert nested == pytest.approx(0.25, abs=0.01)


def test_accuracies_of_two_classes_go_by_the_sides_of_neutral():
    odds = [[10, 15, 36, 4, 35], [50, 10, 10, 20, 10], [30, 10, 40, 10, 10], [10, 10, 60, 10, 10]]
    found = sentiment.accuracies(np.log(odds), np.array([3, 0, 4, 2]))
    # The second and the last are right; of those that are not neutral, the first two are on the right side.
    assert found == {"five classes": 0.5, "two classes": pytest.approx(2 / 3)}


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


@pytest.mark.full
@pytest.mark.parametrize("study", [clockwork, evolved_agents, mtrnn])
def test_in_short(study):
    claims = study.run(StudySettings(quick=True))
    json.dumps([claim.to_dict() for claim in claims], allow_nan=False)


@pytest.mark.full
@pytest.mark.parametrize("study", [listops, sentiment])
def test_trees_in_short(study, data_folder, monkeypatch):
    monkeypatch.setenv("OSTINATO_DATA", str(data_folder))
    claims = study.run(StudySettings(quick=True))
    json.dumps([claim.to_dict() for claim in claims], allow_nan=False)
    assert not any(claim.holds for claim in claims)


def test_the_committed_time_scales():
    learned, times = committed("mtrnn")
    by_ratio = {name: np.array(found) for name, found in learned["detail"]["by_seed"].items()}
    assert {len(found) for found in by_ratio.values()} == {5}
    # Every network with slow units is better than every one without: the smallest p that five against five can have.
    assert by_ratio["ratio 14"].max() < by_ratio["ratio 1"].min()
    assert learned["ours"] == pytest.approx(2 / 252)
    slow, fast = np.mean(times["detail"]["by_seed, slow and fast"], axis=0)
    assert times["ours"] == pytest.approx(slow / fast)
    assert times["ours"] > 5


def test_the_committed_clockwork():
    (claim,) = committed("clockwork")
    errors = {cell: np.mean(found) for cell, found in claim["detail"]["by_seed"].items()}
    assert claim["ours"] == pytest.approx(errors["elman"] / errors["clockwork"])
    assert min(claim["detail"]["ratios"]) > 2
    assert claim["detail"]["weights that count"]["elman"] >= claim["detail"]["weights that count"]["clockwork"]


def test_the_committed_sentiment():
    five, two = committed("sentiment")
    for claim, name in ((five, "five classes"), (two, "two classes")):
        assert claim["ours"] == pytest.approx(np.mean([f["test"][name] for f in five["detail"]["by_seed"]]))
        assert len(five["detail"]["by_seed"]) == 3
        assert claim["ours"] >= sentiment.BARS[name]


def test_the_committed_list_operations():
    (claim,) = committed("listops")
    assert claim["ours"] == min(f["accuracy"] for f in claim["detail"]["by_seed"])
    assert len(claim["detail"]["by_seed"]) == 3
    assert claim["detail"]["answers of the file that are ours too"] == 1
    assert claim["ours"] >= listops.BAR


def test_the_committed_agents():
    score, minutes, velocity, leg_minutes = committed("evolved-agents")
    for claim, bar in ((score, evolved_agents.SCORE), (velocity, evolved_agents.VELOCITY)):
        assert claim["ours"] == pytest.approx(np.median(claim["detail"]["by_seed"]))
        assert claim["ours"] >= bar
        assert claim["ours"] > max(claim["detail"]["random search"])
    for claim in (minutes, leg_minutes):
        assert claim["ours"] == max(claim["detail"]["by_seed"]) <= evolved_agents.MINUTES
