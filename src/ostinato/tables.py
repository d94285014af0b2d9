"""Tables that are read without JAX: a row says where its constructor stands, and a room loads when it is used."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from importlib import import_module  # noqa: TID251 - only names that stand in the tables of the source
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_LINE = re.compile(r"^from (\S+) import (\w+) as \2$", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class Entry(Generic[T]):
    """A row of a table: what makes the thing, one line of description, where it was published.

    `made_by` is the constructor, or the place of one in this library, `"room.module:name"`, which is imported when
    `make` is first asked for; `settings` are what the row gives it.

    ```python
    >>> from ostinato.cells import CELLS
    >>> CELLS["lstm"].reference
    'Gers, Schmidhuber and Cummins 2000'
    >>> CELLS["lstm"].make.__name__
    'LSTM'

    ```
    """

    made_by: str | Callable[..., T]
    description: str
    reference: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def make(self) -> Callable[..., T]:
        """The constructor, with the settings of the row."""
        found = self.made_by
        if isinstance(found, str):
            module, _, name = found.partition(":")
            found = operator.attrgetter(name)(import_module(f"ostinato.{module}"))
        return partial(found, **self.settings) if self.settings else found


def on_first_use(room: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` (PEP 562) of a room whose names stand in its `public.py`, each loaded on first use.

    A line `from .lstm import LSTM as LSTM` there says where a name comes from; that module alone is then loaded, not
    all that the room holds. A name of the room and a module in it must differ: the module would stand in the place of
    the name.
    """

    @cache
    def places() -> dict[str, str]:
        text = Path(*import_module(room).__path__, "public.py").read_text("utf-8")
        return {name: module for module, name in _LINE.findall(text)}

    def find(name: str) -> Any:
        # Dunders are what tools ask of any module; none of them is a reason to load.
        if name.startswith("_") or name not in places():
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        value = getattr(import_module(places()[name], room), name)
        setattr(import_module(room), name, value)
        return value

    return find, lambda: sorted({*vars(import_module(room)), *places()})
