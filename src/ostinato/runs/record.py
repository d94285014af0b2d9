"""What a run folder says about itself: settings, log, scores and evaluation, read and checked."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ostinato.errors import DataError
from ostinato.runs.evaluation import Evaluation
from ostinato.runs.log import Log
from ostinato.runs.manifest import parse
from ostinato.runs.run import read_settings
from ostinato.runs.storage import read_file

LARGEST = 1 << 27


@dataclass(frozen=True)
class Record:
    """What a run folder says about itself; what is not there yet is empty.

    `source`: the file that the evaluation was read from, for messages.
    """

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    history: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    evaluation: Evaluation | None = None
    source: str = "evaluation"


def read_record(folder: str | Path) -> Record:
    """Read a run folder. Raises `DataError` where it is none, `CorruptFile` where one of its files is damaged."""
    folder = Path(folder)
    if not (folder / "settings.toml").is_file():
        raise DataError(f"{folder}: not a run folder, it has no settings.toml")
    records = Log(folder / "log.jsonl").records()
    source = folder / "evaluation.json"
    found = _read(source)
    return Record(
        folder.resolve().name,
        read_settings(folder),
        _read(folder / "environment.json"),
        tuple(r for r in records if r.get("kind") == "evaluation"),
        tuple(str(r.get("message", "")) for r in records if r.get("kind") in ("warning", "nonfinite")),
        _read(folder / "metrics.json"),
        _read(folder / "data.json"),
        Evaluation.from_dict(found, str(source)) if found else None,
        str(source),
    )


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    return parse(read_file(path, largest=LARGEST), path)
