"""Standardisation against NumPy's own statistics."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.data import Standardizer
from ostinato.errors import DataError, NonFiniteError, ShapeError


def test_statistics_leave_missing_entries_out():
    rng = np.random.default_rng(1)
    values = rng.normal(3, 2, (50, 4))
    values[rng.random((50, 4)) < 0.2] = np.nan
    scale = Standardizer.fit(values)
    np.testing.assert_allclose(scale.mean, np.nanmean(values, 0), rtol=1e-13)
    np.testing.assert_allclose(scale.scale, np.nanstd(values, 0), rtol=1e-13)
    standard = scale.transform(values)
    np.testing.assert_allclose(np.nanmean(standard, 0), 0, atol=1e-14)
    np.testing.assert_array_equal(np.isnan(standard), np.isnan(values))


def test_many_sequences_are_one_sample():
    parts = [np.arange(6.0).reshape(3, 2), np.arange(10.0).reshape(5, 2) ** 2]
    joined = np.concatenate(parts)
    scale = Standardizer.fit(parts)
    np.testing.assert_allclose(scale.mean, joined.mean(0), rtol=1e-14)
    np.testing.assert_allclose(scale.scale, joined.std(0), rtol=1e-14)


@pytest.mark.parametrize("constant", [0.0, 0.1, 5.0, -3e8, 1e-9])
def test_a_constant_feature_has_scale_one(constant):
    scale = Standardizer.fit(np.full((7, 1), constant))
    assert scale.scale.tolist() == [1.0]
    np.testing.assert_allclose(scale.transform(np.array([[constant]])), 0, atol=1e-7)


def test_a_feature_never_seen():
    scale = Standardizer.fit(np.array([[1.0, np.nan], [2.0, np.nan]]))
    assert (scale.mean[1], scale.scale[1]) == (0, 1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20), st.floats(-1e6, 1e6))
def test_the_inverse_undoes(values, other):
    scale = Standardizer.fit(np.array(values)[:, None])
    x = np.array([[other]])
    np.testing.assert_allclose(scale.inverse(scale.transform(x)), x, rtol=1e-9, atol=1e-9)


def test_dtype_and_kind_of_the_input_are_kept():
    scale = Standardizer.fit(np.arange(8.0).reshape(4, 2))
    assert scale.transform(np.ones((2, 3, 2), np.float32)).dtype == np.float32
    batch = jnp.ones((2, 3, 2))
    assert isinstance(scale.transform(batch), type(batch))
    np.testing.assert_allclose(scale.inverse(scale.transform(batch)), batch, rtol=1e-6)
    np.testing.assert_allclose(scale.transform(np.ones((1, 2), int)), (1 - scale.mean[None]) / scale.scale[None])


def test_json_keeps_every_bit():
    scale = Standardizer.fit(np.random.default_rng(0).normal(size=(9, 3)))
    again = Standardizer.from_dict(json.loads(json.dumps(scale.to_dict())))
    np.testing.assert_array_equal(again.mean, scale.mean)
    np.testing.assert_array_equal(again.scale, scale.scale)
    assert scale.columns(1).mean.tolist() == [scale.mean[1]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "'mean' and 'scale'"),
        ({"mean": [1.0], "scale": ["x"]}, "lists of numbers"),
        ({"mean": [1.0], "scale": [1.0, 2.0]}, r"\(1,\) and \(2,\)"),
        ({"mean": [1.0], "scale": [0.0]}, "above 0"),
        ({"mean": [float("nan")], "scale": [1.0]}, "finite"),
    ],
)
def test_bad_content(content, words):
    with pytest.raises(DataError, match=words):
        Standardizer.from_dict(content)


def test_bad_arrays():
    with pytest.raises(ShapeError, match=r"expected \(\.\.\., 2\), got shape \(3, 1\)"):
        Standardizer.fit(np.ones((4, 2))).transform(np.ones((3, 1)))
    with pytest.raises(ShapeError, match="expected 2 features, got 3"):
        Standardizer.fit([np.ones((4, 2)), np.ones((4, 3))])
    with pytest.raises(ShapeError, match="two axes"):
        Standardizer.fit(np.ones(4))
    with pytest.raises(NonFiniteError, match="inf"):
        Standardizer.fit(np.array([[1.0], [np.inf]]))


def test_a_value_without_a_square_is_refused():
    with pytest.raises(
        NonFiniteError, match=r"values\[1\]: 1e\+200 at \(0, 1\), expected a magnitude of 1e\+140 at most"
    ):
        Standardizer.fit([np.ones((3, 2)), np.array([[1.0, 1e200]])])


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1e139])
def test_a_scale_of_any_size_is_that_of_the_numbers(size):
    rows = np.arange(8.0)[:, None]
    scale, plain = Standardizer.fit(size * rows), Standardizer.fit(rows)
    np.testing.assert_allclose(scale.transform(size * rows), plain.transform(rows), rtol=1e-9)


@pytest.mark.parametrize("size", [1e139, 1e-200])
def test_statistics_that_the_type_cannot_hold_are_refused(size):
    scale = Standardizer.fit(np.array([[1.0, size], [2.0, 3 * size]]))
    for call in (scale.transform, scale.inverse):
        with pytest.raises(NonFiniteError, match=r"float32 cannot hold mean .* of feature 1, expected float64"):
            call(np.ones((1, 2), np.float32))
    assert scale.inverse(np.ones((1, 2)))[0, 1] == 3 * size
