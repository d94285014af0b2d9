"""RECOLLECT on delayed pro- and anti-saccades (van den Berg, Roelfsema and Bohte 2024), beside other learners."""

from ostinato.agents import make_learner
from ostinato.environments import Antisaccade
from ostinato.studies import Bar, Claim, StudySettings

from .population import INVESTIGATED, trained

SOURCE = "van den Berg, Roelfsema and Bohte 2024: solved; the medians are not in the parts that we read"
NETWORKS, OTHERS = 64, 16


def run(settings: StudySettings) -> list[Claim]:
    """64 networks with and without a signal at the end of a trial; then other learners on the first task."""
    quick = settings.quick
    networks, others = (2, 2) if quick else (NETWORKS, OTHERS)
    trials = 300 if quick else 100_000
    signal = Antisaccade(interval=1, delay=2, end_signal=True)
    plain = Antisaccade(interval=1, delay=2)
    _, first = trained(settings, "end signal", make_learner("recollect", signal), signal, networks, trials)
    _, second = trained(
        settings, "no end signal", make_learner("recollect", plain), plain, networks, trials if quick else 250_000
    )
    beside, details = {}, {}
    for name in ("augment", "lstm", "gru", "reinforce"):
        _, found = trained(settings, name, make_learner(name, signal), signal, others, 300 if quick else 25_000)
        details[name] = found
        beside[f"{name}, share"] = found["share"]
        if found["median"] is not None:
            beside[f"{name}, median"] = found["median"]
    lstm, most, between = details["lstm"], Bar.at_least(0.95), Bar.between
    rows = (
        ("end signal: share that learned", SOURCE, "share", most, {}, first),
        ("end signal: median trials", INVESTIGATED, "median", between(9_000, 19_000), beside, first),
        ("no end signal: share that learned", SOURCE, "share", most, {}, second),
        ("no end signal: median trials", INVESTIGATED, "median", between(50_000, 90_000), {}, second),
        ("LSTM by actor-critic: share that learned", INVESTIGATED, "share", most, {}, lstm),
        *(
            (f"{name}: median trials, end signal", INVESTIGATED, "median", Bar.reported(), {}, d)
            for name, d in details.items()
        ),
    )
    return [Claim(name, source, None, d[figure], bar, others, d) for name, source, figure, bar, others, d in rows]
