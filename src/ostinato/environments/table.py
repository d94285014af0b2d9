"""The table of tasks that are acted in, read by the command line, the docs and the tests."""

from collections.abc import Callable
from dataclasses import dataclass

from ostinato.environments.bandit import ReversalBandit
from ostinato.environments.base import Environment
from ostinato.environments.classification import Classification
from ostinato.environments.memory import ContextIntegration, DelayedMatch, TMaze
from ostinato.environments.saccade import Antisaccade
from ostinato.environments.symbols import FlipFlop, TwelveAX


@dataclass(frozen=True)
class EnvironmentEntry:
    """A row: `make(**settings)` with defaults for all of them, one line of description, where it was published."""

    make: Callable[..., Environment]
    description: str
    reference: str


ENVIRONMENTS: dict[str, EnvironmentEntry] = {
    "12ax": EnvironmentEntry(TwelveAX, "answers to pairs that depend on the last digit", "O'Reilly and Frank 2006"),
    "antisaccade": EnvironmentEntry(
        Antisaccade, "look to where a cue was, or away from it, after a delay", "Gottlieb and Goldberg 1999"
    ),
    "bandit": EnvironmentEntry(ReversalBandit, "two arms that change places between episodes", "Wang et al. 2018"),
    "classification": EnvironmentEntry(
        Classification, "add up the evidence of shapes for one of two colours", "Yang and Shadlen 2007"
    ),
    "context": EnvironmentEntry(
        ContextIntegration, "the mean of the one of two noisy streams that the context names", "Mante et al. 2013"
    ),
    "flip-flop": EnvironmentEntry(FlipFlop, "the last pulse on each of three channels", "Sussillo and Barak 2013"),
    "match": EnvironmentEntry(DelayedMatch, "whether two stimuli with a delay between are the same", "Fuster 1971"),
    "t-maze": EnvironmentEntry(TMaze, "turn as the sign said at the other end of a corridor", "Bakker 2002"),
}
