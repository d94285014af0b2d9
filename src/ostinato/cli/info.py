"""What a run folder holds, with its model and checkpoints read and checked."""

from pathlib import Path
from typing import Any

import typer

from ostinato.cells import count_parameters
from ostinato.cli.output import emit, pairs, table
from ostinato.cli.work import MODEL, model_of, network_of, settings_of
from ostinato.runs import Record, checkpoints, read_agents, read_record
from ostinato.runs.manifest import read_manifest
from ostinato.view.page import flat

STOPPED = "stopped before its end; run the same `fit` again to go on"


def show_info(ctx: typer.Context, folder: Path) -> None:
    """What `ostinato info` does. Raises `DataError` where the folder is no run, `CorruptFile` where it is damaged."""
    record = read_record(folder)
    if record.settings.get("task") == "agent":
        return _show_agents(ctx, folder, record)
    task, _ = settings_of(folder)
    trained = (folder / MODEL).is_dir()
    model: Any = model_of(folder) if trained else None
    network = None if model is None else network_of(model)
    steps = _steps(folder)
    made = record.evaluation
    result = {
        "run": str(folder),
        "task": task,
        "state": "trained" if trained else STOPPED,
        "steps": max([*steps, record.metrics.get("steps", 0)]),
        "stopped": record.metrics.get("stopped"),
        "parameters": getattr(model, "parameters_", None if network is None else count_parameters(network)),
        "checkpoints": sorted(steps),
        "best": record.metrics.get("best"),
        "held_out": made.held_out if made else None,
        "verdict": made.verdict if made else None,
        "scores": made.to_dict()["scores"] if made else [],
        "notes": record.notes,
        "data": record.data,
        "settings": record.settings,
        "environment": record.environment,
    }

    def show(console: Any) -> None:
        short = ("run", "task", "state", "steps", "stopped", "parameters", "checkpoints")
        console.print(pairs((name, result[name]) for name in short))
        if made:
            names = list(dict.fromkeys(name for score in made.scores for name in score.values))
            rows = [([s.model, *(s.values.get(n) for n in names)], "bold" if s.ours else None) for s in made.scores]
            console.print(table(["held out", *names], rows))
            console.print(made.verdict, markup=False)
        for name in ("data", "settings", "environment"):
            console.print(f"\n[bold]{name}[/bold]")
            console.print(pairs(flat(result[name])))

    emit(ctx, result, show)


def _show_agents(ctx: typer.Context, folder: Path, record: Record) -> None:
    """The same of a population of agents."""
    trained = (folder / MODEL).is_dir()
    found = read_agents(folder) if trained else {}
    steps = _steps(folder)
    networks = read_manifest(folder / MODEL)["extra"]["learned"] if trained else []
    result = {
        "run": str(folder),
        "task": "agent",
        "state": "trained" if trained else STOPPED,
        "steps": max([*steps, record.metrics.get("steps", 0)]),
        "checkpoints": sorted(steps),
        "verdict": found.get("verdict"),
        "summary": found.get("summary", {}),
        "trials_to_criterion": networks,
        "settings": record.settings,
        "environment": record.environment,
    }

    def show(console: Any) -> None:
        console.print(pairs((name, result[name]) for name in ("run", "task", "state", "steps", "checkpoints")))
        if trained:
            console.print(result["verdict"], markup=False)
        for name in ("summary", "settings", "environment"):
            console.print(f"\n[bold]{name}[/bold]")
            console.print(pairs(flat(result[name])))

    emit(ctx, result, show)


def _steps(folder: Path) -> list[int]:
    """Of the checkpoints, which are checked on the way."""
    return [read_manifest(path)["step"] for path in checkpoints(folder / "checkpoints")]
