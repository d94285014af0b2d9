"""The table of learners that act, read by the command line, the docs and the tests."""

from typing import TYPE_CHECKING

from ostinato.tables import Entry

if TYPE_CHECKING:
    from ostinato.agents.base import Learner

AUGMENT = {
    "cell": "augment",
    "hidden_size": 4,
    "beta": 0.15,
    "lambda_": 0.2,
    "exploration": "boltzmann",
    "episodic": True,
}
"""AuGMEnT's published parameters."""

LEARNERS: "dict[str, Entry[Learner]]" = {
    "augment": Entry(
        "agents.tags:TaggedSarsa", "local tags, memory units that add up changes", "Rombouts et al. 2015", AUGMENT
    ),
    "gru": Entry("agents.policy:ActorCritic", "actor-critic through time, a GRU", "Mnih et al. 2016", {"cell": "gru"}),
    "lstm": Entry(
        "agents.policy:ActorCritic", "actor-critic through time, an LSTM", "Mnih et al. 2016", {"cell": "lstm"}
    ),
    "recollect": Entry("agents.tags:TaggedSarsa", "local tags, memory units with one gate", "van den Berg et al. 2024"),
    "reinforce": Entry(
        "agents.policy:ActorCritic", "policy gradient of whole trials, an LSTM", "Williams 1992", {"critic": False}
    ),
}
"""`make(observation_size, action_size, **settings)`."""
