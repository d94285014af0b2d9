"""Bucket edges against all choices of edges; batches against what they were made from."""

from itertools import combinations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.data import Batches, Examples, FunctionBatches, SequenceBatch, SequenceSource, WindowSource, bucket_edges
from ostinato.errors import LengthError, NonFiniteError, ShapeError


def padded_steps(lengths: list[int], edges: tuple[int, ...], batch_size: int) -> int:
    members = dict.fromkeys(edges, 0)
    for length in lengths:
        members[min(edge for edge in edges if edge >= length)] += 1
    return sum(edge * batch_size * -(-n // batch_size) for edge, n in members.items())


@given(st.lists(st.integers(0, 12), min_size=1, max_size=9), st.integers(1, 4), st.integers(1, 4))
def test_edges_are_the_best_of_all_choices(lengths: list[int], count: int, batch_size: int):
    distinct = sorted(set(lengths))
    best = min(
        padded_steps(lengths, (*choice, distinct[-1]), batch_size)
        for k in range(count)
        for choice in combinations(distinct[:-1], k)
    )
    edges = bucket_edges(lengths, count, batch_size)
    assert len(edges) <= count
    assert edges[-1] == distinct[-1]
    assert padded_steps(lengths, edges, batch_size) == best


def ragged(lengths: list[int]) -> list[np.ndarray]:
    return [np.full((n, 2), i + 1.0) + np.arange(n)[:, None] / 100 for i, n in enumerate(lengths)]


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=20),
    st.integers(1, 5),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 2**40),
)
def test_an_epoch_holds_every_example_once(lengths, batch_size, buckets, shuffle, seed):
    values = ragged(lengths)
    source = SequenceSource(values, np.arange(len(lengths)))
    batches = Batches(source, batch_size, buckets=buckets, shuffle=shuffle, seed=seed)
    seen, shapes = [], set()
    for step in range(len(batches), 2 * len(batches)):
        rows, batch = batches.rows(step), batches.at(step)
        shapes.add(batch.inputs.values.shape)
        assert batch.inputs.values.shape[0] == batch_size
        assert np.asarray(batch.weight).sum() == pytest.approx(1, rel=1e-6)
        for row, sequence in zip(rows, batch.inputs.to_sequences(), strict=True):
            np.testing.assert_array_equal(sequence, values[row].astype(np.float32) if row >= 0 else np.zeros((0, 2)))
        np.testing.assert_array_equal(np.asarray(batch.weight) > 0, rows >= 0)
        np.testing.assert_array_equal(np.asarray(batch.targets)[rows >= 0], rows[rows >= 0])
        seen += rows[rows >= 0].tolist()
    assert sorted(seen) == list(range(len(lengths)))
    assert len(shapes) <= buckets


def test_one_compilation_per_bucket():
    lengths = [1, 2, 2, 3, 3, 3, 7, 8, 8, 8, 20, 20, 21, 21]
    batches = Batches(SequenceSource(ragged(lengths), np.zeros(14)), 3, buckets=3, seed=5)
    traces = []

    @eqx.filter_jit
    def work(examples: Examples):
        traces.append(examples.inputs.values.shape)
        return jnp.sum(examples.inputs.values) + jnp.sum(examples.weight)

    for step in range(3 * len(batches)):
        work(batches.at(step))
    assert sorted(traces) == [(3, edge, 2) for edge in batches.edges]
    assert len(batches.edges) == 3


def test_one_structure_although_only_one_bucket_needs_a_mask():
    batches = Batches(SequenceSource(ragged([2, 2, 5])), 2, buckets=2, shuffle=False)
    assert len({jax.tree.structure(batches.at(step)) for step in range(len(batches))}) == 1
    full = Batches(SequenceSource(ragged([4, 4])), 2)
    assert full.at(0).inputs.mask is None


def test_any_step_at_any_time_from_a_fresh_object():
    def make(seed: int) -> Batches:
        return Batches(SequenceSource(ragged(list(range(1, 18))), np.arange(17)), 4, buckets=2, seed=seed)

    one, other = make(3), make(3)
    steps = list(range(2 * len(one)))
    forward = [one.at(s) for s in steps]
    for step in reversed(steps):
        for a, b in zip(jax.tree.leaves(forward[step]), jax.tree.leaves(other.at(step)), strict=True):
            np.testing.assert_array_equal(a, b)
    order = [[make(seed).rows(s).tolist() for s in steps] for seed in (3, 4)]
    assert order[0] != order[1]
    assert order[0][: len(one)] != order[0][len(one) :]


def test_targets_and_weights_of_each_step():
    values = ragged([2, 3])
    targets = [np.array([[1.0], [2.0]]), np.array([[3.0], [4.0], [5.0]])]
    weight = [np.array([1.0, 0.0]), np.array([2.0, 1.0, 4.0])]
    source = SequenceSource(values, targets, per_step=True, weight=weight)
    batch = Batches(source, 3, buckets=1, shuffle=False, weight="given").at(0)
    assert not batch.per_sequence
    np.testing.assert_array_equal(batch.targets[..., 0], [[1, 2, 0], [3, 4, 5], [0, 0, 0]])
    np.testing.assert_array_equal(batch.weight, [[1, 0, 0], [2, 1, 4], [0, 0, 0]])
    mean = Batches(source, 3, buckets=1, shuffle=False).at(0)
    np.testing.assert_allclose(mean.weight, np.array([[1, 0, 0], [2, 1, 4], [0, 0, 0]]) / 8)


