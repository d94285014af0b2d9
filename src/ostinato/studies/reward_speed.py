"""How fast populations of RECOLLECT networks learn on this machine, the task included."""

from ostinato.agents import make_learner
from ostinato.environments import Antisaccade

from .agents import bounded, trained
from .base import Claim, Study, StudySettings

SOURCE = "published numpy code, one network: 7,700 steps a second, measured on this kind of machine"


def run(settings: StudySettings) -> list[Claim]:
    """64 networks with the end signal to criterion: seconds without compilation, and network steps a second."""
    networks, trials = (2, 300) if settings.quick else (64, 100_000)
    env = Antisaccade(interval=1, delay=2, end_signal=True)
    _, found = trained(settings, "64 networks", make_learner("recollect", env), env, networks, trials)
    rate = found["network_steps"] / max(found["seconds"], 1e-9)
    beside = {"published code, one network": 7_700.0}
    return [
        bounded("64 networks: seconds to criterion or 100,000 trials", SOURCE, None, found["seconds"], None, 60, found),
        bounded("64 networks: network steps a second", SOURCE, None, rate, 3e6, None, found, beside),
    ]


STUDY = Study("speed of 64 RECOLLECT networks on all devices", run)
