"""The table of tasks that are acted in, read by the command line, the docs and the tests."""

from typing import TYPE_CHECKING

from ostinato.tables import Entry

if TYPE_CHECKING:
    from ostinato.environments.base import Environment

ENVIRONMENTS: "dict[str, Entry[Environment]]" = {
    "12ax": Entry(
        "environments.symbols:TwelveAX", "answers to pairs that depend on the last digit", "O'Reilly and Frank 2006"
    ),
    "antisaccade": Entry(
        "environments.saccade:Antisaccade",
        "look to where a cue was, or away from it, after a delay",
        "Gottlieb and Goldberg 1999",
    ),
    "bandit": Entry(
        "environments.bandit:ReversalBandit", "two arms that change places between episodes", "Wang et al. 2018"
    ),
    "classification": Entry(
        "environments.classification:Classification",
        "add up the evidence of shapes for one of two colours",
        "Yang and Shadlen 2007",
    ),
    "context": Entry(
        "environments.memory:ContextIntegration",
        "the mean of the one of two noisy streams that the context names",
        "Mante et al. 2013",
    ),
    "flip-flop": Entry(
        "environments.symbols:FlipFlop", "the last pulse on each of three channels", "Sussillo and Barak 2013"
    ),
    "match": Entry(
        "environments.memory:DelayedMatch", "whether two stimuli with a delay between are the same", "Fuster 1971"
    ),
    "t-maze": Entry("environments.memory:TMaze", "turn as the sign said at the other end of a corridor", "Bakker 2002"),
}
"""`make(**settings)`, with defaults for all of them."""
