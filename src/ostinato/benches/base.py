"""The contract of a bench: rows, each with our time, a peer's on the same work, and the least it could take."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple


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


class Peer(NamedTuple):
    """Another library on the same work, which is no dependency of this one.

    * `name`: as it stands in the table.
    * `call(work)`: a function that does the work of a bench once, to be timed; what `work` is, the bench says.
    """

    name: str
    call: Callable[[Any], Callable[[], Any]]


@dataclass(frozen=True)
class BenchSettings:
    """How much to run: `quick` is a short version with the same code for tests; `repeats` None is the bench's own.

    With a `peer` its time on the same work is measured too, in turns with ours.
    """

    quick: bool = False
    repeats: int | None = None
    note: Callable[[str], None] = lambda message: None
    peer: Peer | None = None

    def repeat_count(self, default: int) -> int:
        """How often each case is timed."""
        return self.repeats if self.repeats is not None else (3 if self.quick else default)

    def peer_call(self, work: Any) -> dict[str, Callable[[], Any]]:
        """The peer's function for a work by its name, nothing where there is no peer."""
        return {} if self.peer is None else {self.peer.name: self.peer.call(work)}

    def beside(self, times: dict[str, float]) -> tuple[str | None, float | None]:
        """The peer's name and its time, where it was measured."""
        return (None, None) if self.peer is None else (self.peer.name, times[self.peer.name])


Bench = Callable[[BenchSettings], list[Row]]
"""What a bench is: a function that measures its rows."""
