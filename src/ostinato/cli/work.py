"""A run from beginning to end: read, split, train, compare, keep, report; and a finished run used again."""

import hashlib
import json
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import typer

from ostinato.cells import Cell
from ostinato.cli.columns import write_columns
from ostinato.cli.communities import Communities
from ostinato.cli.forecasting import Forecasting
from ostinato.cli.output import emit, note, table
from ostinato.cli.progress import Bar
from ostinato.cli.sequences import Sequences
from ostinato.cli.settings import build, combine, settings_kind, task_of
from ostinato.communities import CommunityModel
from ostinato.data.columns import as_text
from ostinato.errors import DataError, Interrupted, OstinatoError, SettingsError
from ostinato.kernels import choose
from ostinato.layers import Stack
from ostinato.models import MODELS, Estimator, load_model
from ostinato.runs import STOP_SIGNALS, Evaluation, Run, checkpoints, describe_machine, from_table, read_settings
from ostinato.runs.lock import Lock
from ostinato.view import write_report

WORK: dict[str, Any] = {
    "forecast": Forecasting(),
    "classify": Sequences(),
    "regress": Sequences(),
    "community": Communities(),
}
KINDS = {**MODELS, CommunityModel.kind: CommunityModel}
"""Models that a run folder may hold."""
MODEL, BASELINES = "model", "baselines"
MOST_COLUMNS = 12
ASKED = {"horizon": "forecasts", "hours": "communities", "intervals": "communities"}
"""Options of `predict` that some tasks have, and which."""


def fit_file(
    ctx: typer.Context,
    task: str,
    file: Path,
    given: dict[str, Any],
    settings_file: Path | None,
    overrides: list[str] | None,
    out: Path | None,
    resume: bool,
    fresh: bool,
) -> None:
    """What `ostinato fit` does."""
    given["data"]["sha256"] = _digest(file)
    settings = combine(task, settings_file, overrides or (), given)
    data = WORK[task].read(file, settings)
    folder = out if out is not None else Path("runs") / file.stem.split(".")[0]
    result = fit_data(ctx, task, data, settings, folder, file.name, resume=resume, fresh=fresh)
    emit(ctx, result, lambda console: show(console, result))


def fit_data(
    ctx: typer.Context,
    task: str,
    data: Any,
    settings: Any,
    folder: Path,
    source: str,
    *,
    resume: bool = True,
    fresh: bool = False,
) -> dict[str, Any]:
    """Train on data into a run folder; gives what was found as plain values."""
    work = WORK[task]
    train, held = work.split(data, settings)
    notes = list(work.notes(data))
    for words in notes:
        note(ctx, words)
    if fresh:
        move_aside(ctx, folder)
    was_there = folder.exists()
    model = build(task, settings)
    stop = (*STOP_SIGNALS, signal.SIGINT)
    with Run(folder, settings, resume=resume, signals=stop) as run:
        try:
            run.write_json("data.json", {"file": source, **work.describe(data)})
            with Bar(ctx, "training") as bar:
                work.train(model, train, run=run, callback=bar)
        except OstinatoError as error:
            # Nothing was trained: a corrected command is not to be refused because of the folder.
            if not was_there and not isinstance(error, Interrupted) and not checkpoints(run.checkpoints):
                shutil.rmtree(folder, ignore_errors=True)
            raise
        model.save(folder / MODEL)
        baselines = work.baselines(model, train, settings)
        for name, baseline in baselines.items():
            baseline.save(folder / BASELINES / name)
        made = None if held is None else work.held_out(model, baselines, held, settings)
        _keep(run, made)
        run.write_json("environment.json", {**describe_machine(), "kernel": kernel_path(model)})
        report = write_report(folder)
    return {"run": str(folder), "task": task, **_found(made), "notes": notes, "report": str(report)}


def evaluate_file(ctx: typer.Context, folder: Path, file: Path, keep: bool) -> None:
    """What `ostinato evaluate` does."""
    task, settings = settings_of(folder)
    work, model = WORK[task], model_of(folder)
    data = work.read(file, settings)
    baselines = {p.name: load_model(p, KINDS) for p in sorted((folder / BASELINES).glob("*")) if p.is_dir()}
    if task == "forecast" and settings.data.sha256 == _digest(file):
        made = work.held_out(model, baselines, data, settings)
    else:
        made = work.unseen(model, baselines, data)
    if keep:
        with Run(folder, read_settings(folder)) as run:
            _keep(run, made)
            write_report(folder)
    result = {"run": str(folder), "file": str(file), "task": task, **_found(made)}
    emit(ctx, result, lambda console: show(console, result))


