"""How does a network run over a tree? Trees as sequences of nodes, cells that see children, one loop for all shapes."""

from typing import TYPE_CHECKING

from ostinato.tables import on_first_use

from .table import TREE_CELLS as TREE_CELLS

if TYPE_CHECKING:
    from .public import *
else:
    __getattr__, __dir__ = on_first_use(__name__)
