"""One writer per run folder: an advisory lock that the system drops by itself when its holder dies."""

import fcntl
import os
from pathlib import Path

from ostinato.errors import RunLocked
from ostinato.runs.storage import storage_errors


class Lock:
    """Holds `path` from construction to `release`; the file names the process.

    Raises `RunLocked`, which names the process that holds it, and `StorageError` where the file cannot be made.
    """

    def __init__(self, path: Path):
        with storage_errors(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise RunLocked(
                f"{path.parent}: in use by process {holder or 'unknown'}, wait for it or stop it"
            ) from error
        except OSError:
            os.close(self._descriptor)
            raise
        with storage_errors(path):
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let the next one in. The file stays: removing it would let two processes hold two files of one name."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
