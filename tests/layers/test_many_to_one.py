"""Summaries of sequences against each sequence alone, in numpy."""

import jax.random as jr
import numpy as np
import pytest

import ostinato as ost

pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize("pool", ["last", "mean", "max"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_pooling_reads_only_the_steps_that_exist(pool, bidirectional):
    rnn = ost.RNN("lstm", 2, 3, bidirectional=bidirectional, key=jr.key(0))
    model = ost.ManyToOne(rnn, 4, pool=pool, key=jr.key(1))
    rows = [np.asarray(jr.normal(jr.key(i), (n, 2))) for i, n in enumerate((5, 1, 0, 3))]
    ys, _ = model(ost.SequenceBatch.from_sequences(rows))
    V, c = np.asarray(model.readout.V), np.asarray(model.readout.c)
    for i, row in enumerate(rows):
        alone = np.asarray(rnn(row)[0])
        if len(row) == 0:
            summary = np.zeros(alone.shape[-1])
        elif pool == "last":
            summary = alone[-1].copy()
            if bidirectional:
                summary[3:] = alone[0, 3:]
        else:
            summary = alone.mean(0) if pool == "mean" else alone.max(0)
        np.testing.assert_allclose(ys[i], V @ summary + c, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("pool", ["last", "mean", "max"])
def test_sequences_that_begin_later_are_pooled_from_where_they_begin(pool):
    rnn = ost.RNN("elman", 2, 3, bidirectional=True, key=jr.key(0))
    model = ost.ManyToOne(rnn, 4, pool=pool, key=jr.key(1))
    xs = jr.normal(jr.key(2), (3, 6, 2))
    begins, ends = (2, 0, 3), (6, 4, 4)
    mask = np.array([[b <= t < e for t in range(6)] for b, e in zip(begins, ends, strict=True)])
    ys, _ = model(xs, mask=mask)
    for row, (b, e) in enumerate(zip(begins, ends, strict=True)):
        np.testing.assert_allclose(ys[row], model(xs[row, b:e])[0], rtol=1e-11, atol=1e-13)


def test_output_function_and_states_are_both_returned():
    model = ost.RNN("elman", 2, 3, output_size=2, output_activation="sigmoid", key=jr.key(0))
    xs = jr.normal(jr.key(1), (4, 5, 2))
    ys, _, tape = model(xs, record="h")
    readout = model.stack.layers[-1]
    expected = 1 / (1 + np.exp(-(np.asarray(tape["0/h"]) @ np.asarray(readout.V).T + np.asarray(readout.c))))
    np.testing.assert_allclose(ys, expected, rtol=1e-12)


def test_parameter_shapes_of_a_stack_with_sizes_per_layer():
    model = ost.RNN("lstm", 2, (3, 5), bidirectional=True, output_size=7, key=jr.key(0))
    assert model.stack.layers[1].forward.W.shape == (4, 5, 6)
    assert model.stack.layers[2].V.shape == (7, 10)
