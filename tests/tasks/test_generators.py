"""The generators against closed forms and plain numpy; one contract for all rows of the table."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.errors import SettingsError
from ostinato.learning.base import weighted_loss
from ostinato.tasks import TASKS, Adding, Blocks, Copy, DelayedParity, Parity, TemporalOrder
from ostinato.tasks.temporal_order import SYMBOLS


@pytest.mark.parametrize("name", TASKS)
def test_contract(name):
    """Sizes as said, equal keys equal trials, other keys others, rows independent, weights of sum 1, a finite loss."""
    task = TASKS[name].make()
    examples, same, other = (jax.tree.map(np.asarray, task.sample(jax.random.key(k), 6)) for k in (0, 0, 1))
    values = examples.inputs.values
    assert values.shape == (6, task.time_size, task.input_size)
    assert examples.per_sequence == task.per_sequence
    assert float(examples.weight.sum()) == pytest.approx(1, abs=1e-6)
    assert all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((a == b).all()), examples, same)))
    assert not (other.inputs.values == values).all()
    assert not (values[0] == values[1]).all()
    ys = np.zeros((*examples.weight.shape, task.output_size), np.float32)
    judged = jax.jit(lambda ys, given: (weighted_loss(task.loss, ys, given), task.metrics(ys, given)))
    value, told = judged(ys, examples)
    assert np.isfinite(value)
    assert set(task.chance) <= set(told)


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_adding(low):
    """Mean 1 + low and variance (1 - low)^2 / 6 of the sum, the error of the best constant; a mark in each half."""
    task, n = Adding(length=12, low=low), 20_000
    examples = task.sample(jax.random.key(1), n)
    values, marks = np.asarray(examples.inputs.values, np.float64).transpose(2, 0, 1)
    sums = (values * marks).sum(1)
    np.testing.assert_allclose(examples.targets[:, 0], sums, rtol=1e-6)
    assert set(np.unique(marks)) == {0, 1}
    assert (marks[:, :6].sum(1) == 1).all()
    assert (marks[:, 6:].sum(1) == 1).all()
    # Each place is marked n / 6 times, with the deviation of a binomial; 5 of them.
    assert np.abs(marks.sum(0) - n / 6).max() < 5 * np.sqrt(n * 5 / 36)
    variance = (1 - low) ** 2 / 6
    assert low <= values.min()
    assert values.max() < 1
    assert sums.mean() == pytest.approx(1 + low, abs=5 * np.sqrt(variance / n))
    # The sum has the kurtosis 2.4 of a triangular distribution.
    assert sums.var() == pytest.approx(variance, abs=5 * variance * np.sqrt(1.4 / n))
    constant = jnp.full((n, 1), 1 + low)
    assert float(task.metrics(constant, examples)["mse"]) == pytest.approx(np.mean((sums - 1 - low) ** 2), rel=1e-4)
    assert task.chance["mse"] == pytest.approx(variance)


@pytest.mark.parametrize(("markers", "windows"), [(2, [(10, 20), (50, 60)]), (3, [(10, 20), (33, 43), (66, 76)])])
def test_temporal_order(markers, windows):
    task = TemporalOrder(markers)
    n = 2000
    examples = task.sample(jax.random.key(2), n)
    strings, labels = task.strings(examples), np.asarray(examples.targets)
    places = np.array([[i for i, s in enumerate(string) if s in "XY"] for string in strings])
    assert places.shape == (n, markers)
    for column, (low, high) in zip(places.T, windows, strict=True):
        assert set(column) == set(range(low, high + 1))
    for string, spots, label in zip(strings, places, labels, strict=True):
        assert string[0] == "E"
        assert string[-1] == "B"
        assert "E" not in string[1:]
        assert "B" not in string[:-1]
        assert label == int("".join("01"["XY".index(string[i])] for i in spots), 2)
    lengths = np.array([len(s) for s in strings])
    assert set(lengths) == set(range(100, 111))
    counts = np.bincount(labels, minlength=2**markers)
    assert np.abs(counts - n / 2**markers).max() < 5 * np.sqrt(n / 2**markers)
    letters = np.array([[s.count(c) for c in "abcd"] for s in strings]).sum(0)
    assert np.abs(letters / letters.sum() - 0.25).max() < 5 * np.sqrt(0.1875 / letters.sum())
    assert (np.asarray(examples.inputs.mask).sum(1) == lengths).all()
    assert task.input_size == len(SYMBOLS)


def test_temporal_order_criteria():
    task = TemporalOrder(windows=((1, 2), (3, 4)), lengths=(6, 7))
    examples = task.sample(jax.random.key(3), 8)
    # Probability p of the right class, (1 - p) / 3 of each other: within 0.3 needs p > 0.7.
    p = np.array([0.69, 0.71, 0.9, 0.5, 0.2, 0.71, 0.69, 0.99])
    wanted = np.eye(4)[np.asarray(examples.targets)]
    probabilities = wanted * p[:, None] + (1 - wanted) * (1 - p[:, None]) / 3
    answer = task.metrics(jnp.asarray(np.log(probabilities), jnp.float32), examples)
    assert float(answer["accuracy"]) == 7 / 8
    assert float(answer["within"]) == 4 / 8


def test_copy():
    task = Copy(items=3, delay=4, symbols=5)
    examples = task.sample(jax.random.key(4), 400)
    symbols, targets = np.asarray(examples.inputs.values.argmax(-1)), np.asarray(examples.targets)
    assert (symbols[:, 3:7] == 5).all()
    assert (symbols[:, 7] == 6).all()
    assert (symbols[:, 8:] == 5).all()
    assert (targets[:, -3:] == symbols[:, :3]).all()
    assert set(symbols[:, :3].ravel()) == set(range(5))
    assert np.asarray(examples.weight > 0).tolist() == [[t >= 8 for t in range(11)]] * 400
    answer = task.metrics(jax.nn.one_hot(examples.targets, 5), examples)
    assert float(answer["accuracy"]) == pytest.approx(1)
    silent = task.metrics(jnp.zeros((400, 11, 5)), examples)
    assert float(silent["accuracy"]) == pytest.approx(np.mean(targets[:, -3:] == 0), abs=1e-5)


@pytest.mark.parametrize(("order", "delay"), [(2, 0), (3, 4)])
def test_delayed_parity(order, delay):
    task = DelayedParity(order=order, delay=delay, length=25)
    examples = task.sample(jax.random.key(5), 30)
    bits, targets = np.asarray(examples.inputs.values[..., 0], int), np.asarray(examples.targets)
    first = order + delay - 1
    assert (np.asarray(examples.weight) > 0).tolist() == [[t >= first for t in range(25)]] * 30
    for t in range(first, 25):
        assert (targets[:, t] == np.bitwise_xor.reduce(bits[:, t - first : t - delay + 1], axis=1)).all()


@pytest.mark.parametrize(("parts", "marked"), [(1, True), (3, True), (3, False)])
def test_blocks(parts, marked):
    task = Blocks(blocks=4, run=5, parts=parts, marked=marked)
    examples = task.sample(jax.random.key(6), 50)
    symbols, kinds = np.asarray(examples.inputs.values.argmax(-1)), np.asarray(examples.targets)
    run = [2, 3, 4, 5, 6]
    rest = [k for part in range(parts) for k in ([6 + part] if marked and part else []) + run]
    size = 1 + len(rest)
    assert (task.block_size, task.input_size) == (size, 7 + (parts - 1) * marked)
    blocks = symbols.reshape(50, 4, size)
    assert (blocks[..., 1:] == rest).all()
    assert set(blocks[..., 0].ravel()) == {0, 1}
    assert (kinds.reshape(50, 4, size) == blocks[..., :1]).all()
    assert (np.asarray(examples.weight[0]) > 0).nonzero()[0].tolist() == [size * b + size - 1 for b in range(4)]
    answer = jax.nn.one_hot(examples.targets, 2).at[:10].set(0.5)
    right = (40 + 10 * np.mean(kinds[:10, size - 1 :: size] == 0)) / 50
    assert float(task.metrics(answer, examples)["accuracy"]) == pytest.approx(right)


def test_parity():
    task = Parity(9)
    examples = task.sample(jax.random.key(7), 40)
    bits, targets = np.asarray(examples.inputs.values[..., 0], int), np.asarray(examples.targets)
    assert (targets == np.bitwise_xor.accumulate(bits, axis=1)).all()
    ys = jax.nn.one_hot(targets, 2).at[:10, 3].multiply(-1.0).at[:5, 8].multiply(-1.0)
    found = {name: round(float(value), 6) for name, value in task.metrics(ys, examples).items()}
    assert found == {"accuracy": round(1 - 15 / 360, 6), "last": 35 / 40, "all_right": 30 / 40}


def test_bad_settings_are_refused():
    for make, name in (
        (lambda: Blocks(run=0), "run"),
        (lambda: Parity(0), "length"),
        (lambda: Adding(length=1), "length"),
        (lambda: Adding(low=1.0), "low"),
        (lambda: Copy(items=0), "items"),
        (lambda: DelayedParity(order=3, delay=3, length=5), "length"),
        (lambda: TemporalOrder(4), "markers"),
        (lambda: TemporalOrder(2, windows=((1, 2),)), "windows"),
        (lambda: TemporalOrder(2, windows=((1, 5), (5, 8))), "windows"),
        (lambda: TemporalOrder(2, windows=((1, 5), (6, 99))), "windows"),
        (lambda: TemporalOrder(2, windows=((0, 5), (6, 9))), "windows"),
        (lambda: TemporalOrder(2, lengths=(110, 100)), "windows"),
    ):
        with pytest.raises(SettingsError, match=name):
            make()
