"""How are gradients found? One file per rule; `base.py` holds the contract, `RULES` is the table."""

from .base import Approximate as Approximate
from .base import Exact as Exact
from .base import Refusal as Refusal
from .base import Rule as Rule
from .bptt import BPTT as BPTT
from .continuous import ContinuousBPTT as ContinuousBPTT
from .continuous import ContinuousRTRL as ContinuousRTRL
from .crbp import CRBP as CRBP
from .learner import Learner as Learner
from .learner import Signal as Signal
from .learners import LEARNERS as LEARNERS
from .learners import LearnerEntry as LearnerEntry
from .policy import ActorCritic as ActorCritic
from .rbp import RBP as RBP
from .table import RULES as RULES
from .table import RuleEntry as RuleEntry
from .tags import TaggedSarsa as TaggedSarsa
from .truncated import TruncatedBPTT as TruncatedBPTT
