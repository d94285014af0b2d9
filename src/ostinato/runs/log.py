"""What happened during training, one JSON object per line, in a file that survives being cut off."""

import json
import os
from pathlib import Path
from typing import Any

from ostinato.runs.manifest import dump
from ostinato.runs.storage import read_file, storage_errors, write_file

LARGEST_LOG = 1 << 30


class Log:
    """The file `log.jsonl`: each record is an object with at least `kind` and `step`, written out at once.

    A process that is killed may leave half a line at the end; `rewind` takes it away, with everything after the step
    that training goes on from, so that a resumed log reads like that of an uninterrupted run.
    """

    def __init__(self, path: Path):
        self.path = path

    def write(self, record: dict[str, Any]) -> None:
        """Append one record. Raises `StorageError`."""
        with storage_errors(self.path), open(self.path, "ab") as stream:
            stream.write(dump(record) + b"\n")

    def sync(self) -> None:
        """Make what was written survive a power cut. Raises `StorageError`."""
        if self.path.exists():
            with storage_errors(self.path), open(self.path, "ab") as stream:
                os.fsync(stream.fileno())

    def records(self) -> list[dict[str, Any]]:
        """All records that can be read; numbers that are not finite come back as the strings `nan`, `inf`, `-inf`."""
        return [record for record in map(_record, self._lines()) if record is not None]

    def rewind(self, step: int) -> int:
        """Drop the records after `step`, and damaged lines; gives the number of damaged ones. Raises `StorageError`."""
        read = [(line, _record(line)) for line in self._lines()]
        kept = [line for line, record in read if record is not None and record["step"] <= step]
        if len(kept) < len(read):
            write_file(self.path, b"".join(line + b"\n" for line in kept))
        return sum(record is None for _, record in read)

    def _lines(self) -> list[bytes]:
        if not self.path.exists():
            return []
        return [line for line in read_file(self.path, largest=LARGEST_LOG).split(b"\n") if line]


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("step"), int) else None
