"""The sequence type: padding, lengths, windows, and what is refused in words."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.data import Examples, SequenceBatch
from ostinato.errors import LengthError, NonFiniteError, ShapeError

SEQUENCES = [np.arange(6.0).reshape(3, 2), np.zeros((0, 2)), np.full((5, 2), 7.0)]


def test_padding_to_the_longest_and_further():
    batch = SequenceBatch.from_sequences(SEQUENCES)
    assert (batch.values.shape, batch.lengths.tolist()) == ((3, 5, 2), [3, 0, 5])
    np.testing.assert_array_equal(batch.values[0], [[0, 1], [2, 3], [4, 5], [0, 0], [0, 0]])
    np.testing.assert_array_equal(batch.mask[0], [True, True, True, False, False])
    further = SequenceBatch.from_sequences(SEQUENCES, pad_to=8)
    assert (further.time_size, further.feature_size, further.batch_shape) == (8, 2, (3,))
    assert further.lengths.tolist() == [3, 0, 5]


def test_missing_entries_and_steps():
    values = [np.array([[1.0], [np.nan]]), np.array([[2.0]])]
    batch = SequenceBatch.from_sequences(values, missing=True, dt=[[1.0, 0.5], [2.0]])
    np.testing.assert_array_equal(batch.observed[..., 0], [[True, False], [True, True]])
    np.testing.assert_array_equal(batch.values[..., 0], [[1, 0], [2, 0]])
    np.testing.assert_array_equal(batch.dt, [[1, 0.5], [2, 1]])
    np.testing.assert_array_equal(batch.to_sequences()[0][:, 0], [1, np.nan])


def test_a_padded_array():
    batch = SequenceBatch.from_padded(np.ones((2, 3, 4, 1), np.float32), np.array([[4, 0, 2], [1, 3, 4]]))
    assert batch.batch_shape == (2, 3)
    assert batch.lengths.tolist() == [[4, 0, 2], [1, 3, 4]]
    assert [len(s) for s in batch.to_sequences()] == [4, 0, 2, 1, 3, 4]
    assert SequenceBatch.from_padded(np.ones((4, 1), np.float32)).lengths.tolist() == 4


def test_a_mask_with_holes():
    batch = SequenceBatch(jnp.arange(4.0)[:, None], jnp.array([True, False, True, False]))
    np.testing.assert_array_equal(batch.to_sequences()[0][:, 0], [0, 2])


def test_windows_cut_every_field():
    steps = np.arange(6)[None]
    values = np.arange(12, dtype=np.float32).reshape(1, 6, 2)
    fields = [values, steps % 2 == 0, steps % 3 == 0, steps.astype(np.float32)]
    fields, observed = [jnp.asarray(f) for f in fields], jnp.asarray(values % 5 > 0)
    batch = SequenceBatch(*fields, observed)
    window = batch.window(2, 5)
    for name in ("values", "mask", "reset", "dt", "observed"):
        np.testing.assert_array_equal(getattr(window, name), getattr(batch, name)[:, 2:5])
    examples = Examples(batch, {"a": jnp.asarray(steps), "b": fields[0]}, fields[3])
    part = examples.window(2, 5)
    np.testing.assert_array_equal(part.targets["a"], [[2, 3, 4]])
    np.testing.assert_array_equal(part.targets["b"][0, :, 0], [4, 6, 8])
    assert part.weight.shape == (1, 3)
    with pytest.raises(ShapeError, match=r"one target per step, \(\*batch, time\), got \(\*batch,\)"):
        Examples(batch, jnp.zeros(1), jnp.ones(1)).window(0, 2)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: SequenceBatch.from_sequences([]), ShapeError, "at least one"),
        (lambda: SequenceBatch.from_sequences([np.ones((2, 3)), np.ones((2, 4))]), ShapeError, r"\[1\].*\(time, 3\)"),
        (
            lambda: SequenceBatch.from_sequences([np.ones((1, 2, 3))]),
            ShapeError,
            r"sequences\[0\]: expected \(time, fe",
        ),
        (lambda: SequenceBatch.from_sequences([np.full((2, 1), np.nan)]), NonFiniteError, r"\[0\].*missing=True"),
        (lambda: SequenceBatch.from_sequences([np.full((2, 1), np.inf)], missing=True), NonFiniteError, "inf at index"),
        (
            lambda: SequenceBatch.from_sequences([np.ones((4, 1))], pad_to=3),
            LengthError,
            "0 to time = 3, got 4 in row 0",
        ),
        (lambda: SequenceBatch.from_sequences([np.ones((4, 1))], dt=[[1.0]]), ShapeError, r"dt\[0\]: expected \(4,\)"),
        (lambda: SequenceBatch.from_padded(np.ones(3)), ShapeError, r"expected \(\*batch, time, features\)"),
        (lambda: SequenceBatch.from_padded(np.ones((2, 3, 1)), [4, 1]), LengthError, "0 to time = 3, got 4 in row 0"),
        (lambda: SequenceBatch.from_padded(np.ones((2, 3, 1)), [-1, 1]), LengthError, "got -1 in row 0"),
        (
            lambda: SequenceBatch.from_padded(np.ones((2, 3, 1)), [1]),
            ShapeError,
            r"lengths: expected \(\*batch,\) = \(2,\)",
        ),
    ],
)
def test_bad_input(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_the_check_reads_only_what_exists():
    values = np.ones((2, 3, 1), np.float32)
    values[0, 2] = np.nan
    padded = SequenceBatch.from_padded(values, [2, 3])
    assert padded.check() is padded
    with pytest.raises(NonFiniteError, match=r"nan at index \(0, 2, 0\), 1 entries not finite; mark missing values"):
        SequenceBatch(jnp.asarray(values)).check()
    SequenceBatch(jnp.asarray(values), observed=jnp.asarray(~np.isnan(values))).check()
    # Inside compiled code there are no values to look at.
    jax.jit(lambda b: b.check().values)(SequenceBatch(jnp.asarray(values)))


@pytest.mark.parametrize("fields", [{}, {"mask": np.array([[True, False]])}])
def test_a_batch_is_checked_inside_a_traced_function(fields):
    """What is known there is checked, also where nothing but the function's argument is traced."""
    fields = {name: jnp.asarray(field) for name, field in fields.items()}
    good, bad = jnp.ones((1, 2, 3)), jnp.full((1, 2, 3), jnp.nan)
    assert jax.jit(lambda x: x + SequenceBatch(good, **fields).check().values.sum())(1.0) == 7
    with pytest.raises(NonFiniteError, match="values"):
        jax.jit(lambda x: x + SequenceBatch(bad, **fields).check().values.sum())(1.0)
