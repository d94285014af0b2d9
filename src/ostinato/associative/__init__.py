"""What does a network settle to? Memories that are recalled from a part of them, and circuits that hold a pulse."""

from typing import TYPE_CHECKING

from ostinato.tables import on_first_use

from .table import ASSOCIATIVE as ASSOCIATIVE

if TYPE_CHECKING:
    from .public import *
else:
    __getattr__, __dir__ = on_first_use(__name__)
