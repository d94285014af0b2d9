"""What is a run folder? Lock, settings, log, checkpoints, weights and what was found; each file has one owner."""

from .checkpoint import Checkpoint as Checkpoint
from .checkpoint import checkpoints as checkpoints
from .checkpoint import latest as latest
from .checkpoint import load_checkpoint as load_checkpoint
from .checkpoint import load_weights as load_weights
from .checkpoint import save_checkpoint as save_checkpoint
from .checkpoint import save_weights as save_weights
from .evaluation import Evaluation as Evaluation
from .evaluation import Score as Score
from .evaluation import Section as Section
from .log import Log as Log
from .machine import describe_machine as describe_machine
from .manifest import environment as environment
from .record import Record as Record
from .record import read_record as read_record
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
