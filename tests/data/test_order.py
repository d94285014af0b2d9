"""Streams and permutations: functions of their names and numbers alone."""

import subprocess
import sys
import zlib

import jax
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ostinato.data import permutation, stream


def bits(key) -> list[int]:
    return np.asarray(jax.random.key_data(key)).tolist()


def test_a_stream_is_the_fold_of_its_name_and_counters():
    key = jax.random.key(7)
    for number in (zlib.crc32(b"dropout"), 3, 5):
        key = jax.random.fold_in(key, np.uint32(number))
    assert bits(stream(7, "dropout", 3, 5)) == bits(key)


def test_streams_differ_by_seed_name_and_counter():
    keys = [stream(0, "a"), stream(1, "a"), stream(0, "b"), stream(0, "a", 0), stream(0, "a", 1), stream(0, "a", 0, 0)]
    assert len({tuple(bits(k)) for k in keys}) == len(keys)


def test_counters_may_be_traced():
    assert bits(jax.jit(lambda i: stream(0, "noise", i))(4)) == bits(stream(0, "noise", 4))


@given(st.integers(0, 60), st.integers(0, 2**63), st.integers(0, 2**31))
def test_a_permutation_holds_each_number_once(size, seed, epoch):
    assert sorted(permutation(size, seed, epoch).tolist()) == list(range(size))


def test_every_order_of_three_comes_equally_often():
    counts: dict[tuple[int, ...], int] = {}
    for epoch in range(6000):
        order = tuple(permutation(3, 0, epoch).tolist())
        counts[order] = counts.get(order, 0) + 1
    # Chi-square with 5 degrees of freedom; 20.5 is exceeded by chance once in 1000.
    assert sum((n - 1000) ** 2 / 1000 for n in counts.values()) < 20.5
    assert len(counts) == 6


def test_the_same_in_another_process_and_pcg64_itself():
    code = "from ostinato.data import permutation; print(permutation(9, 5, 2, name='x').tolist())"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    raw = np.random.PCG64(np.random.SeedSequence([5, zlib.crc32(b"x"), 2])).random_raw(9)
    expected = sorted(range(9), key=lambda i: int(raw[i]))
    assert permutation(9, 5, 2, name="x").tolist() == expected
    assert printed.strip() == str(expected)
