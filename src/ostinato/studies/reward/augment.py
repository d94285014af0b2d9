"""AuGMEnT (Rombouts, Bohte and Roelfsema 2015): saccades with and without shaping, probabilistic classification."""

from ostinato.agents import Criterion, make_learner
from ostinato.environments import Antisaccade, Classification
from ostinato.environments.classification import WINDOWS
from ostinato.studies import Bar, Claim, StudySettings

from .population import trained

SOURCE = "Rombouts, Bohte and Roelfsema 2015; table of the replication by Le Masson and Alexandre"
NETWORKS, TRIALS = 1000, 25_000
CLASSIFIERS, CLASSIFIED = 64, 200_000


def run(settings: StudySettings) -> list[Claim]:
    """1,000 networks on each form of the saccade task within 25,000 trials, 64 on the classification of shapes."""
    networks, trials = (2, 300) if settings.quick else (NETWORKS, TRIALS)
    claims = []
    for name, shaping, share, bar in (
        ("shaping", 0.2, 0.9945, Bar.at_least(0.99)),
        ("no shaping", 0.0, 0.7641, Bar.between(0.7, 0.88)),
    ):
        env = Antisaccade(shaping=shaping)
        _, found = trained(settings, name, make_learner("augment", env), env, networks, trials)
        claims.append(Claim(f"{name}: share that learned", SOURCE, share, found["share"], bar, {}, found))
        if shaping:
            bar = Bar.between(3_500, 4_500)
            claims.append(Claim(f"{name}: median trials", SOURCE, 4_100.0, found["median"], bar, {}, found))
    env = Classification()
    windows = (40,) if settings.quick else WINDOWS
    networks, trials = (2, 300) if settings.quick else (CLASSIFIERS, CLASSIFIED)
    criterion = Criterion(0.85, windows, examine=False)
    _, found = trained(settings, "classification", make_learner("augment", env), env, networks, trials, criterion)
    name = f"classification: share that learned within {trials} trials"
    claims.append(Claim(name, SOURCE, 0.99, found["share"], Bar.at_least(0.95), {}, found))
    name = "classification: median trials"
    return [*claims, Claim(name, SOURCE, 55_234.0, found["median"], Bar.reported(), {}, found)]
