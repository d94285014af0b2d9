"""What a report is made from: how a model did on held-out data, beside its baselines, as values that JSON holds."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ostinato.errors import CorruptFile, SettingsError
from ostinato.runs.settings import from_table

Number = float | None
"""None stands for a value that is missing or not finite."""


@dataclass(frozen=True)
class Score:
    """A row of the table at the head of a report: a model, or a baseline, and its figures by name."""

    model: str
    ours: bool
    values: dict[str, Number]


@dataclass(frozen=True)
class Curve:
    """Values of one model, or of the truth, over the axis of its panel."""

    name: str
    role: Literal["truth", "ours", "other"]
    y: tuple[Number, ...]


@dataclass(frozen=True)
class Panel:
    """Curves over one axis; `x` in seconds since 1970 where `x_kind` is `"time"`.

    `band`: lower and upper edge of an area, such as quantiles of the forecast.
    """

    x: tuple[float, ...]
    curves: tuple[Curve, ...]
    x_label: str = ""
    y_label: str = ""
    x_kind: Literal["number", "time"] = "number"
    note: str = ""
    band: tuple[tuple[Number, ...], tuple[Number, ...]] | None = None


@dataclass(frozen=True)
class Confusion:
    """Counts of true (rows) against predicted (columns) classes."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Pairs:
    """True values and what was predicted for them, one for each sequence."""

    truth: tuple[float, ...]
    predicted: tuple[float, ...]


@dataclass(frozen=True)
class Chart:
    """A panel under a heading of its own."""

    title: str
    panel: Panel


@dataclass(frozen=True)
class Cloud:
    """Pairs under a heading of their own."""

    title: str
    pairs: Pairs


@dataclass(frozen=True)
class Evaluation:
    """How a model did.

    * `held_out`: in words, what it was judged on; `verdict`: in words, what came out, a baseline that wins included.
    * `scores`: the first entry of `values` is the one that counts.
    * `forecast`, `by_horizon`: for forecasts; `confusion`: for classes; `pairs`: for one number per sequence.
    * `charts`, `clouds`: any others, under headings of their own.
    """

    task: Literal["forecast", "classify", "regress", "community"]
    target: str
    held_out: str
    verdict: str
    scores: tuple[Score, ...]
    forecast: Panel | None = None
    by_horizon: Panel | None = None
    confusion: Confusion | None = None
    pairs: Pairs | None = None
    charts: tuple[Chart, ...] = ()
    clouds: tuple[Cloud, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain values; what is not finite becomes None."""
        return _plain(dataclasses.asdict(self))

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], source: str = "evaluation") -> "Evaluation":
        """The other way round. Raises `CorruptFile` where an entry is missing, unknown or of another kind.

        ```python
        >>> given = Evaluation("regress", "y", "3 sequences", "ours wins", (Score("GRU", True, {"rmse": 1.0}),))
        >>> Evaluation.from_dict(given.to_dict()) == given
        True

        ```
        """
        try:
            return from_table(cls, table)
        except SettingsError as error:
            raise CorruptFile(f"{source}: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
