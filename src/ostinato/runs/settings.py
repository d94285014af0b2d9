"""Settings as frozen dataclasses: from TOML, with `key=value` overrides, types checked and unknown names refused."""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ostinato.errors import DataError, SettingsError, did_you_mean
from ostinato.runs.toml import to_toml

S = TypeVar("S")


def load_settings(kind: type[S], path: str | Path | None = None, overrides: Iterable[str] = ()) -> S:
    """The settings in a TOML file, with `section.key=value` overrides on top; the rest keeps its default.

    A value is written as in TOML; where a setting is text, the quotes may be left out. `none` clears an optional one.

    Raises `SettingsError`, which names the setting, what was expected and what came, for an unknown name the nearest
    known one; `DataError` where there is no such file.

    ```python
    >>> @dataclasses.dataclass(frozen=True)
    ... class Model:
    ...     cell: str = "gru"
    ...     hidden: int = 64
    >>> @dataclasses.dataclass(frozen=True)
    ... class Settings:
    ...     rate: float = 1e-3
    ...     model: Model = Model()
    >>> load_settings(Settings, overrides=["model.cell=lstm", "rate=1"])
    Settings(rate=1.0, model=Model(cell='lstm', hidden=64))
    >>> load_settings(Settings, overrides=["model.hiden=3"])
    Traceback (most recent call last):
    ostinato.errors.SettingsError: model.hiden: no such setting; did you mean 'model.hidden'?

    ```
    """
    table = read_toml(path) if path is not None else {}
    for override in overrides:
        _override(kind, table, override)
    return from_table(kind, table)


def from_table(kind: type[S], table: Mapping[str, Any]) -> S:
    """A dataclass, nested ones included, from a table such as `tomllib` reads. Raises `SettingsError`."""
    return _build(kind, table, ())


def to_table(settings: Any) -> dict[str, Any]:
    """The settings (a dataclass or a table) as plain nested dictionaries, exactly as they read back from TOML."""
    return tomllib.loads(to_toml(settings if isinstance(settings, Mapping) else dataclasses.asdict(settings)))


def read_toml(path: str | Path) -> dict[str, Any]:
    """The table in a TOML file. Raises `SettingsError` (not TOML) and `DataError` (cannot be read)."""
    try:
        return tomllib.loads(Path(path).read_bytes().decode())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: not valid TOML ({error})") from error


def difference(there: Mapping[str, Any], asked: Mapping[str, Any], *, path: tuple[str, ...] = ()) -> list[str]:
    """Line by line, where two tables of settings differ.

    ```python
    >>> difference({"hidden": 64, "data": {"horizon": 7}}, {"hidden": 32, "data": {"horizon": 7}, "seed": 1})
    ['hidden: 64 there, 32 asked for', 'seed: nothing there, 1 asked for']

    ```
    """
    lines = []
    for key in dict.fromkeys([*there, *asked]):
        name, old, new = (*path, key), there.get(key), asked.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            lines += difference(old, new, path=name)
        elif not _same(old, new):
            lines.append(f"{'.'.join(name)}: {_shown(old)} there, {_shown(new)} asked for")
    return lines


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(_same(a, b) for a, b in zip(old, new, strict=True))
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    # 1 and 1.0 and True are equal in Python, and NaN is not itself; as settings it is the other way round.
    return type(old) is type(new) and (old == new or (old != old and new != new))


def _build(kind: Any, table: Any, path: tuple[str, ...]) -> Any:
    if not isinstance(table, Mapping):
        raise SettingsError(f"{'.'.join(path)}: expected a table, got {table!r:.80}")
    hints = typing.get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}
    for key in table:
        if key not in fields:
            raise SettingsError(_unknown((*path, str(key)), fields))
    values = {key: _convert(value, hints[key], (*path, key)) for key, value in table.items()}
    for name, field in fields.items():
        if name not in values and field.default is field.default_factory is dataclasses.MISSING:
            raise SettingsError(f"{'.'.join((*path, name))}: must be given")
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"{'.'.join(path) or kind.__name__}: {error}") from error


