"""Where training stands: the numbers beside weights and optimiser state that resuming needs, and what is told of it."""

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ostinato.errors import CorruptFile


@dataclass(frozen=True)
class Event:
    """What a callback is told.

    `kind` is `"start"`, `"resume"`, `"steps"` (some were made), `"evaluation"` (with `metrics`), `"skipped"`,
    `"rollback"`, `"warning"`, `"nonfinite"`, `"interrupted"` or `"end"`; `loss` is the latest known, NaN before the
    first; `seconds` counts all processes of a run.
    """

    kind: str
    step: int
    total: int
    epoch: float
    loss: float
    metrics: dict[str, float]
    seconds: float
    message: str


@dataclass
class Progress:
    """Counters of the loop; `to_json` and `from_json` keep every bit."""

    seed: int
    step: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    last_loss: float = math.nan
    best_step: int = 0
    best_metrics: dict[str, float] = field(default_factory=dict)
    waited: int = 0
    skipped: list[int] = field(default_factory=list)
    in_a_row: int = 0
    seconds: float = 0.0
    stopped: str = ""

    def count(self, loss: float) -> None:
        """A step with a finite loss."""
        self.loss_sum, self.loss_count, self.last_loss, self.in_a_row = (
            self.loss_sum + loss,
            self.loss_count + 1,
            loss,
            0,
        )

    def skip(self, step: int) -> None:
        """A step whose update was dropped."""
        self.skipped.append(step)
        self.in_a_row += 1

    def mean_loss(self) -> float:
        """Mean over the steps since it was last asked for; NaN without any."""
        mean = self.loss_sum / self.loss_count if self.loss_count else math.nan
        self.loss_sum, self.loss_count = 0.0, 0
        return mean

    def judge(self, metrics: dict[str, float], patience: int | None) -> bool:
        """Whether an evaluation is the best so far, by its first entry; a NaN never is."""
        if not metrics:
            return False
        value, best = next(iter(metrics.values())), next(iter(self.best_metrics.values()), math.inf)
        if value < best or (value == best and not self.best_metrics):
            self.best_step, self.best_metrics, self.waited = self.step, dict(metrics), 0
            return True
        self.waited += 1
        if patience is not None and self.waited >= patience:
            self.stopped = "patience"
        return False

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, table: Any, path: Path) -> "Progress":
        """Raises `CorruptFile` where an entry is missing or of another kind."""
        try:
            return cls(
                seed=int(table["seed"]),
                step=int(table["step"]),
                loss_sum=float(table["loss_sum"]),
                loss_count=int(table["loss_count"]),
                last_loss=float(table["last_loss"]),
                best_step=int(table["best_step"]),
                best_metrics={str(k): float(v) for k, v in table["best_metrics"].items()},
                waited=int(table["waited"]),
                skipped=[int(step) for step in table["skipped"]],
                in_a_row=int(table["in_a_row"]),
                seconds=float(table["seconds"]),
                stopped=str(table["stopped"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CorruptFile(f"{path}: the manifest does not say where training stood ({error!r})") from error
