"""The public names of the library, room by room, and the page on which each stands."""

import dataclasses
import functools
import importlib
import inspect
import os
import re
import types
from typing import Any

import ostinato

ROOMS = tuple(sorted(name for name in ostinato.__all__ if isinstance(getattr(ostinato, name), types.ModuleType)))
TOP = tuple(sorted(name for name in ostinato.__all__ if name not in ROOMS and not name.startswith("_")))


@dataclasses.dataclass(frozen=True)
class Name:
    """A public name: the room that gives it, what it is, the page and the anchor of its entry."""

    room: str
    name: str
    value: Any

    @property
    def path(self) -> str:
        """As it is written after `import ostinato`."""
        return f"ostinato.{self.room}.{self.name}"

    @property
    def own_page(self) -> bool:
        """Whether it is a class that does something: errors and records stand on the page of their room."""
        value = self.value
        if not inspect.isclass(value) or issubclass(value, (tuple, BaseException)):
            return False
        return any(is_member(label, part) for base in ours(value) for label, part in vars(base).items())

    @property
    def page(self) -> str:
        """The file of the page, from the top of the documentation."""
        return f"reference/{self.room}/{self.name}.md" if self.own_page else f"reference/{self.room}/index.md"

    @property
    def anchor(self) -> str:
        """The place on that page."""
        return "" if self.own_page else f"#{self.path}"


def ours(cls: type) -> list[type]:
    """A class and those that it stands on, as far as they are of this library."""
    return [base for base in cls.__mro__ if str(base.__module__).startswith("ostinato")]


def is_member(label: str, value: Any) -> bool:
    """Whether something in a class is a public method or property."""
    if label.startswith("_") and label != "__call__":
        return False
    if isinstance(value, (property, functools.cached_property)):
        return True
    found = getattr(value, "__func__", value)
    return callable(found) and not inspect.isclass(found) and inspect.isfunction(inspect.unwrap(found))


@functools.cache
def public(room: str) -> tuple[Name, ...]:
    """What a room gives to the world."""
    module = importlib.import_module(f"ostinato.{room}")  # noqa: TID251 - rooms of the library
    spread = vars(module)
    if os.path.exists(os.path.join(os.path.dirname(str(module.__file__)), "public.py")):
        lazily = vars(importlib.import_module(f"ostinato.{room}.public"))  # noqa: TID251 - the same
        spread = {**{name: value for name, value in spread.items() if name.isupper()}, **lazily}
    names = {
        name: value
        for name, value in spread.items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name != "TYPE_CHECKING"
        and _ours(value)
    }
    if room == "errors":
        names = {name: value for name, value in names.items() if inspect.isclass(value)}
    return tuple(Name(room, name, value) for name, value in sorted(names.items(), key=lambda pair: pair[0].lower()))


def _ours(value: Any) -> bool:
    return str(getattr(value, "__module__", "ostinato")).startswith("ostinato")


@functools.cache
def known() -> dict[str, Name]:
    """Names by how they are written in a text: in full, with the room, and alone where only one room has them."""
    every = [name for room in ROOMS for name in public(room)]
    alone: dict[str, list[Name]] = {}
    for name in every:
        alone.setdefault(name.name, []).append(name)
    found = {name: rows[0] for name, rows in alone.items() if len(rows) == 1 or len({id(r.value) for r in rows}) == 1}
    for name in every:
        found.update(dict.fromkeys((f"{name.room}.{name.name}", f"ost.{name.room}.{name.name}", name.path), name))
    for name in TOP:
        value = getattr(ostinato, name)
        home = next(row for row in every if row.value is value)
        found.update({name: home, f"ost.{name}": home, f"ostinato.{name}": home})
    return found


MENTION = re.compile(r"(?<![\[`\w])`([A-Za-z_.]+)(\([^`]*\))?`(?![\]`])")


def linked(markdown: str, here: str) -> str:
    """The page `here`, in which public names lead to their entries; small words alone are left as they are."""
    made, fenced = [], False
    for line in markdown.split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        if fenced or line.startswith(("    ", "#")) or "](" in line:
            made.append(line)
            continue
        made.append(MENTION.sub(lambda match: _link(match, here), line))
    return "\n".join(made)


def _link(match: re.Match[str], here: str) -> str:
    text = match[1]
    name = known().get(text)
    if name is None or name.page == here or not ("." in text or text[0].isupper()):
        return match[0]
    return f"[{match[0]}]({os.path.relpath(name.page, os.path.dirname(here) or '.')}{name.anchor})"
