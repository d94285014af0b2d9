"""Which ready problems are there? Generators as pure functions; `TASKS` is the table."""

from typing import TYPE_CHECKING

from ostinato.tables import on_first_use

from .table import TASKS as TASKS

if TYPE_CHECKING:
    from .public import *
else:
    __getattr__, __dir__ = on_first_use(__name__)
