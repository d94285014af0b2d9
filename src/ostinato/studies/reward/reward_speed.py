"""How fast populations of RECOLLECT networks learn on this machine, the task included."""

from ostinato.agents import make_learner
from ostinato.environments import Antisaccade
from ostinato.studies import Bar, Claim, StudySettings

from .population import trained

SOURCE = "published numpy code, one network: 7,700 steps a second, measured on this kind of machine"


def run(settings: StudySettings) -> list[Claim]:
    """64 networks with the end signal to criterion: seconds without compilation, and network steps a second."""
    networks, trials = (2, 300) if settings.quick else (64, 100_000)
    env = Antisaccade(interval=1, delay=2, end_signal=True)
    _, found = trained(settings, "64 networks", make_learner("recollect", env), env, networks, trials)
    rate = found["network_steps"] / max(found["seconds"], 1e-9)
    beside = {"published code, one network": 7_700.0}
    name = "64 networks: seconds to criterion or 100,000 trials"
    return [
        Claim(name, SOURCE, None, found["seconds"], Bar.at_most(60), {}, found),
        Claim("64 networks: network steps a second", SOURCE, None, rate, Bar.at_least(3_000_000), beside, found),
    ]
