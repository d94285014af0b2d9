"""RECOLLECT with a delay of five steps: a curriculum on the delay, and without one."""

from ostinato.agents import make_learner
from ostinato.environments import Antisaccade
from ostinato.studies import Bar, Claim, StudySettings

from .population import INVESTIGATED, trained

TRIALS, NETWORKS = 300_000, 50


def run(settings: StudySettings) -> list[Claim]:
    """50 networks each, delay 5, interval 3; with the curriculum at least as many are to learn the task."""
    networks, trials = (2, 300) if settings.quick else (NETWORKS, TRIALS)
    details = []
    for curriculum in (True, False):
        env = Antisaccade(delay=5, interval=3, curriculum=curriculum)
        what = "curriculum" if curriculum else "no curriculum"
        details.append(trained(settings, what, make_learner("recollect", env), env, networks, trials)[1])
    with_, without = details
    alone = without["share"]
    name, bar = f"curriculum: share that learned within {trials} trials", Bar.at_least(alone, "that without one")
    return [
        Claim(name, INVESTIGATED, None, with_["share"], bar, {"no curriculum": alone}, with_),
        Claim("no curriculum: share that learned", INVESTIGATED, None, alone, Bar.reported(), {}, without),
    ]