def test_missing_entries_and_uneven_steps_reach_the_batch():
    values = [np.array([[1.0], [np.nan]]), np.array([[2.0]])]
    batch = Batches(SequenceSource(values, dt=[[1.0, 3.0], [2.0]], missing=True), 2, buckets=1, shuffle=False).at(0)
    np.testing.assert_array_equal(batch.inputs.observed[0, :, 0], [True, False])
    np.testing.assert_array_equal(batch.inputs.values[0, :, 0], [1, 0])
    np.testing.assert_array_equal(batch.inputs.dt, [[1, 3], [2, 1]])
    assert batch.targets is None


def test_drop_last_leaves_only_full_batches():
    batches = Batches(SequenceSource(ragged([3] * 7)), 2, drop_last=True)
    assert len(batches) == 3
    assert all((batches.rows(step) >= 0).all() for step in range(3))
    with pytest.raises(LengthError, match="drop_last leaves none of 1 examples"):
        Batches(SequenceSource(ragged([3])), 2, drop_last=True)


def test_float64_where_it_is_on(x64):
    batch = Batches(SequenceSource([np.ones((2, 1), np.float32)], np.array([0.5], np.float32)), 1).at(0)
    assert batch.inputs.values.dtype == batch.targets.dtype == batch.weight.dtype == np.float64


def test_windows_against_slices():
    rng = np.random.default_rng(0)
    series = [rng.normal(size=(n, 2)) for n in (7, 2, 9)]
    targets = [s[:, :1] * 10 for s in series]
    source = WindowSource(series, 3, targets, horizon=2, stride=2)
    pairs = [(s, t, i) for s, t in zip(series, targets, strict=True) for i in range(0, len(s) - 4, 2)]
    expected = [(s[i : i + 3], t[i + 3 : i + 5]) for s, t, i in pairs]
    rows = source.take(np.arange(len(source.lengths)), 3)
    np.testing.assert_array_equal(rows.values, np.stack([v for v, _ in expected]))
    np.testing.assert_array_equal(rows.targets, np.stack([t for _, t in expected]))
    assert source.lengths.tolist() == [3] * len(expected)


def test_windows_with_a_target_at_each_step_and_missing_values():
    series = np.array([0.0, 1, np.nan, 3, 4])[:, None]
    source = WindowSource([series], 2, horizon=1, per_step=True)
    rows = source.take(np.arange(3), 2)
    np.testing.assert_array_equal(rows.values[..., 0], [[0, 1], [1, 0], [0, 3]])
    np.testing.assert_array_equal(rows.observed[..., 0], [[1, 1], [1, 0], [0, 1]])
    np.testing.assert_array_equal(rows.targets[..., 0], [[1, 0], [0, 3], [3, 4]])
    np.testing.assert_array_equal(rows.weight, [[1, 0], [0, 1], [1, 1]])


def test_generated_batches_depend_on_seed_and_step():
    def make(key):
        values = jax.random.uniform(key, (2, 3, 1))
        return Examples(SequenceBatch(values), values[:, -1, 0], jnp.full(2, 0.5))

    a, b = FunctionBatches(make, 4, seed=1), FunctionBatches(make, 4, seed=1)
    np.testing.assert_array_equal(a.at(6).targets, b.at(6).targets)
    assert float(a.at(2).targets[0]) != float(a.at(6).targets[0])
    assert float(a.at(6).targets[0]) != float(FunctionBatches(make, 4, seed=2).at(6).targets[0])


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda: SequenceSource([np.ones((3, 2)), np.ones((3, 1))]),
            ShapeError,
            r"values\[1\].*\(3, 2\), got",
        ),
        (lambda: SequenceSource([]), ShapeError, "at least one"),
        (lambda: SequenceSource([np.array([[np.nan]])]), NonFiniteError, r"values\[0\].*missing=True"),
        (lambda: SequenceSource([np.ones((3, 2))], np.ones(2)), ShapeError, r"targets: expected \(n,\) = \(1,\)"),
        (lambda: SequenceSource([np.ones((3, 2))], [np.ones(2)], per_step=True), ShapeError, r"targets\[0\].*\(3,\)"),
        (lambda: Batches(SequenceSource([np.ones((3, 2))]), 0), LengthError, "batch size of at least 1"),
        (lambda: Batches(SequenceSource([np.ones((3, 2))]), 1, buckets=[2]), LengthError, "longest length 3"),
        (lambda: WindowSource([np.ones((3, 2))], 3), LengthError, "need 4 steps, the longest series has 3"),
        (lambda: WindowSource([np.full((3, 2), np.inf)], 1), NonFiniteError, "inf"),
        (lambda: FunctionBatches(lambda key: key, 0), LengthError, "at least 1"),
        (lambda: bucket_edges([], 2), LengthError, "at least 1, got 0"),
    ],
)
def test_bad_input(make, error, words):
    with pytest.raises(error, match=words):
        make()
