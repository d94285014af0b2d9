"""The studies of trees: their parts against plain Python, which trees are learned from, and when a claim holds."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.data import Examples, SequenceBatch
from ostinato.data.sets.trees import LabelledTrees, SentenceTrees, expression
from ostinato.studies import StudySettings
from ostinato.studies.trees import alkanes, listops, sentiment
from ostinato.trees import Tree

TWO = StudySettings(seeds=2)


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


@pytest.mark.parametrize(("right", "holds"), [(9, True), (8, False)])
def test_list_operations_are_judged_by_the_worst_seed_on_the_public_ones(monkeypatch, right, holds):
    wanted = [max(i, 3) for i in range(10)]
    parents, symbols = zip(*(expression(f"[MAX {i} 3 ]") for i in range(10)), strict=True)
    public = LabelledTrees(list(parents), list(symbols), wanted, [""] * 10)
    asked = []

    def roots(model, expressions):
        asked.append([int(e.values[-1]) for e in expressions])
        return np.arange(10) < (right if model == 1 else 10)

    monkeypatch.setattr(listops, "trained", lambda seed, count, epochs: seed)
    monkeypatch.setattr(listops, "roots", roots)
    (claim,) = listops.judged(public, 200, 1, TWO)
    assert asked == [wanted] * 2
    assert (claim.ours, claim.holds) == (right / 10, holds)
    assert claim.baseline["the commonest answer"] == pytest.approx(0.4)
    assert claim.detail["answers of the file that are ours too"] == 1


def test_accuracies_of_two_classes_go_by_the_sides_of_neutral():
    odds = [[10, 15, 36, 4, 35], [50, 10, 10, 20, 10], [30, 10, 40, 10, 10], [10, 10, 60, 10, 10]]
    found = sentiment.accuracies(np.log(odds), np.array([3, 0, 4, 2]))
    # The second and the last are right; of those that are not neutral, the first two are on the right side.
    assert found == {"five classes": 0.5, "two classes": pytest.approx(2 / 3)}


def sentences(word, *labels):
    """Sentences of twice the same word."""
    count = len(labels)
    return SentenceTrees([[(), (), (0, 1)]] * count, [[word, word, None]] * count, [[2, 2, label] for label in labels])


def test_sentences_to_learn_from_and_to_judge_by(monkeypatch):
    parts = {"train": sentences("good", 4, 4, 0), "dev": sentences("dev", 4), "test": sentences("test", 4, 0, 0, 2)}
    fitted, judged = [], []

    def trained(part, numbers, seed, epochs):
        fitted.append((part, numbers))
        return seed

    def roots(model, part, numbers):
        judged.append(part)
        share = 0.44 - 0.018 * model if part is parts["test"] else 1.0
        return {"five classes": share, "two classes": 0.8 + model / 20}

    monkeypatch.setattr(sentiment, "trained", trained)
    monkeypatch.setattr(sentiment, "roots", roots)
    five, two = sentiment.judged(parts, 1, TWO)
    assert [part for part, _ in fitted] == [parts["train"]] * 2
    # No word of another part has a number.
    assert [list(numbers) for _, numbers in fitted] == [["good"]] * 2
    assert judged == [parts["dev"], parts["test"]] * 2
    assert (five.ours, five.holds) == (pytest.approx(0.431), True)
    assert (two.ours, two.holds) == (pytest.approx(0.825), True)
    # In training most are positive: of the test part that is right once among four, and once among three.
    assert five.baseline == {"majority": 0.25}
    assert two.baseline == {"majority": pytest.approx(1 / 3)}
    monkeypatch.setattr(sentiment, "roots", lambda *given: {"five classes": 0.4299, "two classes": 0.8199})
    assert [claim.holds for claim in sentiment.judged(parts, 1, TWO)] == [False, False]


def test_words_that_are_dropped_depend_on_seed_and_step():
    words = np.full((40, 50, 3), 7.0, np.float32)
    words[0, 0, 0] = sentiment.INNER
    examples = SimpleNamespace(inputs=SimpleNamespace(values=words))

    class Once:
        def __len__(self):
            return 1

        def at(self, step):
            return Examples(SequenceBatch(jnp.asarray(examples.inputs.values)), jnp.zeros((40, 50)), jnp.ones((40, 50)))

    batches = sentiment.forgetful(Once(), 3)
    first, again, other = (np.asarray(batches.at(step).inputs.values) for step in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert np.mean(first[..., 0] == sentiment.UNKNOWN) == pytest.approx(0.2, abs=0.03)
    assert first[0, 0, 0] == sentiment.INNER
    np.testing.assert_array_equal(first[..., 1:], words[..., 1:])


@pytest.mark.parametrize(("error", "verdicts"), [(2.0, [True, True, None]), (3.0, [False, True, None])])
def test_each_alkane_is_judged_by_a_model_that_never_saw_it(monkeypatch, error, verdicts):
    made = []

    class Recorder:
        def __init__(self, *, pool, seed, **options):
            self.pool, self.chosen_ = pool, {}
            made.append(self)

        def fit(self, trees, points):
            self.seen = {len(tree) for tree in trees}
            assert points.tolist() == [float(len(tree)) for tree in trees]
            return self

        def predict(self, trees):
            self.judged = [len(tree) for tree in trees]
            return np.array(self.judged) + error

        def evaluate(self, trees, points):
            assert points.tolist() == self.judged
            return {"baselines": {"mean": {"mae": 30.0}, "size": {"mae": 5.0}}}

    monkeypatch.setattr(alkanes, "TreeESN", Recorder)
    trees = [Tree.from_parents(np.ones((n, 1)), [-1, *range(n - 1)]) for n in range(1, 21)]
    points = np.arange(1.0, 21)
    claims = [alkanes.judged(trees, points, pool, StudySettings(seeds=2)) for pool in alkanes.BARS]
    assert len(made) == 3 * 2 * alkanes.FOLDS
    for one in made:
        assert not one.seen & set(one.judged)
        assert one.seen | set(one.judged) == set(range(1, 21))
    assert sorted(size for one in made[: alkanes.FOLDS] for size in one.judged) == list(range(1, 21))
    assert [claim.ours for claim in claims] == pytest.approx([error] * 3)
    assert [claim.holds for claim in claims] == verdicts
    assert claims[0].baseline == {"mean": pytest.approx(30), "size": pytest.approx(5)}
