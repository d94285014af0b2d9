"""What is seen in a traced `update`."""

import jax
import jax.numpy as jnp

from ostinato.tracing.affine import reads

ROW = jax.ShapeDtypeStruct((2, 3), jnp.float32)


def test_reads_and_sums():
    found = reads(lambda a, b, c, d: (jnp.tanh(a + b) * c, a.shape), ROW, ROW, ROW, ROW)
    assert found.used == [True, True, True, False]
    assert found.summed == {(0, 1)}


def test_a_second_reader_or_a_return_is_no_mere_sum():
    assert not reads(lambda a, b: (a + b) * b, ROW, ROW).summed
    assert not reads(lambda a, b: (a + b, a), ROW, ROW).summed
    assert not reads(lambda a, b: a[0] + b[0] - a[1], ROW, ROW).summed
    assert reads(lambda a: a, ROW).used == [True]
