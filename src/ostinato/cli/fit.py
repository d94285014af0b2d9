"""`ostinato fit`: from a file to a trained model beside its baselines, in a run folder; a command for each job."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from ostinato.cli.app import App
from ostinato.cli.output import emit, show_scores
from ostinato.cli.progress import Terminal
from ostinato.cli.signature import COMMON, fit_signature, settings_given, with_signature
from ostinato.jobs import JOBS, Job


def fit_commands() -> App:
    """The commands, from the rows of `JOBS` as they are now."""
    app = App(help="Train on a file, compare with baselines, keep everything in a run folder.")
    for job in JOBS.values():
        app.command(job.name)(with_signature(_Fit(job), fit_signature(job), job.help))
    return app


class _Fit:
    """What the command of a job does."""

    def __init__(self, job: Job):
        self.job = job

    def __call__(self, ctx: typer.Context, file: Path | None = None, **given: Any) -> None:
        fit_job(ctx, self.job, file, **given)


def fit_job(ctx: typer.Context, job: Job, file: Path | None, **given: Any) -> None:
    """Run a job as the command does, with the values of its options, and print what came out."""
    asked = {name: given.get(name) for name in COMMON}
    own = settings_given(job.options, given)
    job.prepare(given)
    terminal = Terminal(ctx)
    with terminal.waiting("starting"):
        from ostinato.jobs import run
        from ostinato.jobs.settings import combine

    settings = combine(job, asked["settings"], asked["set_"] or (), own)
    options = {option.name: given.get(option.name) for option in job.options if option.part is None}
    record = run(
        job.name,
        file,
        settings,
        asked["out"],
        reporter=terminal,
        resume=asked["resume"] is not False,
        fresh=bool(asked["fresh"]),
        **{name: value for name, value in options.items() if value is not None},
    )
    made = record.evaluation
    result = {
        "run": str(record.folder),
        "task": job.name,
        **scored(made),
        **job.outcome(record, record.folder),
        "notes": list(record.said),
        "report": str(record.folder / "report.html"),
        "next": next_steps(job, record.folder, file),
    }
    emit(ctx, result, lambda console: show_scores(console, result))


def scored(made: Any) -> dict[str, Any]:
    """What `--json` says of an evaluation."""
    if made is None:
        return {"held_out": None, "verdict": None, "scores": []}
    plain: Mapping[str, Any] = made.to_dict()
    return {name: plain[name] for name in ("held_out", "verdict", "scores")}


def next_steps(job: Job, folder: Path, file: Path | None) -> dict[str, str]:
    """Commands that make something of a run, with what each is for."""
    named = shlex.quote(str(folder))
    steps = {}
    if job.has("predict"):
        given = shlex.quote(str(file)) if file is not None and job.holds_out_end else "NEW_FILE"
        steps[f"ostinato predict {named} {given}"] = "what follows the data" if job.holds_out_end else "for new data"
    if job.has("explain"):
        steps[f"ostinato explain {named}"] = "what the model has learned"
    steps[f"ostinato info {named}"] = "scores, settings, data, machine"
    return steps
