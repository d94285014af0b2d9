"""What the catalogue knows about a data set, and what readers give back."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ostinato.data.communities import Communities
from ostinato.data.sequences import LabelledSequences
from ostinato.data.series import Series
from ostinato.data.table import Table


@dataclass(frozen=True)
class File:
    """One file: its name in a local folder, its content's size and SHA-256, and where to download it.

    In a local folder it may be compressed further, as `name.gz`; size and checksum are those of the content. A file
    without an address can only come from a local folder.
    """

    name: str
    size: int
    sha256: str
    address: str | None = None


@dataclass(frozen=True)
class Bundle:
    """A zip archive to download in place of the files; such archives are packed anew, so their members are checked.

    `sha256` is that of all members whose name ends in `suffix`: of the sorted lines of their name without folders, a
    space and their own SHA-256.
    """

    name: str
    address: str
    suffix: str
    sha256: str


@dataclass(frozen=True)
class Entry:
    """One data set: what it is for, whose it is, where it comes from, how it is split, and what its reader gives.

    `shares`: another set, in whose local folder the files lie.
    """

    name: str
    task: str
    licence: str
    citation: str
    split: str
    gives: str
    files: tuple[File, ...]
    read: Callable[[Mapping[str, Path]], Any] | None = None
    bundle: Bundle | None = None
    shares: str | None = None

    @property
    def folder(self) -> str:
        """The name of the local folder."""
        return self.shares or self.name

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class SeriesSet(NamedTuple):
    """A table of aligned series, and the rows that are to fit on, to choose by, and to be judged by."""

    table: Table
    train: slice
    valid: slice
    test: slice


class HeldOut(NamedTuple):
    """Series to fit on, and what follows them."""

    train: Series
    test: Series


class SequenceSet(NamedTuple):
    """Labelled sequences in their official parts; `valid` is `None` where there is no such part."""

    train: LabelledSequences
    valid: LabelledSequences | None
    test: LabelledSequences


class CommunitySet(NamedTuple):
    """Communities to fit on, and communities to be judged by."""

    train: Communities
    test: Communities


class TextSet(NamedTuple):
    """Text to fit on, and text to be judged by."""

    train: str
    valid: str


def read_entries(path: Path, readers: Mapping[str, Callable[[Mapping[str, Path]], Any]]) -> dict[str, Entry]:
    """The entries in a TOML file by name, each with its reader where it has one."""
    rows = tomllib.loads(path.read_text("utf-8"))
    return {name: _entry(name, row, readers.get(name)) for name, row in rows.items()}


def _entry(name: str, row: dict[str, Any], read: Callable[[Mapping[str, Path]], Any] | None) -> Entry:
    sources, bundle = row.pop("sources"), row.pop("bundle", None)
    files = [_file(source, *line) for source in sources for line in source["files"]]
    gives = row.pop("gives", "no reader yet: `fetch` gives its files")
    made = None if bundle is None else Bundle(**bundle)
    return Entry(name, **row, gives=gives, files=tuple(files), read=read, bundle=made)


def _file(source: Mapping[str, Any], size: int, sha256: str, path: str, name: str = "") -> File:
    if "repository" not in source:
        return File(name or path, size, sha256)
    address = f"https://raw.githubusercontent.com/{source['repository']}/{source['commit']}/{path}"
    return File(name or path.rsplit("/", 1)[-1], size, sha256, address)
