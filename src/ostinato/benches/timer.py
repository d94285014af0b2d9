"""Timing on a shared machine: the functions take turns, so that what disturbs one disturbs all; the median counts."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from ostinato.errors import SettingsError

REST = 0.002
"""Seconds of rest before a call that is measured."""


def interleaved(
    functions: Mapping[str, Callable[[], Any]], repeats: int, *, warmup: int = 1, rest: float = REST
) -> dict[str, float]:
    """The median time of each function in microseconds, its result waited for.

    Each function is first called `warmup` times (which compiles it), then `repeats` rounds call each of them once,
    every second round in reverse order. Before each call there is a rest of so many seconds: threads of a library that
    was measured before may look out for more work that long, on the core that the next one needs. This thread stays
    awake meanwhile, so that no call pays for waking the processor. Raises `SettingsError` for fewer than one repeat.

    ```python
    >>> import time
    >>> times = interleaved({"short": lambda: None, "long": lambda: time.sleep(0.002)}, repeats=3)
    >>> times["short"] < times["long"]
    True

    ```
    """
    # Here, because a list of the benches does without it.
    import jax

    if repeats < 1:
        raise SettingsError(f"repeats: expected at least 1, got {repeats}")
    for function in functions.values():
        for _ in range(warmup):
            jax.block_until_ready(function())
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats):
        names = list(functions) if turn % 2 == 0 else list(functions)[::-1]
        for name in names:
            _stay_awake(rest)
            begin = time.perf_counter()
            jax.block_until_ready(functions[name]())
            taken[name].append(1e6 * (time.perf_counter() - begin))
    return {name: statistics.median(times) for name, times in taken.items()}


def _stay_awake(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
