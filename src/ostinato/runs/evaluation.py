"""What a report is made from: how a model did on held-out data, beside its baselines, as values that JSON holds."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
class Section:
    """A part of a report: a figure, a table or a text under its heading, as plain values.

    * `kind`: which picture it is, a row of `view.SECTIONS`; `data`: what that picture is drawn from.
    * `title`: its heading, none where it is empty; `note`: words below it.
    """

    kind: str
    title: str
    data: dict[str, Any] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Evaluation:
    """How a model did.

    * `task`: the name of the job. `title`: the job in words, as they stand over its report ("Forecast"), followed by
      " of `target`" where there is a target; without a title, the name of the job.
    * `held_out`: in words, what it was judged on; `verdict`: in words, what came out, a baseline that wins included.
    * `scores`: the first entry of `values` is the one that counts; `higher`: whether more of it is better.
    * `lead`: what the reader came for, such as the forecast itself; its report begins with it.
    * `sections`: the figures, tables and texts of its report, in their order.
    """

    task: str
    target: str
    held_out: str
    verdict: str
    scores: tuple[Score, ...]
    sections: tuple[Section, ...] = ()
    title: str = ""
    higher: bool = False
    lead: tuple[Section, ...] = ()

    def ranked(self) -> tuple[Score, ...]:
        """The scores, the best first; those without a value last, equals in their order.

        ```python
        >>> rows = (Score("gru", True, {"RMSE": 2.0}), Score("mean", False, {"RMSE": None}))
        >>> made = Evaluation("forecast", "y", "", "", (*rows, Score("ar", False, {"RMSE": 1.0})))
        >>> [row.model for row in made.ranked()]
        ['ar', 'gru', 'mean']

        ```
        """

        def place(score: Score) -> tuple[bool, float]:
            value = next(iter(score.values.values()), None)
            return value is None, 0.0 if value is None else -value if self.higher else value

        return tuple(sorted(self.scores, key=place))

    @property
    def heading(self) -> str:
        """What stands over the report.

        ```python
        >>> Evaluation("forecast", "sunspots", "", "", (), title="Forecast").heading
        'Forecast of sunspots'

        ```
        """
        title = self.title or self.task
        return f"{title} of {self.target}" if self.target else title

    def to_dict(self) -> dict[str, Any]:
        """As plain values; what is not finite becomes None."""
        return plain(dataclasses.asdict(self))

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], source: str = "evaluation") -> "Evaluation":
        """The other way round. Raises `CorruptFile` where an entry is missing, unknown or of another kind.

        What a section holds is checked where it is drawn, by the row of its kind in `view.SECTIONS`.

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


def plain(value: Any) -> Any:
    """Values as JSON has them: arrays and tuples become lists, what is not finite None."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
