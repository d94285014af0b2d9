"""The studies of networks with a memory: their parts against plain Python, and when a claim holds."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ostinato.data import Batches
from ostinato.data.sets.stories import Line, StorySet
from ostinato.studies import StudySettings
from ostinato.studies.batches import SeedBatches
from ostinato.studies.memory import associative, babi, dnc, graph_traversal, ntm, ntm_tasks, stack, story_lines
from ostinato.studies.memory.story_lines import Codes
from ostinato.tasks import Reversal
from ostinato.training import Ensemble

ONE = StudySettings(seeds=1)


def test_the_level_is_crossed_between_two_loads():
    assert associative.crossing_of({0.1: 0.9, 0.2: 0.5, 0.3: 0.1}) == pytest.approx(0.15)


def test_kosko_and_the_circuits_keep_what_they_were_given():
    assert [claim.holds for claim in associative.kosko()] == [True, True]
    assert [claim.ours for claim in associative.kosko()] == [0, 0]


def test_the_bars_of_recall(monkeypatch):
    """Overlaps that fall from 1 to 0 between two loads, at 0.14 and at 0.16."""
    monkeypatch.setattr(associative, "largest_rise", lambda units, seed: 2e-9)
    monkeypatch.setattr(associative, "kosko", list)
    monkeypatch.setattr(associative, "circuits", list)
    for middle, holds in ((0.14, True), (0.16, False)):
        wide = lambda units, load, seed, middle=middle: float(np.clip(0.7 - 30 * (load - middle), 0, 1))
        monkeypatch.setattr(associative, "mean_overlap", wide)
        rise, low, high, crossing = associative.run(StudySettings(quick=True))
        assert [rise.holds, low.holds, high.holds] == [False, True, True]
        assert crossing.ours == pytest.approx(middle, abs=2e-3)
        assert crossing.holds is holds


def network(bits, wrong):
    return ntm.Copier({10: 0.0, 20: bits, 30: 1.0, 60: 9.0}, {20: 0.0, 60: wrong}, {})


@pytest.mark.parametrize(("good", "holds"), [(4, True), (3, False)])
def test_four_of_five_machines_have_to_copy(good, holds):
    found = [network(0.05, 0.0)] * good + [network(0.051, 1e-6)] * (5 - good)
    cost, far = ntm.judged(found, [network(3.0, 0.4), network(2.0, 0.3)], list(range(5)))
    assert (cost.ours, cost.holds) == (0.05, holds)
    assert (far.ours, far.holds) == (good / 5, holds)
    assert list(cost.baseline.values()) == [2.0]
    assert list(far.baseline.values()) == [0.3]


def test_copying_is_judged_on_sequences_that_did_not_train(monkeypatch):
    asked = {}

    def fit(model, batches, *, validate, **rest):
        asked["trained"] = {np.asarray(batches.at(step).inputs.values).tobytes() for step in range(20)}
        assert max(batches.at(step).inputs.time_size for step in range(20)) <= 8
        validate(model)
        return SimpleNamespace(last="last", model="best")

    def measure(model, task, examples):
        asked.setdefault(model if isinstance(model, str) else "watched", []).append(np.asarray(examples.inputs.values))
        return {"bits_per_sequence": float(task.lengths[0]), "wrong_bits": 0.0}

    monkeypatch.setattr(ntm, "fit", fit)
    monkeypatch.setattr(ntm, "measure", measure)
    found = ntm.train(ntm.lstm, 3, ntm.graves(0.1), "x", StudySettings(quick=True))
    assert found.bits == {3: 3.0, 6: 6.0}
    assert found.course == {10: 3.0}
    (watched,), fresh = asked["watched"], asked["last"]
    assert [len(rows) for rows in fresh] == [ntm.FRESH] * 2
    assert not np.array_equal(fresh[0], watched)


@pytest.mark.parametrize(("machines", "holds"), [([1.0, 1.9], True), ([1.0, 2.0], False)])
def test_every_machine_below_every_lstm(machines, holds):
    claim = ntm_tasks.row("x", machines, [2.0, 3.0, 4.0, 2.5], 2)
    assert (claim.ours, claim.holds) == (np.mean(machines), holds)
    assert list(claim.baseline.values()) == [2.5]


def test_the_weights_of_a_whole_sequence_sum_to_its_bits():
    task = Reversal(lengths=(2, 3))
    batches = SeedBatches(task, 4, [0, 1], 1)
    plain, whole = batches.at(0), ntm_tasks.whole(batches, 5).at(0)
    np.testing.assert_allclose(whole.weight, np.where(np.asarray(plain.weight) > 0, 5 / 4, 0))
    assert len(ntm_tasks.whole(batches, 5)) == 1


def test_a_stack_grows_and_an_lstm_stays_as_it_is():
    task, longer = Reversal(lengths=(1, 3)), Reversal(lengths=(6, 6))
    model = Ensemble.make(lambda key: stack.stack(task, key), [0])
    more = stack.grown(model, longer)
    assert more.member(0).init_state()[0].lengths.shape == (13,)
    inputs = SeedBatches(task, 5, [0], 1).at(0).inputs
    np.testing.assert_array_equal(model(inputs)[0], more(inputs)[0])
    other = Ensemble.make(lambda key: stack.lstm(task, key), [0])
    assert stack.grown(other, longer) is other


def test_a_stack_has_to_be_right_on_four_seeds(monkeypatch):
    shares = {"length 24": [1, 1, 1, 1, 0.999], "length 40": [1, 1, 1, 0.999, 0.5], "length 12": [1] * 5}

    def reached(network, problem, rate, seeds, settings):
        rows = shares if network == "stack" else {name: [0.1] * 5 for name in shares}
        return {name: {"whole": list(map(float, values)), "accuracy": values} for name, values in rows.items()}

    monkeypatch.setattr(stack, "reached", reached)
    near, far = stack.claims(stack.PROBLEMS[0], StudySettings())
    assert (near.ours, near.holds, far.ours, far.holds) == (4, True, 3, False)
    assert near.baseline["LSTM of 64 units, best of its seeds and rates"] == 0.1


def test_the_same_weights_with_another_memory():
    model = Ensemble.make(dnc.dnc, [100, 101])
    other = dnc.more_rows(model, 40)
    for before, after in zip(jax.tree.leaves(model), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(before, after)
    assert other.member(1)(jnp.ones((3, 5)))[1][0].M.shape == (40, dnc.WIDTH)
    assert model.member(1)(jnp.ones((3, 5)))[1][0].M.shape == (dnc.ROWS, dnc.WIDTH)


def test_no_bit_may_be_wrong():
    assert dnc.claim("x", [0.0, 0.0], [0.5], {}).holds is True
    claim = dnc.claim("x", [0.0, 1e-6], [0.5, 0.0], {})
    assert (claim.ours, claim.holds) == (0.5, False)
    assert list(claim.baseline.values()) == [0.5]


def test_graphs_grow_in_training():
    tasks = [graph_traversal.traversal((2, n), (1, 1)) for n in (2, 3)]
    batches = graph_traversal.Growing(100, tasks, [2, 1])
    assert len(batches) == 3
    # As many steps as the largest graph of the stage has edges, and one of the path.
    assert [batches.at(step).inputs.time_size for step in range(3)] == [5, 5, 7]
    first, again, other = (np.asarray(batches.at(step).inputs.values) for step in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize(("least", "holds"), [(0.951, True), (0.95, False)])
def test_every_network_has_to_find_the_paths(least, holds):
    scores = lambda *values: [{"as in training": {"accuracy": value}} for value in values]
    found = {"DNC": scores(1.0, least), "LSTM": scores(0.4, 0.6)}
    claim = graph_traversal.judged(found, [0, 1], [((2, 8), (1, 4), 500)])
    assert (claim.ours, claim.holds) == (pytest.approx((1 + least) / 2), holds)
    assert claim.baseline["LSTM of 64 units, mean"] == pytest.approx(0.5)


TOLD = [[Line(("a", "b")), Line(("c", "c"), "x"), Line(("a",)), Line(("b", "c"), "y")], [Line(("c",), "x")]]


def test_lines_become_steps():
    codes = Codes(TOLD)
    assert codes.words == {"?": 0, "a": 1, "b": 2, "c": 3}
    assert codes.answers == {"x": 0, "y": 1}
    examples = codes.whole(TOLD)
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
    batches = story_lines.growing(Batches(codes.source(told), 2, buckets=1, shuffle=False), 100)
    counted = [np.flatnonzero(np.asarray(batches.at(step).weight).any(0)).size for step in (0, 12, 26, 39, 40, 99)]
    assert counted == [3, 3, 7, 10, 10, 10]
    assert float(batches.at(0).weight.sum()) == pytest.approx(1)


def test_the_share_of_right_answers():
    told = [[Line(("a",), "x"), Line(("b",), "y")], [Line(("c",), "y")]]
    codes = Codes(told)
    constant = lambda inputs: (jnp.broadcast_to(jnp.array([0.0, 1.0]), (*inputs.values.shape[:-1], 2)), None)
    assert babi.right(constant, codes.whole(told)) == pytest.approx(2 / 3)


def test_stories_to_learn_from_to_choose_by_and_to_judge_by(monkeypatch):
    """A network that always says "x": a third of the questions of the one part, two of the other, half of the first."""
    part = lambda *answers: [[Line(("w",), answer)] for answer in answers]
    stories = StorySet(part("x", "y"), part("x", "y", "y"), part("x", "x", "y"))
    asked = {}

    def fit(model, batches, *, validate, steps, **rest):
        asked["trained"] = np.asarray(batches.at(0).targets).tolist()
        asked["wrong"] = validate(says_x)["wrong"]
        return SimpleNamespace(model=says_x, best={"wrong": asked["wrong"], "step": steps})

    says_x = lambda inputs: (jnp.broadcast_to(jnp.array([1.0, 0.0]), (*inputs.values.shape[:-1], 2)), None)
    monkeypatch.setattr(babi, "fit", fit)
    monkeypatch.setattr(babi, "BATCH", 2)
    found = babi.trained(lambda key: None, stories, Codes(stories.train), 0, 4, optax.identity())
    assert sorted(asked["trained"]) == [[0], [1]]
    assert asked["wrong"] == pytest.approx(2 / 3, abs=1e-5)
    assert found.valid == pytest.approx(1 / 3, abs=1e-5)
    assert found.test == pytest.approx(2 / 3, abs=1e-5)


@pytest.mark.parametrize(("least", "holds"), [(0.95, True), (0.949, False)])
def test_every_reader_has_to_answer(least, holds):
    stories = StorySet(*([[Line(("w",), "x")]] for _ in range(3)))
    found = {
        "DNC": [babi.Answers(1.0, 1.0, 1.0), babi.Answers(1.0, least, 1.0)],
        "LSTM": [babi.Answers(0.2, 0.5, 1.0)] * 2,
    }
    claim = babi.judged(babi.SETTINGS[0], stories, Codes(stories.train), found, [0, 1])
    assert (claim.ours, claim.holds) == (pytest.approx((1 + least) / 2), holds)
    assert claim.baseline["LSTM of 64 units, mean"] == 0.5
