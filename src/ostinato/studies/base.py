"""The contract of a study: claims, each with its source, its published figure, what we computed, and the verdict."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .bar import Bar, told


@dataclass(frozen=True)
class Claim:
    """One row of a study's table.

    `published` and `ours` are numbers (or None where there is nothing to quote); `bar` says what makes the claim hold;
    `baseline` maps the names of honest baselines to their figures on the same data; `detail` holds the figures behind
    `ours`, seed by seed. `judged` is what the bar is put to where that is not `ours`: the figures of all seeds.

    ```python
    >>> claim = Claim("error", "someone 1999", 2.5, 2.25, Bar.at_most(2.5), {"persistence": 3.0})
    >>> claim.tolerance, claim.holds
    ('at most 2.5', True)

    ```
    """

    name: str
    source: str
    published: float | None
    ours: float | None
    bar: Bar
    baseline: dict[str, float] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    judged: Any = None

    @property
    def tolerance(self) -> str:
        """What makes the claim hold, in words."""
        return told(self.bar, self.judged)

    @property
    def holds(self) -> bool | None:
        """Whether the bar is met; None where there is no bar."""
        return self.bar.holds(self.ours if self.judged is None else self.judged)

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {
            "name": self.name,
            "source": self.source,
            "published": self.published,
            "ours": self.ours,
            "tolerance": self.tolerance,
            "baseline": self.baseline,
            "holds": self.holds,
            "detail": self.detail,
        }


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
    """What a study does: `run(settings)` gives its claims; `draw(claims)`, where there is one, a picture as SVG.

    `draw` takes the claims as they stand in a result file (`Claim.to_dict`).
    """

    run: Callable[[StudySettings], list[Claim]]
    draw: Callable[[list[dict[str, Any]]], str] | None = None
