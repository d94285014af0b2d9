"""Windows and folds against loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.data import rolling_origin, windows
from ostinato.errors import LengthError


@given(st.integers(1, 25), st.integers(1, 6), st.integers(0, 4), st.integers(1, 5), st.booleans())
def test_windows_are_slices_and_views(n, context, horizon, stride, flat):
    values = np.random.default_rng(n).normal(size=n if flat else (n, 2))
    if n < context + horizon:
        with pytest.raises(LengthError, match=f"need {context + horizon} steps, got {n}"):
            windows(values, context, horizon, stride)
        return
    x, y = windows(values, context, horizon, stride)
    starts = range(0, n - context - horizon + 1, stride)
    assert len(x) == len(y) == len(starts)
    for i, start in enumerate(starts):
        np.testing.assert_array_equal(x[i], values[start : start + context])
        np.testing.assert_array_equal(y[i], values[start + context : start + context + horizon])
    assert np.shares_memory(x, values)
    assert not x.flags.writeable


@given(st.integers(1, 30), st.integers(1, 20), st.integers(1, 6), st.integers(1, 6), st.integers(0, 3))
def test_folds(n, initial, horizon, step, gap):
    expected = [o for o in range(1, n + 1) if o >= initial and (o - initial) % step == 0 and o + gap + horizon <= n]
    if not expected:
        with pytest.raises(LengthError, match=f"do not fit into {n} steps"):
            rolling_origin(n, initial, horizon, step, gap)
        return
    folds = rolling_origin(n, initial, horizon, step, gap)
    assert [fold.train for fold in folds] == [slice(0, o) for o in expected]
    assert [fold.test for fold in folds] == [slice(o + gap, o + gap + horizon) for o in expected]


def test_each_step_once_by_default():
    steps = [np.arange(20)[fold.test] for fold in rolling_origin(20, 8, 3)]
    np.testing.assert_array_equal(np.concatenate(steps), np.arange(8, 20))


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, -1, 1), (1, 1, 0)])
def test_bad_sizes(sizes):
    with pytest.raises(LengthError, match="at least 1"):
        windows(np.arange(9), *sizes)
