"""The tasks for networks with a memory, read back trial by trial in plain Python."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.errors import SettingsError
from ostinato.tasks import AssociativeRecall, BitCopy, Dyck, DynamicNGram, PrioritySort, RepeatCopy, Reversal


def trials(task, count=40):
    """The examples, and of each trial its inputs and targets, cut to its length, and the steps that count."""
    examples = task.sample(jax.random.key(1), count)
    values, targets, weight = (np.asarray(a) for a in (examples.inputs.values, examples.targets, examples.weight))
    steps = np.asarray(examples.inputs.steps)
    rows = [(values[i][steps[i]], targets[i][steps[i]], np.flatnonzero(weight[i])) for i in range(count)]
    assert all(not steps[i][n:].any() for i, (x, _, _) in enumerate(rows) for n in [len(x)])
    return examples, rows


def test_bit_copy_and_its_metrics():
    task = BitCopy(lengths=(2, 5), bits=3)
    examples, rows = trials(task, 200)
    lengths = []
    for x, y, counts in rows:
        n = int(np.flatnonzero(x[:, 4])[0]) - 1
        lengths.append(n)
        assert len(x) == 2 * n + 2
        assert x[0].tolist() == [0, 0, 0, 1, 0]
        assert x[:, 3:].sum() == 2
        assert not x[n + 2 :].any()
        assert counts.tolist() == list(range(n + 2, 2 * n + 2))
        np.testing.assert_array_equal(y[counts], x[1 : n + 1, :3])
    assert set(lengths) == {2, 3, 4, 5}
    assert np.mean([x[1 : len(x) // 2, :3].mean() for x, _, _ in rows]) == pytest.approx(0.5, abs=0.05)
    logits = np.random.default_rng(0).normal(size=(*examples.weight.shape, 3)).astype("float32")
    answer = task.metrics(jnp.asarray(logits), examples)
    p, wrong = 1 / (1 + np.exp(-np.float64(logits))), []
    bits = np.zeros(200)
    for i, (_, y, counts) in enumerate(rows):
        wrong += [((p[i, t] > 0.5) != y[t]).mean() for t in counts]
        bits[i] = -sum(np.log2(np.where(y[t] == 1, p[i, t], 1 - p[i, t])).sum() for t in counts)
    assert float(answer["wrong_bits"]) == pytest.approx(np.mean(wrong), rel=1e-5)
    assert float(answer["bits_per_sequence"]) == pytest.approx(bits.mean(), rel=1e-5)


def test_repeat_copy():
    for x, y, counts in trials(RepeatCopy(lengths=(1, 3), repeats=(1, 4), bits=2, scale=8))[1]:
        n = int(np.flatnonzero(x[:, 2])[0])
        times = round(8 * float(x[n, 2]))
        assert 1 <= times <= 4
        assert len(x) == n * (1 + times) + 2
        assert not x[n + 1 :].any()
        np.testing.assert_array_equal(y[n + 1 : -1, :2], np.tile(x[:n, :2], (times, 1)))
        np.testing.assert_array_equal(y[:, 2], np.eye(len(x))[-1])
        assert counts.tolist() == list(range(n + 1, len(x)))


def test_associative_recall():
    queries = set()
    for x, y, counts in trials(AssociativeRecall(items=(2, 4), vectors=2, bits=9))[1]:
        blocks = x.reshape(-1, 3, 11)
        n = len(blocks) - 2
        assert not blocks[:, 1:, 9:].any()
        np.testing.assert_array_equal(blocks[:, 0], np.eye(11)[[9] * n + [10, 10]])
        assert not blocks[-1, 1:].any()
        (query,) = [i for i in range(n) if (blocks[i, 1:] == blocks[n, 1:]).all()]
        queries.add((n, query))
        np.testing.assert_array_equal(y[counts], blocks[query + 1, 1:, :9])
        assert counts.tolist() == [len(x) - 2, len(x) - 1]
    assert queries == {(n, q) for n in (2, 3, 4) for q in range(n - 1)}


def test_dynamic_ngram_and_the_best_that_can_be_done():
    task = DynamicNGram(order=2, length=50)
    examples, rows = trials(task, 30)
    total = 0.0
    for x, y, counts in rows:
        assert counts.tolist() == list(range(1, 50))
        seen = np.ones((2, 2, 2)) / 2
        for t in counts:
            a, b, c = (int(v) for v in (x[t - 1, 0], x[t, 0], y[t, 0]))
            total -= np.log2(seen[a, b, c] / seen[a, b].sum())
            seen[a, b, c] += 1
        np.testing.assert_array_equal(x[1:], y[:-1])
    assert float(task.optimal_bits(examples)) == pytest.approx(total / 30, rel=1e-5)
    # One context, so the shares of ones are the drawn probabilities: arcsine, with mean 1/2 and variance 1/8.
    shares = np.asarray(DynamicNGram(order=1, length=400).sample(jax.random.key(2), 400).inputs.values)
    ones = [s[1:, 0][s[:-1, 0] == 1].mean() for s in shares if s[:-1].sum() > 50]
    assert np.mean(np.array(ones) < 0.1) > 0.05
    assert np.mean(np.array(ones) > 0.9) > 0.2


def test_priority_sort():
    for x, y, counts in trials(PrioritySort(items=6, wanted=4, bits=3))[1]:
        order = sorted(range(6), key=lambda i, x=x: -x[i, 3])
        np.testing.assert_array_equal(y[counts], x[order[:4], :3])
        np.testing.assert_array_equal(x[6:], np.eye(5, 5, 4)[:1].repeat(5, 0) * (np.arange(5) == 0)[:, None])
        assert counts.tolist() == [7, 8, 9, 10]
        assert np.abs(x[:6, 3]).max() <= 1


def test_reversal():
    lengths = set()
    for x, y, counts in trials(Reversal(lengths=(1, 4), symbols=3))[1]:
        said = x.argmax(1).tolist()
        n = said.index(4)
        lengths.add(n)
        assert said[n + 1 :] == [3] * n
        assert y[counts].tolist() == said[:n][::-1]
    assert lengths == {1, 2, 3, 4}


def test_dyck_words():
    task = Dyck(length=16, depths=(2, 5), kinds=2)
    examples, rows = trials(task, 200)
    peaks, ups = [], []
    for x, y, counts in rows:
        assert len(counts) == 16
        held, depth = [], 0
        for symbol, target in zip(x.argmax(1), y, strict=True):
            if symbol < 2:
                held.append(symbol)
            else:
                assert held.pop() == symbol - 2
            depth = max(depth, len(held))
            assert target == (held[-1] if held else 2)
        assert not held
        peaks.append(depth)
        ups.append(x[:, 0].sum())
    assert {p: peaks.count(p) > 20 for p in set(peaks)} == dict.fromkeys((2, 3, 4, 5), True)
    assert np.mean(ups) == pytest.approx(4, abs=0.4)
    scores = task.metrics(jax.nn.one_hot(examples.targets.at[:50, 3].set(2), 3), examples)
    wrong = float(np.mean(np.asarray(examples.targets)[:50, 3] != 2))
    assert float(scores["whole"]) == pytest.approx(1 - wrong / 4, abs=1e-6)
    assert float(scores["accuracy"]) == pytest.approx(1 - wrong / 64, abs=1e-6)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: BitCopy(lengths=(3, 2)), "lengths"),
        (lambda: BitCopy(bits=0), "bits"),
        (lambda: RepeatCopy(repeats=(0, 2)), "repeats"),
        (lambda: RepeatCopy(scale=0), "scale"),
        (lambda: AssociativeRecall(items=(1, 2)), "items"),
        (lambda: DynamicNGram(order=4, length=4), "length"),
        (lambda: PrioritySort(items=2, wanted=3), "wanted"),
        (lambda: Reversal(symbols=1), "symbols"),
        (lambda: Dyck(length=7), "length"),
        (lambda: Dyck(length=7, depths=(1, 2)), "even"),
        (lambda: Dyck(depths=(2, 1)), "depths"),
    ],
)
def test_bad_settings_are_refused(make, name):
    with pytest.raises(SettingsError, match=name):
        make()
