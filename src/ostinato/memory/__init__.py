"""How does a network use a memory outside itself? Turing machines, the DNC, stacks and queues; `MEMORIES` the table."""

from typing import TYPE_CHECKING

from ostinato.tables import on_first_use

from .table import MEMORIES as MEMORIES

if TYPE_CHECKING:
    from .public import *
else:
    __getattr__, __dir__ = on_first_use(__name__)
