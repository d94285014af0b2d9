"""The contract of a bench: rows, each with our time, a peer's on the same work, and the least it could take."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measured case, in microseconds.

    * `peer`: what `peer_us` was measured with, for instance `"lax.scan"`.
    * `floor_us`: what the same work takes with everything around it left out, for instance the bare matrix products.
    * `detail`: further figures, such as bytes.

    ```python
    >>> Row("batch 8, hidden 128", 500.0, "lax.scan", 800.0).ratio
    1.6

    ```
    """

    case: str
    ours_us: float
    peer: str | None = None
    peer_us: float | None = None
    floor_us: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """`peer_us / ours_us`: how many times faster ours is."""
        return None if self.peer_us is None else self.peer_us / self.ours_us

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {
            "case": self.case,
            "ours_us": self.ours_us,
            "peer": self.peer,
            "peer_us": self.peer_us,
            "ratio": self.ratio,
            "floor_us": self.floor_us,
            "detail": self.detail,
        }


@dataclass(frozen=True)
class BenchSettings:
    """How much to run: `quick` is a short version with the same code for tests; `repeats` None is the bench's own."""

    quick: bool = False
    repeats: int | None = None
    note: Callable[[str], None] = lambda message: None

    def repeat_count(self, default: int) -> int:
        """How often each case is timed."""
        return self.repeats if self.repeats is not None else (3 if self.quick else default)


@dataclass(frozen=True)
class Bench:
    """A row of `BENCHES`: what is measured, and the function that measures it."""

    description: str
    run: Callable[[BenchSettings], list[Row]]
