"""A run folder: whose it is, what it was started with, what happened, and how far it got."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ostinato.errors import CorruptFile, SettingsError
from ostinato.runs.lock import Lock
from ostinato.runs.log import Log
from ostinato.runs.manifest import dump, environment
from ostinato.runs.settings import difference, to_table
from ostinato.runs.signals import STOP_SIGNALS
from ostinato.runs.storage import read_file, storage_errors, tidy, write_file
from ostinato.runs.toml import to_toml

LARGEST_SETTINGS = 1 << 20


class Run:
    """A folder that one process trains into, and that a later one with the same settings goes on from.

    ```
    lock  settings.toml  environment.json  log.jsonl  metrics.json  best/  checkpoints/step-00001200/
    ```

    * `settings`: a frozen dataclass or a table; written to `settings.toml`. A folder that is there already is resumed
      where its settings are equal, and refused, with the difference, where they are not, or where `resume` is False.
    * `keep`: how many checkpoints stay; `save_seconds`: at most this long, and a few steps, is lost by a kill.
    * `signals`: which ones end training after a checkpoint.

    Raises `RunLocked` (another process trains into it), `SettingsError`, `StorageError`, `CorruptFile` (damaged
    settings).

    ```python
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp()) / "run"
    >>> with Run(folder, {"hidden": 64}) as run:
    ...     run.resumed
    False
    >>> with Run(folder, {"hidden": 32}) as run:
    ...     pass
    Traceback (most recent call last):
    ostinato.errors.SettingsError: ...
      hidden: 64 there, 32 asked for

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
    ):
        self.folder = Path(folder)
        self.settings: dict[str, Any] = to_table(settings or {})
        self.keep = keep
        self.save_seconds = save_seconds
        self.signals = tuple(signals)
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

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a file of the folder. Raises `StorageError`."""
        write_file(self.folder / name, dump(dict(content), indent=1) + b"\n")

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
            write_file(path, to_toml(self.settings).encode())
            self.write_json("environment.json", environment())
            return False
        if not resume:
            raise SettingsError(f"{self.folder}: holds a run already; resume it, or choose another folder")
        lines = difference(read_settings(self.folder), self.settings)
        if lines:
            raise SettingsError(f"{self.folder}: holds a run of other settings:\n  " + "\n  ".join(lines))
        return True


def read_settings(folder: str | Path) -> dict[str, Any]:
    """The settings of a run folder. Raises `CorruptFile`."""
    path = Path(folder) / "settings.toml"
    try:
        return tomllib.loads(read_file(path, largest=LARGEST_SETTINGS).decode())
    except (ValueError, RecursionError) as error:
        raise CorruptFile(f"{path}: not valid TOML ({error})") from error
