"""A run folder: whose it is, what it was started with, what happened, and how far it got."""

import contextlib
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from ostinato.errors import CorruptFile, Interrupted, SettingsError
from ostinato.runs.checkpoint import checkpoints
from ostinato.runs.evaluation import Evaluation
from ostinato.runs.lock import Lock
from ostinato.runs.log import Log
from ostinato.runs.machine import describe_machine
from ostinato.runs.manifest import dump
from ostinato.runs.settings import difference, to_table
from ostinato.runs.signals import STOP_SIGNALS, Stopper
from ostinato.runs.storage import read_file, storage_errors, tidy, write_file
from ostinato.runs.toml import to_toml

LARGEST_SETTINGS = 1 << 20


def other_run(folder: Path, what: str, lines: Iterable[str]) -> str:
    """The refusal of a folder that holds a run of other settings: where they differ, and what can be done."""
    differ = "".join(f"\n  {line}" for line in lines)
    advice = "--fresh moves it aside and begins anew, --out names another folder"
    return f"{folder}: holds a run of other {what}:{differ}\n{advice}"


class Run:
    """A folder that one process trains into, and that a later one with the same settings goes on from.

    ```
    lock  settings.toml  environment.json  log.jsonl  checkpoints/step-00001200/  best/  metrics.json
    estimator.json  data.json  model/  baselines/  evaluation.json  report.html
    ```

    The second line is of estimators and jobs. Each file is written by one method: the settings and `environment.json`
    here, when the folder becomes a run; `estimator.json`, the settings of an estimator and a digest of its data, by its
    `fit`; `metrics.json`, what training says of itself, by the loop through `write_metrics`; what the
    data are and how the model did by jobs. Scores stand in `evaluation.json` alone, the last weights in the last
    checkpoint alone (`best/` is there where a validation set chose others), and those of a job that has ended in
    `model/` alone.

    * `settings`: a frozen dataclass or a table; written to `settings.toml`. A folder that is there already is resumed
      where its settings are equal, and refused, with the difference, where they are not, or where `resume` is False.
    * `keep`: how many checkpoints stay; `save_seconds`: at most this long, and a few steps, is lost by a kill.
    * `signals`: which ones end training after a checkpoint; `stopper`: somebody who notes them already.

    Raises `RunLocked` (another process trains into it), `SettingsError`, `StorageError`, `CorruptFile` (damaged
    settings).

    ```python
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp()) / "run"
    >>> with Run(folder, {"hidden": 64}) as run:
    ...     run.resumed
    False
    >>> with Run(folder, {"hidden": 64}) as run:
    ...     run.resumed
    True

    ```
    """

    def __init__(
        self,
        folder: str | Path,
        settings: Any = None,
        *,
        resume: bool = True,
        keep: int = 3,
        save_seconds: float = 30.0,
        signals: Iterable[int] = STOP_SIGNALS,
        stopper: Stopper | None = None,
    ):
        self.folder = Path(folder)
        self.settings: dict[str, Any] = to_table(settings or {})
        self.keep = keep
        self.save_seconds = save_seconds
        self.signals = tuple(signals)
        self._stopper = stopper
        self.log = Log(self.folder / "log.jsonl")
        with storage_errors(self.folder):
            self.checkpoints.mkdir(parents=True, exist_ok=True)
        self._lock = Lock(self.folder / "lock")
        try:
            tidy(self.folder)
            tidy(self.checkpoints)
            self.resumed = self._meet(resume)
        except BaseException:
            self._lock.release()
            raise

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def best(self) -> Path:
        return self.folder / "best"

    def stopping(self) -> AbstractContextManager[Stopper]:
        """Whoever notes the signals while it is entered."""
        return Stopper(self.signals) if self._stopper is None else contextlib.nullcontext(self._stopper)

    def check_stopped(self) -> None:
        """Stop between two pieces of work where a signal asked for it.

        Raises `Interrupted` where a checkpoint is there to go on from, `KeyboardInterrupt` where there is none.
        """
        if self._stopper is None or self._stopper.caught is None:
            return
        if not checkpoints(self.checkpoints):
            raise KeyboardInterrupt
        raise Interrupted(
            f"{self._stopper.caught}: stopped after training, with a checkpoint; start it again with the folder "
            f"{self.folder} to go on"
        )

    def write_environment(self, **more: Any) -> None:
        """Write `environment.json`: the machine and the versions, and what else is said of them."""
        self.write_json("environment.json", {**describe_machine(), **more})

    def write_metrics(self, summary: Mapping[str, Any]) -> None:
        """Write `metrics.json`: what training says of itself when it has ended."""
        self.write_json("metrics.json", summary)

    def write_data(self, about: Mapping[str, Any]) -> None:
        """Write `data.json`: what the data are."""
        self.write_json("data.json", about)

    def write_evaluation(self, made: Evaluation) -> None:
        """Write `evaluation.json`: how the model did beside its baselines."""
        self.write_json("evaluation.json", made.to_dict())

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a file of the folder. Raises `StorageError`."""
        write_file(self.folder / name, dump(dict(content), indent=1) + b"\n")

    def drop_checkpoints(self) -> None:
        """Remove what only going on needs, when the model is kept elsewhere. Raises `StorageError`."""
        for path in filter(Path.exists, (*checkpoints(self.checkpoints), self.best)):
            with storage_errors(path):
                shutil.rmtree(path)

    def close(self) -> None:
        """Let go of the folder."""
        self._lock.release()

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _meet(self, resume: bool) -> bool:
        """Whether the folder holds a run; if not, it does from now on."""
        path = self.folder / "settings.toml"
        if not path.exists():
            self.write_environment()
            write_file(path, to_toml(self.settings).encode())
            return False
        if not resume:
            raise SettingsError(f"{self.folder}: holds a run already; resume it, or choose another folder")
        lines = difference(read_settings(self.folder), self.settings)
        if lines:
            raise SettingsError(other_run(self.folder, "settings", lines))
        return True


def read_settings(folder: str | Path) -> dict[str, Any]:
    """The settings of a run folder. Raises `CorruptFile`."""
    path = Path(folder) / "settings.toml"
    try:
        return tomllib.loads(read_file(path, largest=LARGEST_SETTINGS).decode())
    except (ValueError, RecursionError) as error:
        raise CorruptFile(f"{path}: not valid TOML ({error})") from error
