"""AuGMEnT (Rombouts, Bohte and Roelfsema 2015): saccades with and without shaping, probabilistic classification."""

from ostinato.agents import Criterion, make_learner
from ostinato.environments import Antisaccade, Classification
from ostinato.environments.classification import WINDOWS

from .agents import bounded, draw_learned, trained
from .base import Claim, Study, StudySettings

SOURCE = "Rombouts, Bohte and Roelfsema 2015; table of the replication by Le Masson and Alexandre"
NETWORKS, TRIALS = 1000, 25_000
CLASSIFIERS, CLASSIFIED = 64, 200_000


def run(settings: StudySettings) -> list[Claim]:
    """1,000 networks on each form of the saccade task within 25,000 trials, 64 on the classification of shapes."""
    networks, trials = (2, 300) if settings.quick else (NETWORKS, TRIALS)
    claims = []
    for name, shaping, share, low, high in (
        ("shaping", 0.2, 0.9945, 0.99, None),
        ("no shaping", 0.0, 0.7641, 0.7, 0.88),
    ):
        env = Antisaccade(shaping=shaping)
        _, found = trained(settings, name, make_learner("augment", env), env, networks, trials)
        claims.append(bounded(f"{name}: share that learned", SOURCE, share, found["share"], low, high, found))
        if shaping:
            claims.append(bounded(f"{name}: median trials", SOURCE, 4_100.0, found["median"], 3_500, 4_500, found))
    env = Classification()
    windows = (40,) if settings.quick else WINDOWS
    networks, trials = (2, 300) if settings.quick else (CLASSIFIERS, CLASSIFIED)
    criterion = Criterion(0.85, windows, examine=False)
    _, found = trained(settings, "classification", make_learner("augment", env), env, networks, trials, criterion)
    name = f"classification: share that learned within {trials} trials"
    claims.append(bounded(name, SOURCE, 0.99, found["share"], 0.95, None, found))
    claims.append(bounded("classification: median trials", SOURCE, 55_234.0, found["median"], None, None, found))
    return claims


STUDY = Study("AuGMEnT: saccades with and without shaping, classification of shapes", run, (), draw_learned)
