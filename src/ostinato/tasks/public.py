"""The names of the room, loaded when the first of them is used."""

from .adding import Adding as Adding
from .associative_recall import AssociativeRecall as AssociativeRecall
from .base import Task as Task
from .base import Trial as Trial
from .bits import BitCopy as BitCopy
from .bits import BitTask as BitTask
from .blocks import Blocks as Blocks
from .copying import Copy as Copy
from .dyck import Dyck as Dyck
from .graph import GraphTraversal as GraphTraversal
from .ngram import DynamicNGram as DynamicNGram
from .parity import DelayedParity as DelayedParity
from .parity import Parity as Parity
from .priority_sort import PrioritySort as PrioritySort
from .reber import EmbeddedReber as EmbeddedReber
from .reber import Reber as Reber
from .repeat_copy import RepeatCopy as RepeatCopy
from .reversal import Reversal as Reversal
from .series import mackey_glass as mackey_glass
from .series import narma as narma
from .temporal_order import TemporalOrder as TemporalOrder
