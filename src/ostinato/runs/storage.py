"""Files and folders that are there whole or not at all: written beside, synced, renamed."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from ostinato.errors import CorruptFile, StorageError

TEMPORARY = ".ostinato-new-"
"""How the name of a file or folder begins while it is being written."""

REPLACED = ".ostinato-old-"
"""How the name of a folder begins between the arrival of its successor and its own removal."""


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the system says about writing to `path` into a `StorageError`."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written ({error.strerror or error}); what was there before is kept"
        ) from error


def write_file(path: Path, content: bytes) -> None:
    """Replace a file in one step: after a crash it is the old one or the new one. Raises `StorageError`."""
    beside = path.parent / f"{TEMPORARY}{path.name}"
    with storage_errors(path):
        try:
            _write_synced(beside, content)
            os.replace(beside, path)
        except BaseException:
            _forget(beside)
            raise
        sync_folder(path.parent)


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Replace a folder by one with these files, in this order: write the file that vouches for the others last.

    Raises `StorageError`, with nothing left behind and the folder as it was.
    """
    beside = path.parent / f"{TEMPORARY}{path.name}"
    old = path.parent / f"{REPLACED}{path.name}"
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _forget(beside)
            beside.mkdir()
            for name, content in files.items():
                _write_synced(beside / name, content)
            sync_folder(beside)
            if path.exists():
                # A folder with content cannot be renamed over: for a moment the old one has another name.
                _forget(old)
                os.rename(path, old)
            os.rename(beside, path)
        except BaseException:
            _forget(beside)
            _restore(old)
            raise
        sync_folder(path.parent)
        _forget(old)


def tidy(folder: Path) -> None:
    """Finish what a killed process left: temporaries go, and a folder caught between two names gets its name back.

    Only for a folder that no other process writes to. Raises `StorageError`.
    """
    with storage_errors(folder):
        for path in sorted(folder.iterdir()):
            if path.name.startswith(REPLACED):
                _restore(path)
                _forget(path)
            elif path.name.startswith(TEMPORARY):
                _forget(path)


def settled(path: Path) -> Path:
    """The folder to read for `path`: its predecessor where a process was killed before the new one got the name."""
    old = path.parent / f"{REPLACED}{path.name}"
    return old if not path.exists() and old.is_dir() else path


def read_file(path: Path, *, largest: int, exactly: int | None = None) -> bytes:
    """The bytes of a regular file of bounded size; the size is checked before anything is read.

    Raises `CorruptFile` for a file that is missing, is no regular file (a link, pipe or device), or has another size.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise CorruptFile(f"{path}: not a regular file")
            if exactly is not None and status.st_size != exactly:
                raise CorruptFile(f"{path}: expected {exactly} bytes, got {status.st_size}")
            if status.st_size > largest:
                raise CorruptFile(f"{path}: {status.st_size} bytes, more than the {largest} that can be right")
            with open(descriptor, "rb", closefd=False) as stream:
                return stream.read(status.st_size)
        finally:
            os.close(descriptor)
    except CorruptFile:
        raise
    except OSError as error:
        raise CorruptFile(f"{path}: cannot be read ({error.strerror})") from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_synced(path: Path, content: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _restore(old: Path) -> None:
    path = old.parent / old.name.removeprefix(REPLACED)
    if old.is_dir() and not path.exists():
        os.rename(old, path)


def _forget(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
