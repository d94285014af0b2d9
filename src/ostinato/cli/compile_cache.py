"""Where programs that the command compiled are kept for its next call: most of the time of a small job is compiling.

`$XDG_CACHE_HOME/ostinato`, else `~/.cache/ostinato`, and in it a folder for each set of versions and each kind of
processor: what was compiled for one must not be loaded on another. JAX reads and writes the entries; here is where, how
much, and for whom. `OSTINATO_CACHE` names another folder, or `off`. A library that is imported keeps nothing.
"""

import atexit
import contextlib
import hashlib
import os
import platform
import stat
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

SETTING = "OSTINATO_CACHE"
OFF = "off"
LARGEST = 512 << 20
"""Bytes that are kept; entries that were used longest ago go first."""

_DAMAGED = "Error (reading|writing) persistent compilation cache entry"


def keep_compiled() -> Path | None:
    """Have JAX keep what it compiles from here on; gives the folder, None where nothing is kept.

    Nothing is: with `OSTINATO_CACHE=off`; where JAX is loaded already or was given a cache of its own
    (`JAX_COMPILATION_CACHE_DIR`), which is then left as it is; in a folder that cannot be written to or that others
    could write to, because an entry is code that runs; on a processor that does not say what it can do.

    Two processes may share the folder, and a damaged entry is compiled anew. At the end of the process the entries
    beyond `LARGEST` are removed.
    """
    where = os.environ.get(SETTING, "")
    if where == OFF or "JAX_COMPILATION_CACHE_DIR" in os.environ or "jax" in sys.modules:
        return None
    root = Path(where).absolute() if where else _default()
    processor = _processor()
    if root is None or processor is None:
        return None
    folder = root / _name(processor)
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        for path in (root, folder):
            path.mkdir(mode=0o700, exist_ok=True)
        if not all(_is_ours(path) for path in (root, folder)):
            return None
    except OSError:
        return None
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    # A job is many small programs: each of them is worth a file.
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
    warnings.filterwarnings("ignore", _DAMAGED)
    atexit.register(lambda: prune(root) if "jax" in sys.modules else None)
    return folder


def prune(root: Path, largest: int = LARGEST) -> None:
    """Remove the entries that were used longest ago until what is left has at most so many bytes."""
    entries = []
    for path in root.glob("*/*-cache"):
        with contextlib.suppress(OSError):  # another process may be at it
            found = path.stat()
            entries.append((max(found.st_atime, found.st_mtime), found.st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= largest:
            return
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size


def _default() -> Path | None:
    """The user's folder for what can be made again."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(given):  # a relative one is invalid and to be ignored, as the specification has it
        return Path(given) / "ostinato"
    try:
        return Path.home() / ".cache" / "ostinato"
    except RuntimeError:
        return None


def _name(processor: str) -> str:
    """One for each set of versions and kind of processor."""
    parts = [version(name) for name in ("ostinato", "jax", "jaxlib")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts += [platform.system(), platform.machine(), str(cores), processor]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _processor() -> str | None:
    """Model and instruction sets of the first core, as Linux tells them; None where nobody does."""
    try:
        first = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0]
    except OSError:
        return None
    told = {"vendor_id", "cpu family", "model", "model name", "stepping", "flags", "Features"}
    named = [(line.partition(":")[0].strip(), line) for line in first.splitlines()]
    return "\n".join(line for name, line in named if name in told or name.startswith("CPU ")) or None


def _is_ours(folder: Path) -> bool:
    """Whether this user, and nobody else, can write to it."""
    found = folder.stat()
    others = stat.S_IWGRP | stat.S_IWOTH
    return found.st_uid == os.geteuid() and not found.st_mode & others and os.access(folder, os.W_OK | os.X_OK)
