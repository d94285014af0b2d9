"""Tables that are read without JAX: a row says where its constructor stands, and a room loads when it is used."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib import import_module  # noqa: TID251 - only names that stand in the tables of the source
from typing import Any, Generic, TypeVar

T = TypeVar("T")


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
    """`__getattr__` and `__dir__` (PEP 562) of a room whose names stand in its `public.py`, loaded on first use.

    A name of the room and a module in it must differ: the module would stand in the place of the name.
    """

    def load() -> dict[str, Any]:
        found = vars(import_module(f"{room}.public"))
        names = {name: value for name, value in found.items() if not name.startswith("_")}
        vars(import_module(room)).update(names)
        return names

    def find(name: str) -> Any:
        # Dunders are what tools ask of any module; none of them is a reason to load.
        names = {} if name.startswith("_") else load()
        if name not in names:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return names[name]

    return find, lambda: sorted({*vars(import_module(room)), *load()})
