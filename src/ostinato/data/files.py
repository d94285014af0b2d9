"""Bytes from a file, plain or gzip, with damage and oversize refused in words before anything is parsed."""

import codecs
import gzip
import zipfile
import zlib
from pathlib import Path

from ostinato.errors import CorruptFile, DataError

LARGEST = 1 << 30
"""Bytes that a compressed file may hold once expanded: 1 GiB."""

# The mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    ((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), "UTF-32"),
    ((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "UTF-16"),
)


def read_bytes(path: str | Path, largest: int = LARGEST) -> bytes:
    """The content of a file; one that ends in `.gz` is expanded.

    Raises `DataError` (no such file) and `CorruptFile` (a damaged or truncated gzip file, or one that expands beyond
    `largest` bytes).
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        with gzip.open(path) as stream:
            content = stream.read(largest + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CorruptFile(f"{path}: damaged gzip file ({error})") from error
    if len(content) > largest:
        raise CorruptFile(f"{path}: expands beyond {largest} bytes, refused")
    return content


def read_text(path: str | Path, largest: int = LARGEST) -> str:
    """The content of a text file, plain or gzip: UTF-8 with or without a byte-order mark, UTF-16 or UTF-32 with one.

    Raises `DataError` (no such file, not text, or with a NUL) and `CorruptFile` as `read_bytes`.
    """
    content = read_bytes(path, largest)
    name = next((name for marks, name in _MARKS if content.startswith(marks)), "UTF-8")
    try:
        text = content.decode(name).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not {name} text ({error.reason} at byte {error.start})") from error
    if "\0" in text:
        line = 1 + text.count("\n", 0, text.index("\0"))
        raise DataError(f"{path}, line {line}: a NUL, which no text holds; expected {name} (UTF-16 begins with a mark)")
    return text


def zip_members(path: str | Path, suffix: str, largest: int = LARGEST) -> dict[str, bytes]:
    """The members of a zip archive whose names end in `suffix`, by name without folders; nothing is written to disk.

    Raises `CorruptFile` where the archive is damaged, says that they hold more than `largest` bytes, or holds a name
    twice.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if m.filename.endswith(suffix) and "__MACOSX" not in m.filename]
            size = sum(m.file_size for m in members)
            if size > largest:
                raise CorruptFile(f"{path}: expands to {size} bytes, above {largest}, refused")
            content = {m.filename.rsplit("/", 1)[-1]: archive.read(m) for m in members}
    except CorruptFile:
        raise
    except Exception as error:  # What damage makes the parser raise is not documented.
        raise CorruptFile(f"{path}: damaged zip archive ({error})") from error
    if len(content) < len(members):
        raise CorruptFile(f"{path}: a name ending in '{suffix}' occurs twice")
    return content
