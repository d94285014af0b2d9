"""The history compressor against its equations in numpy, and what its levels are trained on."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ostinato as ost
from ostinato.compression import (
    HistoryCompressor,
    Imitation,
    LeftOver,
    Lessons,
    decode,
    description_length,
    encode,
    fit_levels,
    left_over,
)
from ostinato.compression.levels import LevelLoss, at_level
from ostinato.data import Examples, FunctionBatches, SequenceBatch
from ostinato.errors import SettingsError, ShapeError
from ostinato.layers import unroll
from ostinato.losses import cross_entropy
from ostinato.tasks import Blocks

SYMBOLS, THRESHOLD = 4, 0.6


def sharpened(factor=6.0, levels=3, answers=2, key=0, dtype="float64"):
    """A stack that is sure of something now and then, as a trained one is."""
    compressor = HistoryCompressor.make(
        "elman", SYMBOLS, (5,) * levels, answers=answers, threshold=THRESHOLD, key=jax.random.key(key), dtype=dtype
    )
    reads = lambda c: [level.layers[-1].V for level in c.levels]
    return eqx.tree_at(reads, compressor, [factor * V for V in reads(compressor)])


def softmax(logits):
    odds = np.exp(logits - logits.max())
    return odds / odds.sum()


def by_hand(compressor, symbols):
    """Level by level and symbol by symbol: log probabilities, answers, which levels moved, the top state."""
    levels = []
    for level in compressor.levels:
        cell, read = level.layers
        levels.append(
            {
                "W": np.asarray(cell.W[0]), "R": np.asarray(cell.R[0]), "b": np.asarray(cell.b[0]),
                "V": np.asarray(read.V), "c": np.asarray(read.c), "h": np.zeros(cell.hidden_size),
                "said": np.zeros(read.output_size), "gap": 0,
            }
        )  # fmt: skip
    out, answers, moves, tops = [], [], [], []
    for symbol in symbols:
        surprised, moved = True, []
        for i, level in enumerate(levels):
            moved.append(surprised)
            p = softmax(level["said"][:SYMBOLS])[symbol]
            if surprised:
                x = np.eye(SYMBOLS)[symbol]
                x = x if i == 0 else np.append(x, np.log(1 + level["gap"]))
                level["h"] = np.tanh(level["W"] @ x + level["b"] + level["R"] @ level["h"])
                level["said"], level["gap"] = level["V"] @ level["h"] + level["c"], 0
                surprised = p < THRESHOLD
            else:
                level["gap"] += 1
        # What is left of 1 is handed upwards, less the symbol that a level was sure of.
        left, possible, total = 1.0, list(range(SYMBOLS)), np.zeros(SYMBOLS)
        for i, level in enumerate(levels):
            whole, here = softmax(level["said"][:SYMBOLS]), np.zeros(SYMBOLS)
            here[possible] = softmax(level["said"][possible])
            sure = [k for k in possible if whole[k] >= THRESHOLD] if i < len(levels) - 1 else possible
            for k in sure:
                total[k] = left * here[k]
            left *= 1 - sum(here[k] for k in sure)
            possible = [k for k in possible if k not in sure]
        out.append(np.log(total))
        answers.append(levels[-1]["said"][SYMBOLS:])
        moves.append(moved)
        tops.append(levels[-1]["h"])
    return np.array(out), np.array(answers), np.array(moves), np.array(tops)


def test_the_stack_by_its_equations(x64):
    compressor, symbols = sharpened(), np.random.default_rng(0).integers(0, SYMBOLS, (2, 60))
    xs = jax.nn.one_hot(symbols, SYMBOLS)
    ys, _, tape = unroll(compressor, xs, record=("moved", "top"))
    for row in range(2):
        out, answers, moves, tops = by_hand(compressor, symbols[row])
        np.testing.assert_allclose(ys[row, :, :SYMBOLS], out, rtol=1e-11)
        np.testing.assert_allclose(ys[row, :, SYMBOLS:], answers, rtol=1e-11, atol=1e-12)
        np.testing.assert_array_equal(tape["moved"][row], moves)
        np.testing.assert_allclose(tape["top"][row], tops, rtol=1e-11, atol=1e-12)
        assert 60 == moves[:, 0].sum() > moves[:, 1].sum() > moves[:, 2].sum() > 1
    np.testing.assert_allclose(np.exp(ys[..., :SYMBOLS]).sum(-1), 1, rtol=1e-12)
    bits = description_length(compressor, SequenceBatch(xs))
    first = np.take_along_axis(np.asarray(ys[:, :-1, :SYMBOLS]), symbols[:, 1:, None], -1).sum((1, 2))
    np.testing.assert_allclose(bits, np.log2(SYMBOLS) - first / np.log(2), rtol=1e-12)


def test_a_level_alone_does_on_the_left_over_what_it_does_in_the_stack(x64):
    compressor, symbols = sharpened(), np.random.default_rng(1).integers(0, SYMBOLS, (3, 40))
    reset = np.zeros((3, 40), bool)
    reset[1, 17] = True
    mask = jnp.asarray(np.arange(40) < np.array([[40], [33], [1]]))
    batch = SequenceBatch(jax.nn.one_hot(symbols, SYMBOLS), mask, jnp.asarray(reset))
    ys, _, tape = unroll(compressor, batch, record=("moved",))
    for level in (1, 2):
        left = left_over(compressor, batch, level)
        moved = np.asarray(tape["moved"])[..., level] & np.asarray(batch.mask)
        for row in range(3):
            assert left.places[row][left.places[row] >= 0].tolist() == np.flatnonzero(moved[row]).tolist()
        assert left.batch.reset.any(axis=1).tolist() == [False, True, False]
    alone = np.asarray(unroll(compressor.levels[2], left.batch)[0])
    spread = np.where(np.asarray(batch.mask)[..., None], left.spread(alone, 40)[..., SYMBOLS:], 0)
    np.testing.assert_allclose(spread, ys[..., SYMBOLS:], atol=1e-12)


def test_what_a_level_is_told():
    places = np.array([[0, 3, 4, -1]])
    left = LeftOver(SequenceBatch(jnp.zeros((1, 4, 1))), places)
    assert left.latest(7).tolist() == [[0, 0, 0, 1, 2, 2, 2]]
    compressor = sharpened(levels=2, dtype="float32")
    symbols = np.array([[0, 1, 2, 3, 0, 1]])
    weight = jnp.array([[0, 0.25, 0, 0, 0.5, 0.25]])
    examples = Examples(SequenceBatch(jax.nn.one_hot(symbols, SYMBOLS)), jnp.arange(6)[None], weight)
    follows, told, answer, asked = at_level(compressor, examples, 0).targets
    assert follows[0, :5].tolist() == [1, 2, 3, 0, 1]
    np.testing.assert_allclose(told[0], [0.2] * 5 + [0])
    np.testing.assert_allclose(asked, weight)
    assert answer[0, jnp.array([1, 4, 5])].tolist() == [1, 4, 5]
    y = np.random.default_rng(0).normal(size=SYMBOLS + 3).astype("float32")
    loss = LevelLoss(SYMBOLS, cross_entropy)(jnp.asarray(y), (jnp.asarray(2), 0.5, jnp.asarray(1), 0.25))
    expected = -0.5 * np.log(softmax(y[:SYMBOLS])[2]) - 0.25 * np.log(softmax(y[SYMBOLS:])[1])
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_nothing_is_told_across_a_reset():
    """Neither the levels nor the network that learns from them is asked for the symbol of another sequence."""
    compressor = sharpened(levels=2, dtype="float32")
    symbols = np.array([[0, 1, 2, 3, 0, 1]])
    inputs = SequenceBatch(jax.nn.one_hot(symbols, SYMBOLS), reset=np.array([[0, 0, 0, 1, 0, 0]]))
    weight = jnp.array([[0, 0.25, 0, 0, 0.5, 0.25]])
    examples = Examples(inputs, jnp.arange(6)[None], weight)
    np.testing.assert_allclose(at_level(compressor, examples, 0).targets[1][0], [0.25, 0.25, 0, 0.25, 0.25, 0])
    lessons = Lessons(FunctionBatches(lambda key: examples, 1), compressor)
    follows, told, _, _ = lessons.at(0).targets
    assert told[0].tolist() == [1, 1, 0, 1, 1, 0]
    assert follows[0, :5].tolist() == [1, 2, 3, 0, 1]
    # Nor is a symbol coded by what came before the reset.
    parts = [SequenceBatch(inputs.values[:, part]) for part in (slice(0, 3), slice(3, 6))]
    apart = sum(description_length(compressor, part)[0] for part in parts)
    np.testing.assert_allclose(description_length(compressor, inputs)[0], apart, rtol=1e-5)


def test_no_code_is_shorter_than_a_code_can_be():
    """The probabilities of all sequences of one length add up to 1 (Kraft), which a look at the symbol would exceed."""
    compressor = HistoryCompressor.make("elman", 3, (4, 4), threshold=THRESHOLD, key=jax.random.key(3))
    reads = lambda c: [level.layers[-1].V for level in c.levels]
    compressor = eqx.tree_at(reads, compressor, [6 * V for V in reads(compressor)])
    every = np.array(list(itertools.product(range(3), repeat=4)))
    bits = description_length(compressor, SequenceBatch(jax.nn.one_hot(every, 3)))
    np.testing.assert_allclose(np.sum(2.0**-bits), 1, rtol=1e-5)
    assert np.ptp(bits) > 1
    # So are the bits themselves: no code is the beginning of another one that long, and each is read by bits alone.
    written = [encode(compressor, row) for row in every[::20]]
    for row, code, length in zip(every[::20], written, bits[::20], strict=True):
        assert len(code) > length - 1e-6
        assert decode(compressor, code.tolist(), 4).tolist() == row.tolist()


def test_the_code_is_as_long_as_it_says_and_can_be_read():
    compressor = sharpened(levels=2, dtype="float32")
    symbols = np.random.default_rng(2).integers(0, SYMBOLS, 400)
    bits = encode(compressor, symbols)
    length = description_length(compressor, SequenceBatch(jax.nn.one_hot(symbols[None], SYMBOLS)))[0]
    assert length - 1 < len(bits) < 1.01 * length
    np.testing.assert_array_equal(decode(compressor, bits, 400), symbols)
    assert decode(compressor, 1 - bits, 3).tolist() != symbols[:3].tolist()


def test_learns_blocks_teaches_one_network_and_says_what_is_wrong():
    task = Blocks(4, run=4)
    source = FunctionBatches(lambda key: task.sample(key, 16), 10)
    adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.02))
    compressor = HistoryCompressor.make(
        "elman", task.input_size, (12, 12), answers=2, threshold=0.9, key=jax.random.key(1)
    )
    untrained = description_length(compressor, source.at(500).inputs).mean()
    compressor = fit_levels(compressor, source, steps=(100, 60), optimizer=adam, answer_loss=cross_entropy)
    examples = source.at(500)
    ys, _, tape = unroll(compressor, examples.inputs, record=("moved",))
    assert float(task.metrics(ys[..., task.input_size :], examples)["accuracy"]) == 1
    np.testing.assert_array_equal(tape["moved"][0, 5:, 1], np.arange(5, 20) % 5 == 0)
    bits = description_length(compressor, examples.inputs).mean()
    least = np.log2(task.input_size) + 3
    assert least - 0.5 < bits < least + 1 < untrained
    imitation = Imitation.of(compressor)
    lessons = Lessons(source, compressor)
    _, told, state, answers = lessons.at(500).targets
    np.testing.assert_array_equal(answers, ys[..., task.input_size :])
    assert told[0].tolist() == [1] * 19 + [0]
    # The top state changes at the surprises alone.
    changes = np.abs(np.diff(state[0], axis=0)).max(axis=-1)
    np.testing.assert_array_equal(changes[5:] > 1e-5, np.arange(6, 20) % 5 == 0)
    network = ost.RNN("lstm", task.input_size, 24, output_size=imitation.output_size, key=jax.random.key(2))
    result = ost.fit(network, lessons, loss=imitation, optimizer=adam, steps=150, rule=ost.learning.TruncatedBPTT(2))
    alone = result.model(examples.inputs)[0][..., task.input_size : task.input_size + 2]
    assert float(task.metrics(alone, examples)["accuracy"]) > 0.95
    with pytest.raises(SettingsError, match="answer_loss"):
        fit_levels(compressor, source, steps=1, optimizer=adam)
    with pytest.raises(SettingsError, match="steps"):
        fit_levels(compressor, source, steps=(1,), optimizer=adam, answer_loss=cross_entropy)
    with pytest.raises(SettingsError, match="threshold"):
        HistoryCompressor(compressor.levels, threshold=0.5)
    with pytest.raises(ShapeError, match=r"levels\[0\]"):
        HistoryCompressor(compressor.levels[::-1])
