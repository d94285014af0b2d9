"""How is a model trained, safely? The loop, checkpoints, the guard, the log, the lock, settings."""

from ostinato.data import stream as stream

from .agents import AgentsResult as AgentsResult
from .agents import train_agents as train_agents
from .checkpoint import Checkpoint as Checkpoint
from .checkpoint import checkpoints as checkpoints
from .checkpoint import latest as latest
from .checkpoint import load_checkpoint as load_checkpoint
from .checkpoint import load_weights as load_weights
from .checkpoint import save_checkpoint as save_checkpoint
from .checkpoint import save_weights as save_weights
from .ensemble import Ensemble as Ensemble
from .ensemble import each as each
from .gym import Actor as Actor
from .log import Log as Log
from .loop import FitResult as FitResult
from .loop import fit as fit
from .manifest import environment as environment
from .play import play as play
from .population import Criterion as Criterion
from .population import Population as Population
from .progress import Event as Event
from .run import Run as Run
from .run import read_settings as read_settings
from .settings import difference as difference
from .settings import from_table as from_table
from .settings import load_settings as load_settings
from .settings import to_table as to_table
from .signals import STOP_SIGNALS as STOP_SIGNALS
from .storage import write_file as write_file
from .storage import write_folder as write_folder
from .toml import to_toml as to_toml
