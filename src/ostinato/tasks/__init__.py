"""Which ready problems are there? Generators as pure functions; `TASKS` is the table."""

from .adding import Adding as Adding
from .bandit import ReversalBandit as ReversalBandit
from .base import Task as Task
from .base import Trial as Trial
from .classification import Classification as Classification
from .copying import Copy as Copy
from .embodied import walk as walk
from .embodied import watch_fall as watch_fall
from .environment import Environment as Environment
from .environment import Feedback as Feedback
from .environment import check_environment as check_environment
from .environments import ENVIRONMENTS as ENVIRONMENTS
from .environments import EnvironmentEntry as EnvironmentEntry
from .memory import ContextIntegration as ContextIntegration
from .memory import DelayedMatch as DelayedMatch
from .memory import TMaze as TMaze
from .parity import DelayedParity as DelayedParity
from .reber import EmbeddedReber as EmbeddedReber
from .reber import Reber as Reber
from .saccade import Antisaccade as Antisaccade
from .symbols import FlipFlop as FlipFlop
from .symbols import TwelveAX as TwelveAX
from .table import TASKS as TASKS
from .table import TaskEntry as TaskEntry
from .temporal_order import TemporalOrder as TemporalOrder
