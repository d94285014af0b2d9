"""How does a network learn from reward? Learners, populations of them, and how they act; `LEARNERS` is the table."""

from .actor import Actor as Actor
from .base import Learner as Learner
from .base import Signal as Signal
from .load import load_agent as load_agent
from .load import make_environment as make_environment
from .load import make_learner as make_learner
from .play import play as play
from .policy import ActorCritic as ActorCritic
from .population import Criterion as Criterion
from .population import Population as Population
from .table import LEARNERS as LEARNERS
from .table import LearnerEntry as LearnerEntry
from .tags import TaggedSarsa as TaggedSarsa
from .train import AgentsResult as AgentsResult
from .train import train_agents as train_agents
