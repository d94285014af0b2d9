"""Run, evaluate, predict, explain: what can be done with a job, into a run folder and from one."""

import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ostinato.data import by_name
from ostinato.errors import SettingsError
from ostinato.jobs.base import Explanation, refused
from ostinato.jobs.folder import (
    RunRecord,
    baselines_of,
    free,
    has_ended,
    job_and_settings,
    keep_found,
    model_of,
    move_aside,
    record_of,
    whole,
)
from ostinato.jobs.options import Option
from ostinato.jobs.reporter import SILENT, Reporter
from ostinato.jobs.settings import complete, digest_of, marked
from ostinato.jobs.table import JOBS, job_of
from ostinato.models.forecast.anomalies import Anomalies
from ostinato.models.trained import digest
from ostinato.runs import STOP_SIGNALS, Evaluation, Record, Run, checkpoints, read_settings, to_table, write_file
from ostinato.runs.manifest import dump
from ostinato.runs.signals import Stopper
from ostinato.view import render

SIGNALS = (*STOP_SIGNALS, signal.SIGINT)
"""What stops a run after a checkpoint."""


def run(
    name: str,
    data: Any = None,
    settings: Any = None,
    folder: str | Path | None = None,
    *,
    reporter: Reporter = SILENT,
    resume: bool = True,
    fresh: bool = False,
    **options: Any,
) -> RunRecord:
    """Run a job: read, hold out, check, train, compare with baselines, keep all in a run folder, write its report.

    * `name`: a row of `JOBS`. `data`: a path, a name of the catalogue (`data.by_name`), or what the job can read from
      Python: a frame, a `data.Series`, `data.LabelledSequences`, `data.Communities`; None for a job that reads none.
    * `settings`: a table such as `settings.toml` holds, of which everything may be left out, or the job's dataclass.
    * `folder`: a run of the same settings on the same data that is there is gone on with, one that ended is given back;
      default `runs/NAME`. `resume=False` refuses one that is there, `fresh=True` moves it aside.
    * `reporter`: whom notes and progress are told; default nobody. `options`: of the job that are no settings.

    In the main thread, SIGTERM, SIGUSR1 and SIGINT end training after a checkpoint (`Interrupted`). Where nothing was
    trained yet, no folder stays.

    Raises `SettingsError`, `DataError`, `CorruptFile`, `RunLocked`, `StorageError`, `NonFiniteError`.

    ```python
    >>> import math, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp()) / "waves"
    >>> waves = {"day": [f"2020-01-{d:02}" for d in range(1, 31)], "y": [math.sin(d) for d in range(30)]}
    >>> small = {"data": {"target": ["y"]}, "model": {"hidden_size": 2, "context": 4, "epochs": 1}}
    >>> record = run("forecast", waves, small, folder)
    >>> record.evaluation.held_out
    '6 forecasts of 1 step in the held-out end, 2020-01-25 to 2020-01-30; skill is 1 − MSE / MSE of persistence.'
    >>> record.report() == folder / "report.html"
    True

    ```
    """
    job = job_of(name)
    known = [option.name for option in job.options if option.part is None]
    for option in options:
        if option not in known:
            raise SettingsError(f"{option}: {name} has no such option; it has {', '.join(known) or 'none'}")
    settings = complete(job, settings)
    path, data, source = _source(data)
    if path is not None:
        settings = marked(settings, digest_of(path))
    found = job.read(data if path is None else path, settings)
    if path is None and job.source is not None:
        settings = marked(settings, digest(found))
    folder = (
        job.default_folder(path or (Path(source) if source else None), settings) if folder is None else Path(folder)
    )
    train, held = job.split(found, settings)
    said = tuple(dict.fromkeys([*job.notes(found), *job.notes(train)]))
    for words in (*said, *job.plan(settings)):
        reporter.note(words)
    model = job.build(settings)
    job.check(model, train, held, settings)
    if fresh:
        move_aside(folder, reporter)
    with Stopper(SIGNALS) as stopper:
        free(folder, to_table(settings))
        was_there = (folder / "settings.toml").exists()
        try:
            with Run(folder, settings, resume=resume, stopper=stopper) as run:
                if has_ended(folder, held is not None):
                    run.drop_checkpoints()
                else:
                    if job.source is not None:
                        source = source or type(data).__name__
                        run.write_data({"file": source, **job.describe(found)})
                    run.check_stopped()
                    with reporter.progress(job.progress) as callback:
                        job.fit(model, train, run, callback, **options)
                    later = tuple(words for words in getattr(model, "notes_", ()) if words not in said)
                    for words in later:
                        reporter.note(words)
                    said += later
                    with reporter.waiting("baselines and evaluation"):
                        keep_found(job, run, model, train, held, settings)
        except BaseException:
            # Nothing was trained: a corrected command is not to be refused because of the folder.
            if not was_there and not checkpoints(folder / "checkpoints"):
                shutil.rmtree(folder, ignore_errors=True)
            raise
    record = record_of(folder, said)
    record.report()
    return record


