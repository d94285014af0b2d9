"""What is one step? One file per architecture; `base.py` holds the contract, `CELLS` is the table."""

from typing import TYPE_CHECKING

from ostinato.tables import on_first_use

from .table import CELLS as CELLS

if TYPE_CHECKING:
    from .public import *
else:
    __getattr__, __dir__ = on_first_use(__name__)
