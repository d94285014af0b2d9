"""How does a network learn from reward? Learners, populations of them, and how they act; `LEARNERS` is the table."""

from typing import TYPE_CHECKING

from ostinato.tables import on_first_use

from .table import LEARNERS as LEARNERS

if TYPE_CHECKING:
    from .public import *
else:
    __getattr__, __dir__ = on_first_use(__name__)
