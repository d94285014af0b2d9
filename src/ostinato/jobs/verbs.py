"""Run, evaluate, predict, explain: what can be done with a job, into a run folder and from one."""

import hashlib
import shutil
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from ostinato.errors import DataError, Interrupted, SettingsError
from ostinato.jobs.base import Job, refused
from ostinato.jobs.kernels import kernel_path
from ostinato.jobs.reporter import SILENT, Reporter
from ostinato.jobs.table import JOBS, job_of
from ostinato.models import MODELS, load_model
from ostinato.models.trained import digest
from ostinato.runs import STOP_SIGNALS, Evaluation, Record, Run, checkpoints, from_table, read_record, read_settings
from ostinato.runs.lock import Lock
from ostinato.runs.settings import load_settings, merge
from ostinato.runs.signals import Stopper
from ostinato.view import write_report

MODEL, BASELINES = "model", "baselines"
SIGNALS = (*STOP_SIGNALS, signal.SIGINT)
"""What stops a run after a checkpoint."""


@dataclass(frozen=True)
class RunRecord(Record):
    """What a run folder says about itself, and where it is.

    `said`: what was noted of the data on the way.
    """

    folder: Path = Path()
    said: tuple[str, ...] = ()

    def report(self, out: str | Path | None = None) -> Path:
        """Write the report, one HTML page that needs no network, to `out` or into the folder; gives its path."""
        return write_report(self.folder, out)


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
    """Run a job: read, hold out, check, train, compare with baselines, keep everything in a run folder, write its report.

    * `name`: a row of `JOBS`. `data`: a path, or what the job can read from Python: a frame, a `data.Series`,
      `data.LabelledSequences`, `data.Communities`; None for a job that reads none.
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
    settings = _complete(job, settings)
    path = Path(data) if isinstance(data, str | Path) else None
    if path is not None:
        settings = _marked(settings, _digest(path))
    found = job.read(data if path is None else path, settings)
    if path is None and job.source is not None:
        settings = _marked(settings, digest(found))
    folder = job.default_folder(path, settings) if folder is None else Path(folder)
    train, held = job.split(found, settings)
    said = job.notes(found)
    for words in said:
        reporter.note(words)
    model = job.build(settings)
    job.check(model, train, held, settings)
    if fresh:
        _move_aside(folder, reporter)
    with Stopper(SIGNALS) as stopper:
        was_there = _was_used(folder)
        try:
            with Run(folder, settings, resume=resume, stopper=stopper) as run:
                if not _ended(folder, held is not None):
                    source = type(data).__name__ if path is None else path.name
                    run.write_data({**({} if job.source is None else {"file": source}), **job.describe(found)})
                    with reporter.progress("training") as callback:
                        job.fit(model, train, run=run, callback=callback, **options)
                    _keep(job, run, model, train, held, settings)
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
    model = model_of(job, settings, folder)
    baselines = {p.name: load_model(p, MODELS) for p in sorted((folder / BASELINES).glob("*")) if p.is_dir()}
    found = job.read(data, settings)
    marked = getattr(settings.data, "sha256", "")
    same = marked and marked == (_digest(Path(data)) if isinstance(data, str | Path) else digest(found))
    if same and job.splits_time:
        made = job.evaluate(model, baselines, job.split(found, settings)[1], settings)
    else:
        made = job.unseen(model, baselines, found, settings)
    if keep:
        with Run(folder, read_settings(folder)) as run:
            run.write_evaluation(made)
        write_report(folder)
    return made


def predict(folder: str | Path, data: Any, **asked: Any) -> dict[str, Any]:
    """Predictions of a trained run, as columns by name.

    `asked`: options that not every job has, such as `horizon`. Raises as `run`.
    """
    folder = Path(folder)
    job, settings = job_and_settings(folder)
    if not job.has("predict"):
        raise refused("predict", folder, job.name, JOBS)
    asked = _asked(job, "asked", asked)
    return job.predict(model_of(job, settings, folder), data, settings, **asked)


def explain(folder: str | Path, **asked: Any) -> tuple[str, dict[str, Any]]:
    """What the model of a run has learned: a page as HTML, and the numbers behind it. Raises as `predict`."""
    folder = Path(folder)
    job, settings = job_and_settings(folder)
    if not job.has("explain"):
        raise refused("explain", folder, job.name, JOBS)
    asked = _asked(job, "explained", asked)
    return job.explain(model_of(job, settings, folder), folder, **asked)