def evaluate(folder: str | Path, data: Any, *, keep: bool = False) -> Evaluation:
    """Judge a trained run on data that it has not seen, beside its baselines.

    `data`: as for `run`. The data of the run itself are judged on what was held out of them. `keep` makes it the
    evaluation of the run, and of its report. Raises as `run`; `SettingsError` for a job that has no such thing.
    """
    folder = Path(folder)
    job, settings = job_and_settings(folder)
    if not job.has("unseen"):
        raise refused("unseen", folder, job.name, JOBS)
    model, baselines = model_of(job, settings, folder), baselines_of(folder)
    path, data, _ = _source(data)
    sha256 = None if path is None else digest_of(path)
    found = job.read(data if path is None else path, settings)
    sha256 = digest(found) if path is None else sha256
    judge = job.evaluate if job.holds_out_end and settings.data.sha256 == sha256 else job.unseen
    made = whole(job, model, judge(model, baselines, found, settings))
    if keep:
        with Run(folder, read_settings(folder)) as run:
            run.write_evaluation(made)
        record_of(folder).report()
    return made


def predict(folder: str | Path, data: Any, *, reporter: Reporter = SILENT, **asked: Any) -> dict[str, Any]:
    """Predictions of a trained run, as columns by name; `data`: as for `run`.

    `asked`: options that not every job has, such as `horizon`. Raises as `run`.
    """
    folder = Path(folder)
    job, settings = job_and_settings(folder)
    if not job.has("predict"):
        raise refused("predict", folder, job.name, JOBS)
    model = model_of(job, settings, folder)
    path, data, _ = _source(data)
    made = job.predict(model, data if path is None else path, settings, **_known(job.asked, asked, "asked"))
    for words in made.notes:
        reporter.note(words)
    return made.columns


def anomalies(folder: str | Path, data: Any, threshold: float = 0.01) -> Anomalies:
    """How unlikely each value is that came after those of training, by a run of forecasts.

    See `models.forecast.anomalies`. Raises as `predict`; `SettingsError` for a run of another job.
    """
    folder = Path(folder)
    job, settings = job_and_settings(folder)
    if not job.has("anomalies"):
        raise refused("anomalies", folder, job.name, JOBS)
    return job.anomalies(model_of(job, settings, folder), data, settings, threshold)


def explain(
    folder: str | Path, out: str | Path | None = None, *, reporter: Reporter = SILENT, **asked: Any
) -> Explanation:
    """What the model of a run has learned, written as `explain.json` and as a page (`explain.html`, or `out`).

    Raises as `predict`.
    """
    folder = Path(folder)
    job, settings = job_and_settings(folder)
    if not job.has("explain"):
        raise refused("explain", folder, job.name, JOBS)
    model = model_of(job, settings, folder)
    found = job.explain(model, settings, **_known(job.explained, asked, "explained"))
    for words in found.notes:
        reporter.note(words)
    page = explained_page(folder, out)
    write_file(folder / "explain.json", dump(found.numbers, indent=1) + b"\n")
    page.parent.mkdir(parents=True, exist_ok=True)
    write_file(page, render(Record(folder.resolve().name, evaluation=found.page)).encode())
    return found


def explained_page(folder: Path, out: str | Path | None) -> Path:
    """Where `explain` writes its page."""
    return folder / "explain.html" if out is None else Path(out)


def _source(data: Any) -> tuple[Path | None, Any, str | None]:
    """Where the data are, as a file, else what they are: as they came, or from the catalogue; and their name.

    What is no file and the name of a data set is that one.
    """
    if not isinstance(data, str | Path):
        return None, data, None
    path = Path(data)
    found = None if path.exists() else by_name(path.as_posix())
    return (path, data, path.name) if found is None else (None, found, path.as_posix())


def _known(options: Sequence[Option], asked: Mapping[str, Any], rows: str) -> dict[str, Any]:
    """Those of the options that were given. Raises `SettingsError` for one that the job does not have."""
    given = {name: value for name, value in asked.items() if value is not None and value is not False}
    for name in given:
        if name not in [option.name for option in options]:
            able = " and ".join(j.plural for j in JOBS.values() if name in [o.name for o in getattr(j, rows)])
            raise SettingsError(f"--{name}: only {able} have one" if able else f"--{name}: no such option")
    return given
