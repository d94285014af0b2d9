"""How are gradients found? One file per rule; `base.py` holds the contract, `RULES` is the table."""

from typing import TYPE_CHECKING

from ostinato.tables import on_first_use

from .table import RULES as RULES

if TYPE_CHECKING:
    from .public import *
else:
    __getattr__, __dir__ = on_first_use(__name__)
