"""Which tasks are acted in? Environments as pure functions, and their Gymnasium side; `ENVIRONMENTS` is the table."""

from typing import TYPE_CHECKING

from ostinato.tables import on_first_use

from .table import ENVIRONMENTS as ENVIRONMENTS

if TYPE_CHECKING:
    from .public import *
else:
    __getattr__, __dir__ = on_first_use(__name__)