def _unknown(path: tuple[str, ...], known: Iterable[str]) -> str:
    *outer, key = path
    known = list(known)
    near = did_you_mean(key, known, "".join(f"{part}." for part in outer)) or f"; known are {', '.join(known)}"
    return f"{'.'.join(path)}: no such setting{near}"


def _convert(value: Any, kind: Any, path: tuple[str, ...]) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin is typing.Annotated:
        return _convert(value, inner[0], path)
    if origin in (typing.Union, types.UnionType):
        return _first(value, inner, path)
    if dataclasses.is_dataclass(kind):
        return value if isinstance(value, kind) else _build(kind, value, path)  # pyright: ignore[reportArgumentType]
    if origin is typing.Literal:
        if not any(value == option and type(value) is type(option) for option in inner):
            raise SettingsError(f"{'.'.join(path)}: expected one of {', '.join(map(repr, inner))}, got {value!r:.80}")
        return value
    if origin in (list, tuple) and isinstance(value, list | tuple):
        kinds = _element_kinds(origin, inner, len(value), path)
        return origin(_convert(v, k, (*path, str(i))) for i, (v, k) in enumerate(zip(value, kinds, strict=True)))
    if origin is dict and isinstance(value, Mapping):
        return {str(k): _convert(v, inner[1], (*path, str(k))) for k, v in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 1 << 1000 else _refuse(value, kind, path)
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    plain = isinstance(kind, type) and origin is None and isinstance(value, kind)
    if plain and not (isinstance(value, bool) and kind is not bool):
        return value
    if kind is types.NoneType and value is None:
        return None
    return _refuse(value, kind, path)


def _refuse(value: Any, kind: Any, path: tuple[str, ...]) -> Any:
    name = kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)
    raise SettingsError(f"{'.'.join(path)}: expected {name}, got {value!r:.80}")


def _first(value: Any, kinds: tuple[Any, ...], path: tuple[str, ...]) -> Any:
    """The value as the first of several types that takes it; for a table its own complaint is the clearest."""
    errors = []
    for kind in kinds:
        try:
            return _convert(value, kind, path)
        except SettingsError as error:
            errors.append(error)
            if dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
                raise
    expected = " or ".join(k.__name__ if isinstance(k, type) and not typing.get_args(k) else str(k) for k in kinds)
    raise SettingsError(f"{'.'.join(path)}: expected {expected}, got {value!r:.80}") from errors[-1]


def _element_kinds(origin: Any, inner: tuple[Any, ...], size: int, path: tuple[str, ...]) -> tuple[Any, ...]:
    if origin is list or (len(inner) == 2 and inner[1] is Ellipsis):
        return (inner[0],) * size
    if len(inner) != size:
        raise SettingsError(f"{'.'.join(path)}: expected {len(inner)} values, got {size}")
    return inner


def _override(kind: Any, table: dict[str, Any], override: str) -> None:
    name, equals, text = override.partition("=")
    path = tuple(part.strip() for part in name.split("."))
    if not equals or not all(path):
        raise SettingsError(f"{override!r}: expected name=value")
    target, inside = kind, table
    for depth, key in enumerate(path):
        hints = typing.get_type_hints(target) if dataclasses.is_dataclass(target) else None
        if hints is not None and key not in hints:
            raise SettingsError(_unknown(path[: depth + 1], [f.name for f in dataclasses.fields(target)]))  # pyright: ignore
        target = hints[key] if hints is not None else Any
        target = next((k for k in typing.get_args(target) if dataclasses.is_dataclass(k)), target)
        if depth < len(path) - 1:
            inside = inside.setdefault(key, {})
            if not isinstance(inside, dict):
                raise SettingsError(f"{'.'.join(path[: depth + 1])}: not a table, it has no {path[depth + 1]!r}")
    inside[path[-1]] = _literal(text.strip(), target)


def _literal(text: str, kind: Any) -> Any:
    options = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    if text.lower() == "none" and types.NoneType in options:
        return None
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    only_text = all(option in (str, Path, types.NoneType) for option in options)
    return text if only_text and not quoted else _parsed(text)


def _parsed(text: str) -> Any:
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return read["value"] if read.keys() == {"value"} else text