def predict_file(ctx: typer.Context, folder: Path, file: Path, out: Path | None, asked: dict[str, Any]) -> None:
    """What `ostinato predict` does; `asked` are options that not every task has."""
    task, settings = settings_of(folder)
    work, model = WORK[task], model_of(folder)
    asked = {name: value for name, value in asked.items() if value}
    for name in asked:
        if name not in work.asked:
            raise SettingsError(f"--{name}: only {ASKED[name]} have one")
    columns = work.predict(model, file, settings, **asked)
    rows = len(next(iter(columns.values())))
    result: dict[str, Any] = {"run": str(folder), "file": str(file), "rows": rows}
    if out is not None:
        write_columns(out, columns)
        result["out"] = str(out)
        emit(ctx, result, lambda console: console.print(f"{rows} rows in {out}"))
        return
    result["columns"] = columns
    emit(ctx, result, lambda console: console.print(_listed(columns)))


def _listed(columns: Mapping[str, Any]) -> Any:
    """The columns as a table; where they are many, one below the other, those that are 0 left out."""
    texts = [as_text(column) for column in columns.values()]
    if len(columns) <= MOST_COLUMNS:
        return table(list(columns), ((row, None) for row in zip(*texts, strict=True)))
    head = list(columns)
    rows = [
        [row[0], row[1], name, value]
        for row in zip(*texts, strict=True)
        for name, value in zip(head[2:], row[2:], strict=True)
        if value != "0"
    ]
    return table([*head[:2], "what", "value"], ((row, None) for row in rows))


def settings_of(folder: Path) -> tuple[str, Any]:
    """Task and settings of a run. Raises `DataError` where the folder is none, `SettingsError`, `CorruptFile`."""
    if not (folder / "settings.toml").is_file():
        raise DataError(f"{folder}: not a run folder, it has no settings.toml")
    found = read_settings(folder)
    task = task_of(found, folder / "settings.toml")
    return task, from_table(settings_kind(task), found)


def model_of(folder: Path) -> Estimator:
    """The trained model of a run. Raises `DataError` where training has not ended, `CorruptFile`."""
    if not (folder / MODEL).is_dir():
        raise DataError(f"{folder}: its training has not ended yet; run the same `fit` again to go on")
    return load_model(folder / MODEL, KINDS)


def network_of(model: Estimator) -> Any:
    """The network inside a model, or None."""
    return getattr(model, "network_", None)


def kernel_path(model: Estimator) -> str:
    """Which kernel the recurrent cells of a model run on in training, and why."""
    size = getattr(model, "batch_size", 1)
    cells = filter(_is_recurrent, jax.tree.leaves(network_of(model), is_leaf=_is_recurrent))
    found = dict.fromkeys(choose(cell, batch=size) for cell in cells)
    return "; ".join(f"{choice.kernel} ({choice.why})" for choice in found)


def _is_recurrent(part: Any) -> bool:
    return isinstance(part, Cell) and not isinstance(part, Stack) and not part.pointwise


def show(console: Any, result: Mapping[str, Any]) -> None:
    """The scores beside the baselines, and what to do next."""
    scores = result["scores"]
    if scores:
        names = list(dict.fromkeys(name for score in scores for name in score["values"]))
        rows = [
            ([s["model"], *(s["values"].get(name) for name in names)], "bold" if s["ours"] else None) for s in scores
        ]
        console.print(table([result["held_out"].split(";")[0].rstrip("."), *names], rows))
        console.print(result["verdict"], markup=False)
    elif "report" in result:
        console.print("Nothing was held out: judge it with `ostinato evaluate`.", markup=False)
    if "report" in result:
        console.print(f"\nRun folder {result['run']}, report {result['report']}", markup=False)


def _found(made: Evaluation | None) -> dict[str, Any]:
    """What `--json` says of an evaluation."""
    if made is None:
        return {"held_out": None, "verdict": None, "scores": []}
    plain = made.to_dict()
    return {name: plain[name] for name in ("held_out", "verdict", "scores")}


def _keep(run: Run, made: Evaluation | None) -> None:
    """Write `evaluation.json`, and its scores into `metrics.json` beside what training left there."""
    if made is None:
        return
    run.write_json("evaluation.json", made.to_dict())
    path = run.folder / "metrics.json"
    training = json.loads(path.read_text()) if path.exists() else {}
    run.write_json("metrics.json", {**training, **_found(made)})


def move_aside(ctx: typer.Context, folder: Path) -> None:
    """Give a run folder another name, unless somebody is training into it."""
    if not folder.exists():
        return
    if not (folder / "settings.toml").is_file():
        raise SettingsError(f"{folder}: exists and is not a run folder; it is left alone")
    Lock(folder / "lock").release()
    number = next(n for n in range(1, 10**6) if not folder.with_name(f"{folder.name}.{n}").exists())
    aside = folder.with_name(f"{folder.name}.{number}")
    folder.rename(aside)
    note(ctx, f"The run that was there is now {aside}.")


def _digest(path: Path) -> str:
    """SHA-256 of a file, so that a run is only resumed on the same data."""
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "no such file"
        raise DataError(f"{path}: {kind}")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
