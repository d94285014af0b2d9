"""Named random streams: every order and every noise is a function of (seed, name, counters) and of nothing else."""

import zlib

import jax
import numpy as np
from jaxtyping import Array, Int, Key

from ostinato.errors import SettingsError


def stream(seed: int, name: str, *counters: int | Int[Array, ""]) -> Key[Array, ""]:
    """The JAX key of one consumer: `fold_in(... fold_in(fold_in(key(seed), crc32(name)), counter) ...)`.

    Each consumer of randomness has a name of its own, so that adding one shifts no other; the counters are its step,
    row and the like. Counters may be traced. Raises `SettingsError` for a seed of more than 64 bits.

    ```python
    >>> import jax
    >>> a = stream(0, "dropout", 7)
    >>> bool(jax.random.key_data(a).tolist() == jax.random.key_data(stream(0, "dropout", 7)).tolist())
    True

    ```
    """
    if not -(2**63) <= seed < 2**63:
        raise SettingsError(f"seed: expected a whole number of 64 bits, got {seed}")
    key = jax.random.fold_in(jax.random.key(seed), np.uint32(zlib.crc32(name.encode())))
    for counter in counters:
        key = jax.random.fold_in(key, counter)
    return key


def permutation(size: int, seed: int, *counters: int, name: str = "order") -> Int[np.ndarray, "size"]:
    """A permutation of `range(size)` that depends on (name, seed, counters) alone and is the same on every machine.

    It is the stable rank order of the raw 64-bit outputs of PCG64, seeded by
    `SeedSequence([seed, crc32(name), *counters])`: NumPy fixes both for good, whereas `Generator.permutation` may
    change from one release to the next.

    ```python
    >>> sorted(permutation(5, 0, 1).tolist())
    [0, 1, 2, 3, 4]

    ```
    """
    entropy = [seed % 2**64, zlib.crc32(name.encode()), *(c % 2**64 for c in counters)]
    raw = np.random.PCG64(np.random.SeedSequence(entropy)).random_raw(size)
    return np.argsort(np.asarray(raw, np.uint64), kind="stable")
