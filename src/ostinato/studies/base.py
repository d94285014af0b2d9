"""The contract of a study: claims, each with its source, its published figure, what we computed, and the verdict."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Claim:
    """One row of a study's table.

    `published` and `ours` are numbers (or None where there is nothing to quote); `tolerance` says in words what makes
    the claim hold, for instance `"at most 2.145"`; `baseline` maps the names of honest baselines to their figures on
    the same data; `detail` holds the figures behind `ours`, seed by seed.
    """

    name: str
    source: str
    published: float | None
    ours: float | None
    tolerance: str
    baseline: dict[str, float]
    holds: bool
    detail: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class StudySettings:
    """How much to run: `quick` is a short version with the same code for tests; `seeds` None means the study's own."""

    quick: bool = False
    seeds: int | None = None
    note: Callable[[str], None] = lambda message: None

    def seed_list(self, default: int) -> list[int]:
        """The seeds to run: 0, 1, 2, ..."""
        count = self.seeds if self.seeds is not None else (1 if self.quick else default)
        return list(range(count))


@dataclass(frozen=True)
class Study:
    """A row of `STUDIES`: what it is, and the function that computes its claims.

    `run(settings)` gives the claims; `draw(claims)`, where there is one, a picture as SVG (see `view.standalone`).
    """

    description: str
    run: Callable[[StudySettings], list[Claim]]
    data: tuple[str, ...] = ()
    draw: Callable[[list[Claim]], str] | None = None
