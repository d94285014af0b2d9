"""How does a cell run through time? Unrolling, stacks, directions, read-outs and the wrappers that fit every cell."""

from ostinato.kernels import step as step

from .bidirectional import Bidirectional as Bidirectional
from .bidirectional import BidirectionalState as BidirectionalState
from .dropout import Dropout as Dropout
from .echoes import echo_states as echo_states
from .feedback import FeedbackState as FeedbackState
from .feedback import OutputFeedback as OutputFeedback
from .initial import learn_initial_state as learn_initial_state
from .many_to_one import ManyToOne as ManyToOne
from .many_to_one import pool_steps as pool_steps
from .readout import Readout as Readout
from .record import recordable as recordable
from .rnn import RNN as RNN
from .rollout import rollout as rollout
from .stack import Stack as Stack
from .summary import Summary as Summary
from .summary import summary as summary
from .unroll import unroll as unroll
from .values import ActionValues as ActionValues
from .variational import VariationalDropout as VariationalDropout
from .zoneout import Zoneout as Zoneout
