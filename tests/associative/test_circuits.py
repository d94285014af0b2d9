"""Threshold circuits: truth tables, and pulses that are held for ten thousand steps."""

import jax.numpy as jnp
import numpy as np
import pytest

from ostinato import unroll
from ostinato.associative import ThresholdCircuit, latch, reverberating_loop
from ostinato.errors import SettingsError, ShapeError

STEPS = 10_000


def test_truth_tables():
    gates = ThresholdCircuit(W=[[1, 1], [1, 1], [-1, -1], [-1, 0]], R=np.zeros((4, 4)), theta=[2, 1, -0.5, -0.5])
    xs = jnp.asarray([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    ys, _ = unroll(gates, xs)
    for (a, b), row in zip([(0, 0), (0, 1), (1, 0), (1, 1)], ys.tolist(), strict=True):
        assert row == [a and b, a or b, not (a or b), not a]


@pytest.mark.parametrize("kernel", ["reference", "auto"])
def test_a_latch_holds_its_bit(kernel):
    xs = np.zeros((STEPS, 2), np.float32)
    xs[0:2, 1] = xs[100:102, 0] = xs[STEPS // 2 : STEPS // 2 + 2, 1] = 1
    ys, final = unroll(latch(), jnp.asarray(xs), kernel=kernel)
    ys = np.asarray(ys)
    np.testing.assert_array_equal(ys[2:100], np.broadcast_to([0, 1], (98, 2)))
    half = STEPS // 2
    np.testing.assert_array_equal(ys[102:half], np.broadcast_to([1, 0], (half - 102, 2)))
    np.testing.assert_array_equal(ys[half + 2 :], np.broadcast_to([0, 1], (half - 2, 2)))
    np.testing.assert_array_equal(final.h, [0, 1])


def test_a_pulse_goes_round_until_it_is_stopped():
    xs = jnp.zeros((STEPS + 50, 2)).at[3, 0].set(1.0).at[STEPS + 10, 1].set(1.0)
    ys = np.asarray(unroll(reverberating_loop(7), xs)[0])
    assert not ys[:3].any()
    at = np.arange(3, STEPS + 10)
    np.testing.assert_array_equal(ys[at], np.eye(7)[(at - 3) % 7])
    assert not ys[STEPS + 10 :].any()


def test_refused():
    with pytest.raises(ShapeError, match=r"got \(1, 2\), \(1, 1\) and \(2,\)"):
        ThresholdCircuit(W=[[1, 1]], R=[[1]], theta=[1, 2])
    with pytest.raises(SettingsError, match="neurons"):
        reverberating_loop(0)
