"""Settings as TOML text: the standard library reads it, this writes the small part of it that settings need."""

import datetime
import math
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from ostinato.errors import SettingsError

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def to_toml(settings: Mapping[str, Any]) -> str:
    """A table as TOML: `tomllib.loads(to_toml(s)) == s` for strings, numbers, booleans, dates, lists and nested tables.

    An entry of None is left out, as TOML has no word for it. Raises `SettingsError` for what TOML cannot hold.

    ```python
    >>> print(to_toml({"cell": "lstm", "rate": 1e-3, "data": {"horizon": 7}}), end="")
    cell = "lstm"
    rate = 0.001
    <BLANKLINE>
    [data]
    horizon = 7

    ```
    """
    return "".join(_table(settings, ()))


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    entries = {_text(key, path): value for key, value in table.items() if value is not None}
    lines = [f"{_key(k)} = {_value(v, (*path, k))}\n" for k, v in entries.items() if not isinstance(v, Mapping)]
    for key, value in entries.items():
        if isinstance(value, Mapping):
            inner = (*path, key)
            lines += [f"\n[{'.'.join(_key(k) for k in inner)}]\n", *_table(value, inner)]
    return lines


def _value(value: Any, path: tuple[str, ...]) -> str:
    if hasattr(value, "tolist"):
        value = value.tolist()
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value) if math.isfinite(value) else str(value)
        case str() | PurePath():
            return _string(str(value), path)
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case list() | tuple():
            return "[" + ", ".join(_value(v, path) for v in value) + "]"
        case Mapping():
            inner = (f"{_key(_text(k, path))} = {_value(v, path)}" for k, v in value.items() if v is not None)
            return "{" + ", ".join(inner) + "}"
    raise SettingsError(f"{'.'.join(path)}: a setting cannot be a {type(value).__name__}")


def _text(key: Any, path: tuple[str, ...]) -> str:
    if not isinstance(key, str):
        raise SettingsError(
            f"{'.'.join((*path, str(key)))}: the name of a setting must be text, got {type(key).__name__}"
        )
    return key


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key, (key,))


def _string(text: str, path: tuple[str, ...]) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SettingsError(f"{'.'.join(path)!r}: not valid Unicode") from error
    return (
        '"'
        + "".join(_ESCAPES.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c) for c in text)
        + '"'
    )
