"""The table of learners that act, read by the command line, the docs and the tests."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ostinato.agents.base import Learner
from ostinato.agents.policy import ActorCritic
from ostinato.agents.tags import TaggedSarsa


@dataclass(frozen=True)
class LearnerEntry:
    """A row: `make(observation_size, action_size, **settings)`, one line of description, where it was published."""

    make: Callable[..., Learner]
    description: str
    reference: str


augment = partial(
    TaggedSarsa,
    cell="augment",
    hidden_size=4,
    beta=0.15,
    lambda_=0.2,
    exploration="boltzmann",
    episodic=True,
)
"""AuGMEnT with the published parameters."""

LEARNERS: dict[str, LearnerEntry] = {
    "augment": LearnerEntry(augment, "local tags, memory units that add up changes", "Rombouts et al. 2015"),
    "gru": LearnerEntry(partial(ActorCritic, cell="gru"), "actor-critic through time, a GRU", "Mnih et al. 2016"),
    "lstm": LearnerEntry(partial(ActorCritic, cell="lstm"), "actor-critic through time, an LSTM", "Mnih et al. 2016"),
    "recollect": LearnerEntry(TaggedSarsa, "local tags, memory units with one gate", "van den Berg et al. 2024"),
    "reinforce": LearnerEntry(
        partial(ActorCritic, critic=False), "policy gradient of whole trials, an LSTM", "Williams 1992"
    ),
}
