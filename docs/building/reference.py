"""The reference: a page for each room and for each class that does something, made from the library itself."""

import functools
import inspect
from collections.abc import Mapping
from typing import Any

from .names import ROOMS, TOP, Name, is_member, known, ours, public
from .signatures import signature


def room_page(room: str) -> str:
    """What stands on the page of a room after its introduction: classes, functions, records, tables."""
    rows = public(room)
    own = [name for name in rows if name.own_page]
    here = [name for name in rows if not name.own_page]
    functions = [n for n in here if _is_function(n.value)]
    records = [n for n in here if inspect.isclass(n.value)]
    tables = [n for n in here if n not in functions and n not in records]
    parts = [f"```python\nimport ostinato as ost  # then ost.{room}.NAME\n```\n"]
    if own:
        lines = [f"| [`{n.name}`]({n.name}.md) | {first_sentence(n.value)} |" for n in own]
        parts += ["## Classes\n", "| class | |\n| --- | --- |", *lines, ""]
    for title, found in (("Functions", functions), ("Records", records)):
        if found:
            parts += [f"## {title}\n", *(entry(name) for name in found)]
    if tables:
        parts += ["## Tables and constants\n", *(constant(name) for name in tables)]
    return "\n".join(parts)


def entry(name: Name, level: int = 3) -> str:
    """A function or a record: heading, signature, text."""
    head = f"{'#' * level} `{name.name}` {{ #{name.path} }}\n"
    return "\n".join([head, _code(signature(name.value, name.path)), text(name.value), ""])


def constant(name: Name) -> str:
    """A table or a constant: what it holds."""
    value = name.value
    if isinstance(value, Mapping):
        said = f"A table of {len(value)} rows: " + ", ".join(f"`{key}`" for key in value) + "."
    else:
        said = f"`{value!r}`"
    return f"### `{name.name}` {{ #{name.path} }}\n\n`{name.path}`\n\n{said}\n"


def class_page(name: Name) -> str:
    """A class by itself: constructor, text, its own methods, and what it has from classes below it."""
    cls = name.value
    parts = [f"# {name.name}\n", f"`{name.path}`\n", _code(signature(cls, name.path)), text(cls), ""]
    own, inherited = members(cls)
    if own:
        parts += ["## Methods\n", *(method(name, label, value) for label, (value, _) in own.items())]
    rows = []
    for label, (value, base) in inherited.items():
        home = next((n for n in known().values() if n.value is base and n.own_page), None)
        source = f"[`{base.__name__}`](../{home.room}/{home.name}.md)" if home is not None else f"`{base.__name__}`"
        rows.append(f"| `{label}` | {first_sentence(value)} | {source} |")
    if rows:
        parts += ["## Inherited\n", "| method | | from |\n| --- | --- | --- |", *rows, ""]
    return "\n".join(parts)


def members(cls: type) -> tuple[dict[str, tuple[Any, type]], dict[str, tuple[Any, type]]]:
    """Public methods and properties: those of the class itself, and those of other classes of this library."""
    own: dict[str, tuple[Any, type]] = {}
    inherited: dict[str, tuple[Any, type]] = {}
    public_bases = [n.value for room in ROOMS for n in public(room) if inspect.isclass(n.value)]
    for base in ours(cls):
        for label, value in vars(base).items():
            if label in own or label in inherited or not is_member(label, value):
                continue
            # What a class that is not public gives is as good as its heir's own.
            mine = base is cls or (base not in public_bases and bool(inspect.getdoc(getattr(cls, label))))
            (own if mine else inherited)[label] = (value, base)
    return own, inherited


def method(name: Name, label: str, value: Any) -> str:
    """One method or property under its heading."""
    head = f"### `{label}` {{ #{name.path}.{label} }}\n"
    if isinstance(value, (property, functools.cached_property)):
        return "\n".join([head, "*property*\n", text(getattr(value, "fget", None) or value.func), ""])
    shown = "model" if label == "__call__" else label
    found = getattr(value, "__func__", value)
    return "\n".join([head, _code(signature(found, shown, method=True)), text(getattr(name.value, label)), ""])


def text(value: Any) -> str:
    """The docstring, which is Markdown."""
    said = inspect.getdoc(value) or ""
    if inspect.isclass(value) and not value.__doc__:
        said = ""
    if said.startswith(f"{getattr(value, '__name__', '')}(") or said == object.__init__.__doc__:
        return ""
    return said + "\n"


def first_sentence(value: Any) -> str:
    """What a thing is, on one line of a table."""
    said = text(getattr(value, "fget", value)).split("\n\n")[0].replace("\n", " ").strip()
    end = said.find(". ")
    said = said if end < 0 else said[: end + 1]
    return said.replace("|", "\\|")


def top_page() -> str:
    """The names that stand at the top, and all rooms."""
    lines = []
    for name in TOP:
        home = known()[name]
        lines.append(
            f"| [`ost.{name}`]({home.page.removeprefix('reference/')}{home.anchor}) | {first_sentence(home.value)} |"
        )
    return "\n".join(["| name | |\n| --- | --- |", *lines, ""])


def every_entry() -> dict[str, str]:
    """The text in which each public name has its entry, by its path: for the test that none is without."""
    pages = {room: room_page(room) for room in ROOMS}
    return {n.path: class_page(n) if n.own_page else pages[room] for room in ROOMS for n in public(room)}


def _is_function(value: Any) -> bool:
    return (
        callable(value) and not inspect.isclass(value) and (hasattr(value, "__name__") or hasattr(value, "__wrapped__"))
    )


def _code(text: str) -> str:
    return f"```python\n{text}\n```\n"
