"""Which ready problems are there? Generators as pure functions; `TASKS` is the table."""

from .adding import Adding as Adding
from .base import Task as Task
from .base import Trial as Trial
from .copying import Copy as Copy
from .parity import DelayedParity as DelayedParity
from .reber import EmbeddedReber as EmbeddedReber
from .reber import Reber as Reber
from .table import TASKS as TASKS
from .table import TaskEntry as TaskEntry
from .temporal_order import TemporalOrder as TemporalOrder
