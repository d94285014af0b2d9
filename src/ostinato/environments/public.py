"""The names of the room, loaded when the first of them is used."""

from .bandit import ReversalBandit as ReversalBandit
from .base import Environment as Environment
from .base import TimeStep as TimeStep
from .base import check_environment as check_environment
from .classification import Classification as Classification
from .embodied import walk as walk
from .embodied import watch_fall as watch_fall
from .memory import ContextIntegration as ContextIntegration
from .memory import DelayedMatch as DelayedMatch
from .memory import TMaze as TMaze
from .saccade import Antisaccade as Antisaccade
from .symbols import FlipFlop as FlipFlop
from .symbols import TwelveAX as TwelveAX
