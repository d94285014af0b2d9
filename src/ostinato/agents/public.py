"""The names of the room, loaded when the first of them is used."""

from .actor import Actor as Actor
from .base import Learner as Learner
from .base import Signal as Signal
from .greedy import play as play
from .load import load_agent as load_agent
from .load import make_environment as make_environment
from .load import make_learner as make_learner
from .policy import ActorCritic as ActorCritic
from .population import Criterion as Criterion
from .population import Population as Population
from .tags import TaggedSarsa as TaggedSarsa
from .train import AgentsResult as AgentsResult
from .train import train_agents as train_agents
