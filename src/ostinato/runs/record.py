"""What a run folder says about itself: settings, log, scores and evaluation, read and checked."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ostinato.errors import CorruptFile, DataError
from ostinato.runs.evaluation import Evaluation
from ostinato.runs.log import Log
from ostinato.runs.manifest import parse
from ostinato.runs.run import read_settings
from ostinato.runs.storage import read_file

LARGEST = 1 << 27
AGENTS = ("title", "verdict", "summary", "trials_to_criterion", "curve", "settings")


@dataclass(frozen=True)
class Record:
    """What a run folder says about itself; what is not there yet is empty."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    history: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    evaluation: Evaluation | None = None


def read_record(folder: str | Path) -> Record:
    """Read a run folder. Raises `DataError` where it is none, `CorruptFile` where one of its files is damaged."""
    folder = Path(folder)
    if not (folder / "settings.toml").is_file():
        raise DataError(f"{folder}: not a run folder, it has no settings.toml")
    records = Log(folder / "log.jsonl").records()
    found = _read(folder / "evaluation.json")
    return Record(
        folder.resolve().name,
        read_settings(folder),
        _read(folder / "environment.json"),
        tuple(r for r in records if r.get("kind") == "evaluation"),
        tuple(str(r.get("message", "")) for r in records if r.get("kind") in ("warning", "nonfinite")),
        _read(folder / "metrics.json"),
        _read(folder / "data.json"),
        Evaluation.from_dict(found, str(folder / "evaluation.json")) if found else None,
    )


def read_agents(folder: Path) -> dict[str, Any]:
    """What a run of agents found. Raises `DataError` where it has not ended, `CorruptFile` where it is damaged."""
    path = folder / "agents.json"
    if not path.exists():
        raise DataError(f"{folder}: its training has not ended yet; run the same `fit agent` again to go on")
    found = _read(path)
    missing = [name for name in AGENTS if name not in found]
    if missing:
        raise CorruptFile(f"{path}: has no {', '.join(missing)}")
    return found


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    return parse(read_file(path, largest=LARGEST), path)
