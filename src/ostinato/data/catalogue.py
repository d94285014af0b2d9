"""The catalogue of public data sets: found in a local folder, in the cache, or downloaded, and always checked.

Each file has a pinned address and a SHA-256; nothing is used that differs from it. Look at the licence of an entry
before you use its data.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ostinato.errors import CorruptFile, DataError, did_you_mean

from .files import read_bytes, zip_members
from .sets import (
    beer,
    engines,
    forecasting,
    indoor,
    m4,
    microbiome,
    music,
    pen,
    speech,
    stories,
    text,
    trees,
    univariate,
    vowels,
)
from .sets.entry import Bundle, Entry, File, SeriesSet, read_entries

_READERS = {
    "univariate_small": univariate.tables,
    "vega_series": univariate.tables,
    "etth1": forecasting.etth1,
    "exchange_rate": forecasting.exchange_rate,
    "m4_hourly_weekly": m4.read,
    "beijing_pm25": forecasting.beijing,
    "santafe_laser": forecasting.laser,
    "japanese_vowels": vowels.read,
    "fsdd": speech.read,
    "indoor_movement": indoor.read,
    "unipen_digits": pen.read,
    "cmapss_fd001": engines.read,
    "tinyshakespeare": text.shakespeare,
    "names": text.surnames,
    "poly_music": music.read,
    "microbiome": microbiome.read,
    "microbiome-passages": microbiome.read_passages,
    "sst": trees.sentences,
    "listops": trees.list_operations,
    "babi_en": stories.babi,
    "alkanes": trees.alkanes,
    "beer_agents": beer.read,
}

CATALOGUE: dict[str, Entry] = read_entries(Path(__file__).with_name("sets") / "catalogue.toml", _READERS)
"""All data sets by name, as `sets/catalogue.toml` has them."""


def load(name: str, folder: str | Path | None = None) -> Any:
    """A data set as its natural type, which `CATALOGUE[name].gives` describes, with the official split.

    Raises as `fetch` does.
    """
    return read(entry_of(name), folder)


def fetch(name: str, folder: str | Path | None = None) -> dict[str, Path]:
    """The files of a data set by name, each checked against its SHA-256.

    Looked for, in this order, in `folder/name` (by default `$OSTINATO_DATA/name`), in the cache, and at the pinned
    address.

    Raises `DataError` (no such data set; a file that is nowhere and cannot be downloaded) and `CorruptFile` (a file
    that is not what the catalogue says).
    """
    return find(entry_of(name), folder)


def by_name(name: str, folder: str | Path | None = None) -> Any:
    """The data of a catalogue name as a job reads them: `NAME`, or `NAME/PART`; None where it is no such name.

    `PART` is the name of one of several tables, or `train` (the default), `valid` or `test` of a set that is split.
    Raises as `fetch`; `DataError` where a part has to be named, or there is none of that name.
    """
    first, _, part = name.partition("/")
    if first not in CATALOGUE:
        return None
    found = load(first, folder)
    for word in part.split("/") if part else [""]:
        if isinstance(found, SeriesSet):
            found = found.table
            break
        parts = found if isinstance(found, Mapping) else found._asdict() if hasattr(found, "_asdict") else {}
        chosen = word or ("train" if "train" in parts else "")
        if parts and parts.get(chosen) is None:
            known = [f"{first}/{key}" for key, value in parts.items() if value is not None]
            raise DataError(f"{name}: expected one of {', '.join(known)}")
        found = parts[chosen] if parts else found
    return found


def entry_of(name: str) -> Entry:
    """The entry of a data set; raises `DataError` for an unknown name."""
    if name not in CATALOGUE:
        raise DataError(
            f"no data set '{name}' in the catalogue; it has {', '.join(CATALOGUE)}{did_you_mean(name, CATALOGUE)}"
        )
    return CATALOGUE[name]


def read(entry: Entry, folder: str | Path | None = None) -> Any:
    """The same as `load`, for any entry."""
    if entry.read is None:
        raise DataError(f"'{entry.name}' has no reader; `fetch` gives its files")
    return entry.read(find(entry, folder))


def find(entry: Entry, folder: str | Path | None = None) -> dict[str, Path]:
    """The same as `fetch`, for any entry."""
    root = folder if folder is not None else os.environ.get("OSTINATO_DATA")
    local = {} if root is None else {f.name: _local(Path(root) / entry.folder, f) for f in entry.files}
    missing = [f for f in entry.files if local.get(f.name) is None]
    if missing and entry.bundle is not None:
        return {entry.bundle.name: _bundle(entry, entry.bundle)}
    return {f.name: local.get(f.name) or _download(entry, f) for f in entry.files}


def _local(folder: Path, file: File) -> Path | None:
    for path in (folder / file.name, folder / f"{file.name}.gz"):
        if path.is_file():
            _check(path, file, read_bytes(path) if path.name != file.name else path.read_bytes())
            return path
    return None


def _check(path: Path, file: File, content: bytes) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise CorruptFile(f"{path}: not the file of the catalogue: SHA-256 {found}, expected {file.sha256}")


def _download(entry: Entry, file: File) -> Path:
    if file.address is None:
        raise DataError(
            f"{entry.name}: {file.name} has no public address; place it in the folder {entry.folder} of $OSTINATO_DATA"
        )
    return _retrieve(entry, file.name, file.address, file.sha256)


def _bundle(entry: Entry, bundle: Bundle) -> Path:
    path = _retrieve(entry, bundle.name, bundle.address, None)
    members = zip_members(path, bundle.suffix)
    lines = sorted(f"{name} {hashlib.sha256(content).hexdigest()}\n" for name, content in members.items())
    found = hashlib.sha256("".join(lines).encode()).hexdigest()
    if found != bundle.sha256:
        raise CorruptFile(f"{path}: members are not those of the catalogue: {found}, expected {bundle.sha256}")
    return path


def _retrieve(entry: Entry, name: str, address: str, sha256: str | None) -> Path:
    import pooch

    pooch.get_logger().setLevel("ERROR")
    place = Path(pooch.os_cache("ostinato")) / entry.folder / name
    try:
        path = pooch.retrieve(
            address, None if sha256 is None else f"sha256:{sha256}", fname=place.name, path=place.parent
        )
    except ValueError as error:
        raise CorruptFile(f"{entry.name}: {address} is not the file of the catalogue: {error}") from error
    except OSError as error:
        raise DataError(
            f"{entry.name}: {name} is in no local folder, and {address} could not be downloaded ({error}); "
            f"place it in the folder {entry.folder} of $OSTINATO_DATA"
        ) from error
    return Path(path)
