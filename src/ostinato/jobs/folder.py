"""A job's run folder: what is kept in it, how it is read again, and when it may be used by somebody else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax

from ostinato.cells import Cell, count_parameters
from ostinato.errors import DataError, SettingsError
from ostinato.jobs.base import Job
from ostinato.jobs.figures.model import of_model
from ostinato.jobs.reporter import Reporter
from ostinato.jobs.table import job_of
from ostinato.kernels import choose
from ostinato.layers import Stack
from ostinato.models import MODELS, Estimator, load
from ostinato.runs import Evaluation, Record, Run, checkpoints, from_table, read_record, read_settings
from ostinato.runs.lock import Lock
from ostinato.runs.manifest import read_manifest
from ostinato.view import write_report

MODEL, BASELINES = "model", "baselines"
TRAINED = "trained"
BEFORE_TRAINING = ("data.json", "environment.json", "estimator.json", "log.jsonl", "settings.toml")
"""What a run writes before its first step; the settings last, as they make it one."""

STOPPED = "stopped before its end; run the same `fit` again to go on"


@dataclass(frozen=True)
class RunRecord(Record):
    """What a run folder says about itself, and where it is; `said`: what was noted of the data on the way."""

    folder: Path = Path()
    said: tuple[str, ...] = ()

    def report(self, out: str | Path | None = None) -> Path:
        """Write the report, one HTML page that needs no network, to `out` or into the folder; gives its path."""
        return write_report(self.folder, out)


def record_of(folder: Path, said: tuple[str, ...] = ()) -> RunRecord:
    """The record of a run folder. Raises as `runs.read_record`."""
    record = read_record(folder)
    return RunRecord(**vars(record), folder=folder, said=said)


def job_and_settings(folder: Path) -> tuple[Job, Any]:
    """The job of a run, and its settings. Raises `DataError` where there is none, `SettingsError`, `CorruptFile`."""
    if not (folder / "settings.toml").is_file():
        raise DataError(f"{folder}: not a run folder, it has no settings.toml")
    found = read_settings(folder)
    job = job_of(found.get("task", ""), str(folder / "settings.toml"))
    return job, from_table(job.settings(), found)


def model_of(job: Job, settings: Any, folder: Path) -> Any:
    """The trained model of a run. Raises `DataError` where training has not ended, `CorruptFile`."""
    if not (folder / MODEL).is_dir():
        raise DataError(f"{folder}: its training has not ended yet; run the same `fit` again to go on")
    return job.load(folder / MODEL, settings)


def baselines_of(folder: Path) -> dict[str, Estimator]:
    """The baselines of a run, by name. Raises `CorruptFile`."""
    return {p.name: load(p, MODELS) for p in sorted((folder / BASELINES).glob("*")) if p.is_dir()}


def keep_found(job: Job, run: Run, model: Any, train: Any, held: Any, settings: Any) -> None:
    """Write what training found: the baselines, the model, the evaluation; then what only resuming needs goes.

    The model is written after the baselines: where it is there, training has ended.
    """
    run.check_stopped()
    baselines = job.baselines(model, train, settings)
    for name, baseline in baselines.items():
        baseline.save(run.folder / BASELINES / name)
    run.check_stopped()
    model.save(run.folder / MODEL)
    if held is not None:
        run.write_evaluation(whole(job, model, job.evaluate(model, baselines, held, settings)))
    run.write_environment(kernel=kernel_path(model))
    run.drop_checkpoints()


def whole(job: Job, model: Any, made: Evaluation) -> Evaluation:
    """The evaluation under the name and the title of its job, the best score first, and what is said of the model."""
    sections = (*made.sections, *of_model(model))
    return replace(made, task=job.name, title=made.title or job.title, scores=made.ranked(), sections=sections)


def has_ended(folder: Path, judged: bool) -> bool:
    """Whether a run has its model, and its evaluation where something is held out."""
    return (folder / MODEL).is_dir() and (not judged or (folder / "evaluation.json").is_file())


def free(folder: Path, settings: Mapping[str, Any]) -> None:
    """Let other settings in where nothing was trained: a run killed before its first checkpoint refuses nobody.

    Only files that a run itself writes go. Raises `RunLocked` where somebody is about to train in it.
    """
    path = folder / "settings.toml"
    trained = checkpoints(folder / "checkpoints") or (folder / MODEL).is_dir()
    if not path.is_file() or trained or read_settings(folder) == settings:
        return
    lock = Lock(folder / "lock")
    try:
        for name in BEFORE_TRAINING:
            (folder / name).unlink(missing_ok=True)
    finally:
        lock.release()


def move_aside(folder: Path, reporter: Reporter) -> None:
    """Give a run folder another name, unless somebody is training into it."""
    if not folder.exists():
        return
    if not (folder / "settings.toml").is_file():
        raise SettingsError(f"{folder}: exists and is not a run folder; it is left alone")
    Lock(folder / "lock").release()
    number = next(n for n in range(1, 10**6) if not folder.with_name(f"{folder.name}.{n}").exists())
    aside = folder.with_name(f"{folder.name}.{number}")
    folder.rename(aside)
    reporter.note(f"The run that was there is now {aside}.")


def overview(folder: Path) -> dict[str, Any]:
    """All that a run folder holds, in plain values; its model and its checkpoints are read and checked on the way.

    Raises `DataError` where the folder is no run, `CorruptFile` where it is damaged.
    """
    record = read_record(folder)
    job, settings = job_and_settings(folder)
    trained = (folder / MODEL).is_dir()
    model = model_of(job, settings, folder) if trained else None
    steps = [read_manifest(path)["step"] for path in checkpoints(folder / "checkpoints")]
    made = record.evaluation
    return {
        "run": str(folder),
        "task": job.name,
        "state": TRAINED if trained else STOPPED,
        "steps": max([*steps, record.metrics.get("steps", 0)]),
        "stopped": record.metrics.get("stopped"),
        "parameters": _parameters(model),
        "checkpoints": sorted(steps),
        "best": record.metrics.get("best"),
        "held_out": made.held_out if made else None,
        "verdict": made.verdict if made else None,
        "scores": made.to_dict()["scores"] if made else [],
        **(job.about(record, folder) if trained else {}),
        "notes": record.notes,
        "data": record.data,
        "settings": record.settings,
        "environment": record.environment,
    }


def _parameters(model: Any) -> int | None:
    """How many numbers a model has learned, as it says itself, or those of its network."""
    network = network_of(model)
    counted = None if network is None else count_parameters(network)
    return getattr(model, "parameters_", counted)


def network_of(model: Any) -> Any:
    """The network inside a model, or None."""
    return getattr(model, "network_", None)


def kernel_path(model: Any) -> str:
    """Which kernel the recurrent cells of a model run on in training, and why."""
    size = getattr(model, "batch_size", 1)
    cells = filter(_is_recurrent, jax.tree.leaves(network_of(model), is_leaf=_is_recurrent))
    found = dict.fromkeys(choose(cell, batch=size) for cell in cells)
    return "; ".join(f"{choice.kernel} ({choice.why})" for choice in found)


def _is_recurrent(part: Any) -> bool:
    return isinstance(part, Cell) and not isinstance(part, Stack) and not part.pointwise
