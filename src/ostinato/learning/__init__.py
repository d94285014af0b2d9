"""How are gradients found? One file per rule; `base.py` holds the contract, `RULES` is the table."""

from .base import Approximate as Approximate
from .base import Exact as Exact
from .base import Refusal as Refusal
from .base import Rule as Rule
from .bptt import BPTT as BPTT
from .causal import CausalRule as CausalRule
from .kf_rtrl import KFRTRL as KFRTRL
from .learner import Learner as Learner
from .learner import Signal as Signal
from .learners import LEARNERS as LEARNERS
from .learners import LearnerEntry as LearnerEntry
from .local_rules import LSTM1997 as LSTM1997
from .local_rules import RFLO as RFLO
from .local_rules import EProp as EProp
from .online import OnlineRule as OnlineRule
from .policy import ActorCritic as ActorCritic
from .rtrl import RTRL as RTRL
from .rtrl import Hybrid as Hybrid
from .snap import SnAp as SnAp
from .table import RULES as RULES
from .table import RuleEntry as RuleEntry
from .tags import TaggedSarsa as TaggedSarsa
from .truncated import TruncatedBPTT as TruncatedBPTT
from .uoro import UORO as UORO
