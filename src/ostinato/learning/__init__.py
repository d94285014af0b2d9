"""How are gradients found? One file per rule; `base.py` holds the contract, `RULES` is the table."""

from .base import Approximate as Approximate
from .base import Exact as Exact
from .base import Method as Method
from .base import Refusal as Refusal
from .base import Rule as Rule
from .bptt import BPTT as BPTT
from .cma import CMAES as CMAES
from .direct import DirectRule as DirectRule
from .evolution_strategy import OpenAIES as OpenAIES
from .genes import genes_of as genes_of
from .genes import with_genes as with_genes
from .genetic import GeneticAlgorithm as GeneticAlgorithm
from .learner import Learner as Learner
from .learner import Signal as Signal
from .learners import LEARNERS as LEARNERS
from .learners import LearnerEntry as LearnerEntry
from .online import FORCE as FORCE
from .online import LMS as LMS
from .online import RLS as RLS
from .policy import ActorCritic as ActorCritic
from .ridge import Ridge as Ridge
from .search import RandomSearch as RandomSearch
from .table import RULES as RULES
from .table import RuleEntry as RuleEntry
from .tags import TaggedSarsa as TaggedSarsa
from .truncated import TruncatedBPTT as TruncatedBPTT
