"""RECOLLECT with a delay of five steps: a curriculum on the delay, and without one."""

from ostinato.agents import make_learner
from ostinato.environments import Antisaccade

from .agents import INVESTIGATED, bounded, draw_learned, trained
from .base import Claim, Study, StudySettings

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
    return [
        bounded(
            f"curriculum: share that learned within {trials} trials",
            INVESTIGATED,
            None,
            with_["share"],
            without["share"],
            None,
            with_,
            {"no curriculum": without["share"]},
        ),
        bounded("no curriculum: share that learned", INVESTIGATED, None, without["share"], None, None, without),
    ]


STUDY = Study("RECOLLECT with a delay of five steps: does a curriculum help?", run, (), draw_learned)
