"""The arithmetic coder: what goes in comes out, in as many bits as the counts say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.compression import ArithmeticDecoder, ArithmeticEncoder
from ostinato.errors import CorruptFile, SettingsError

COUNTS = st.lists(st.sampled_from([1, 2, 3, 1000, 2**20, 2**28]), min_size=1, max_size=4)


@given(st.data(), st.lists(COUNTS, max_size=60))
def test_there_and_back(data, steps):
    symbols = [data.draw(st.integers(0, len(counts) - 1)) for counts in steps]
    encoder = ArithmeticEncoder()
    for counts, symbol in zip(steps, symbols, strict=True):
        encoder.put(counts, symbol)
    bits = encoder.finish()
    decoder = ArithmeticDecoder(bits)
    assert [decoder.get(counts) for counts in steps] == symbols
    information = sum(math.log2(sum(counts) / counts[k]) for counts, k in zip(steps, symbols, strict=True))
    # The registers hold 32 bits and the counts up to 30: in the worst case a step wastes a share of its interval.
    assert len(bits) <= information + 2 + len(steps)


def test_long_sequences_of_sure_symbols_cost_next_to_nothing():
    encoder = ArithmeticEncoder()
    for _ in range(10_000):
        encoder.put([2**20, 1, 1], 0)
    encoder.put([2**20, 1, 1], 2)
    expected = 10_001 * math.log2((2**20 + 2) / 2**20) + 20
    assert expected <= len(encoder.finish()) <= expected + 2


def test_what_cannot_be_coded():
    encoder = ArithmeticEncoder()
    for counts, symbol in (([1, 0], 0), ([2**30, 1], 0), ([], 0), ([1, 1], 2)):
        with pytest.raises(SettingsError):
            encoder.put(counts, symbol)
    # No bits are read as zeros, until a register of them is used up.
    decoder = ArithmeticDecoder([])
    assert decoder.get([2**20, 1]) == 0
    with pytest.raises(CorruptFile):
        decoder.get([1, 1])
