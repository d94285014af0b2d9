"""The settings of the job `agent`, as its `settings.toml` holds them."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Parts:
    """Settings of the task and of the learner, by name, as their rows in `ENVIRONMENTS` and `LEARNERS` have them."""

    task: dict[str, Any] = field(default_factory=dict)
    learner: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AgentSettings:
    """Which networks learn which task, how many, and when each has learned it.

    `window`: how many last trials of each condition count; None: as the task has it.
    """

    task: Literal["agent"] = "agent"
    environment: str = "antisaccade"
    learner: str = "recollect"
    networks: int = 64
    trials: int = 100_000
    share: float = 0.85
    window: int | None = None
    seed: int = 0
    settings: Parts = field(default_factory=Parts)
