"""Arithmetic coding in whole numbers, exact (after Witten, Neal and Cleary, Communications of the ACM 30, 1987)."""

from collections.abc import Sequence

from ostinato.errors import CorruptFile, SettingsError

PRECISION = 32
"""Bits of the registers; the counts of one step may sum to a quarter of that range."""

WHOLE = 1 << PRECISION
HALF, QUARTER = WHOLE >> 1, WHOLE >> 2


class ArithmeticEncoder:
    r"""Symbols in, bits out: about $-\log_2(\text{count} / \text{total})$ bits for each symbol, and 2 at the end.

    `put(counts, symbol)` narrows an interval to the share of the symbol; the counts, whole numbers from 1, may change
    from step to step as long as the decoder is given the same. `finish()` gives the bits. The interval is held in
    registers of 32 bits: no rounding depends on the machine.

    Raises `SettingsError` for a symbol that is not there, a count below 1, or counts above 2³⁰ in all.

    ```python
    >>> encoder = ArithmeticEncoder()
    >>> for symbol in (0, 0, 0, 2, 0, 1):
    ...     encoder.put([6, 1, 1], symbol)
    >>> bits = encoder.finish()
    >>> decoder = ArithmeticDecoder(bits)
    >>> len(bits), [decoder.get([6, 1, 1]) for _ in range(6)]
    (9, [0, 0, 0, 2, 0, 1])

    ```
    """

    def __init__(self) -> None:
        self.low, self.range, self.bits, self.waiting = 0, WHOLE, [], 0

    def put(self, counts: Sequence[int], symbol: int) -> None:
        """One more symbol."""
        total = _total(counts)
        if not 0 <= symbol < len(counts):
            raise SettingsError(f"symbol: expected 0 to {len(counts) - 1}, got {symbol}")
        start = sum(counts[:symbol])
        self.low, self.range = _narrowed(self.low, self.range, start, counts[symbol], total)
        while True:
            if self.low + self.range <= HALF:
                self._say(0)
            elif self.low >= HALF:
                self._say(1)
                self.low -= HALF
            elif self.low >= QUARTER and self.low + self.range <= 3 * QUARTER:
                self.waiting += 1
                self.low -= QUARTER
            else:
                return
            self.low, self.range = 2 * self.low, 2 * self.range

    def finish(self) -> list[int]:
        """All bits, the last ones of which tell the interval that is left."""
        self.waiting += 1
        self._say(0 if self.low < QUARTER else 1)
        return self.bits

    def _say(self, bit: int) -> None:
        self.bits += [bit] + [1 - bit] * self.waiting
        self.waiting = 0


class ArithmeticDecoder:
    """The symbols of an `ArithmeticEncoder` again, from its bits and the same counts.

    What follows the end of the bits is read as 0. Raises `CorruptFile` where more than a register of them was missing:
    then the bits are not whole, or the counts are others.
    """

    def __init__(self, bits: Sequence[int]):
        self.bits, self.at, self.low, self.range, self.code = bits, 0, 0, WHOLE, 0
        for _ in range(PRECISION):
            self._read()

    def get(self, counts: Sequence[int]) -> int:
        """The next symbol."""
        total = _total(counts)
        target = ((self.code - self.low + 1) * total - 1) // self.range
        symbol, start = 0, 0
        while start + counts[symbol] <= target:
            start += counts[symbol]
            symbol += 1
        self.low, self.range = _narrowed(self.low, self.range, start, counts[symbol], total)
        while True:
            if self.low + self.range <= HALF:
                shift = 0
            elif self.low >= HALF:
                shift = HALF
            elif self.low >= QUARTER and self.low + self.range <= 3 * QUARTER:
                shift = QUARTER
            else:
                return symbol
            self.low, self.range, self.code = 2 * (self.low - shift), 2 * self.range, self.code - shift
            self._read()

    def _read(self) -> None:
        if self.at >= len(self.bits) + PRECISION:
            raise CorruptFile("bits: they end before the last symbol; they are damaged, or other counts were given")
        self.code = 2 * self.code + (self.bits[self.at] if self.at < len(self.bits) else 0)
        self.at += 1


def _narrowed(low: int, width: int, start: int, count: int, total: int) -> tuple[int, int]:
    """The share of a symbol of the interval from `low`, `width` wide."""
    begin, end = start * width // total, (start + count) * width // total
    return low + begin, end - begin


def _total(counts: Sequence[int]) -> int:
    total = sum(counts)
    if min(counts, default=0) < 1 or total > QUARTER:
        raise SettingsError(f"counts: expected 1 or more each and at most {QUARTER} in all, got {list(counts)[:8]}")
    return total
