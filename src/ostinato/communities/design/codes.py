"""Communities as numbers: which there are of given sizes, and who is in them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt

from ostinato.errors import SettingsError

Codes = UInt[np.ndarray, "n"]
"""Communities as numbers: bit i of one says whether species i is in it."""


def codes_of(present: Any) -> Codes:
    """Communities as numbers, from `(n, species)` truth values. Raises `SettingsError` for more than 32 species.

    ```python
    >>> codes_of([[True, False, True]]).tolist(), presence_of(np.array([5], np.uint32), 3).tolist()
    ([5], [[True, False, True]])

    ```
    """
    present = np.asarray(present, bool)
    _check_species(present.shape[1])
    return (present.astype(np.uint32) << np.arange(present.shape[1], dtype=np.uint32)).sum(1, dtype=np.uint32)


def presence_of(codes: Any, species: int) -> np.ndarray:
    """The inverse: `(n, species)` truth values."""
    return (np.asarray(codes, np.uint32)[:, None] >> np.arange(species, dtype=np.uint32)) & 1 == 1


def candidates(
    first: int,
    last: int,
    sizes: tuple[int, int],
    *,
    required: int = 0,
    excluded: int = 0,
) -> Codes:
    """The communities with numbers in `first..last` (`last` not included) of sizes from `sizes[0]` to `sizes[1]`.

    `required` and `excluded` are numbers of communities too: species that all have to have, and none may have.
    """
    codes = np.arange(first, last, dtype=np.uint32)
    size = np.bitwise_count(codes)
    good = (size >= sizes[0]) & (size <= sizes[1])
    good &= (codes & np.uint32(required)) == required
    return codes[good & ((codes & np.uint32(excluded)) == 0)]


def name_of(present: Any, species: Sequence[str]) -> str:
    """The species of a community, joined."""
    return "-".join(name for name, there in zip(species, present, strict=True) if there)


def _check_species(count: int) -> None:
    if not 1 <= count <= 32:
        raise SettingsError(f"species: expected 1 to 32 for an exhaustive search, got {count}")
