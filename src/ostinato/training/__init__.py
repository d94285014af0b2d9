"""How is a model trained, safely? The loop, checkpoints, the guard, the log, the lock, settings."""

from ostinato.data import stream as stream
from ostinato.runs import Run as Run

from .ensemble import Ensemble as Ensemble
from .ensemble import each as each
from .history import History as History
from .loop import FitResult as FitResult
from .loop import fit as fit
from .progress import Event as Event
