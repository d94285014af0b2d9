"""The classifier as it comes, on 17 sets: beside the nearest neighbour and linear maps, and what it costs."""

import resource
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ostinato.data import LabelledSequences
from ostinato.data.catalogue import load
from ostinato.errors import DataError
from ostinato.models import SequenceClassifier
from ostinato.models.comparison import PairedTest
from ostinato.studies import Bar, Claim, StudySettings

from .archives import ARCHIVES, Split, read_archive
from .digits import frames

CHOSEN_ON = (
    "GunPoint",
    "ArrowHead",
    "BasicMotions",
    "ItalyPowerDemand",
    "UnitTest",
    "digits",
    "indoor_movement",
    "japanese_vowels",
)
"""Sets on which settings of the library's choice were chosen; the others only judge.

The random filters alone, with settings that stayed as they were, had been run on all sets before the two halves were
named.
"""

CATALOGUED = ("japanese_vowels", "indoor_movement", "unipen_digits", "fsdd")
QUICK = ("UnitTest",)
REFERENCES = ("nearest neighbour", "linear", "linear of values")
SOURCE = "the official split of each set; labels of the test part were used for nothing but this table"
LEAD = 0.02


class Found(NamedTuple):
    """What came out on one set, of one seed."""

    accuracy: float
    beside: dict[str, float]
    tests: dict[str, PairedTest]
    chance: float
    detail: dict[str, Any]


def run(settings: StudySettings) -> list[Claim]:
    """Every set whose package is there, with default settings; then the means over the halves and over all."""
    found: dict[str, Found] = {}
    absent: dict[str, str] = {}
    for name in QUICK if settings.quick else (*CATALOGUED, *ARCHIVES):
        try:
            train, test = parts(name)
        except DataError as error:
            settings.note(f"classifiers: left out: {error}")
            absent[name] = str(error)
            continue
        found[name] = judged(name, train, test, settings.seed_list(1), settings)
    if not found:
        raise DataError("classifiers: none of the sets is there")
    claims = [_of_one(name, one) for name, one in found.items()]
    halves = {
        "sets that chose nothing": [name for name in found if name not in CHOSEN_ON],
        "sets that settings were chosen on": [name for name in found if name in CHOSEN_ON],
        "all sets": list(found),
    }
    means = (_mean(words, [found[name] for name in names], absent) for words, names in halves.items() if names)
    return [*claims, *means]


def parts(name: str) -> Split:
    """What is to be learned from, and what judges. Raises `DataError` where a set is not there."""
    if name in ARCHIVES:
        return read_archive(name)
    data = load(name)
    train, test = (frames(data.train), frames(data.test)) if name == "fsdd" else (data.train, data.test)
    # Each sequence is a case of its own, as it is where no groups are known.
    return train, replace(test, groups=None)


def judged(
    name: str, train: LabelledSequences, test: LabelledSequences, seeds: list[int], settings: StudySettings
) -> Found:
    """The default classifier of each seed; its tests are those of the first."""
    scores, seconds, chosen = [], [], []
    for seed in seeds:
        begin = _processor()
        model = SequenceClassifier(seed=seed).fit(train)
        scores.append(model.evaluate(test))
        seconds.append(round(_processor() - begin, 1))
        chosen.append(model.notes_)
        accuracy = scores[-1]["accuracy"]
        settings.note(f"classifiers, {name}, seed {seed}: {accuracy:.3f}, {seconds[-1]} s; {' '.join(model.notes_)}")
    first = scores[0]
    detail = {
        "accuracy_by_seed": [one["accuracy"] for one in scores],
        "cross_entropy": first["cross_entropy"],
        "calibration_error": first["calibration_error"],
        "processor_seconds": seconds,
        "chosen": [list(words) for words in chosen],
        "count": first["count"],
    }
    beside = {reference: first["baselines"][reference] for reference in REFERENCES}
    chance = max(1 / len(first["classes"]), first["baselines"]["majority"])
    return Found(float(np.mean(detail["accuracy_by_seed"])), beside, first["tests"], chance, detail)


def _of_one(name: str, found: Found) -> Claim:
    better = max(found.beside, key=lambda reference: found.beside[reference])
    test = found.tests[better]
    first = found.detail["accuracy_by_seed"][0]
    words = (
        f"not below {better} ({found.beside[better]:.3f}) by {test.name} at 5 % (p = {test.p:.3g}), and above chance"
    )
    holds = (first >= found.beside[better] or not test.shows) and found.accuracy > found.chance
    role = "a set that settings were chosen on" if name in CHOSEN_ON else "a set that only judges"
    seconds = found.detail["processor_seconds"][0]
    said = f"test accuracy on {name}, default settings; {role}; {seconds:.0f} s of processor time"
    return Claim(said, SOURCE, None, found.accuracy, Bar.fact(words, holds), found.beside, found.detail)


def _mean(words: str, found: list[Found], absent: dict[str, str]) -> Claim:
    ours = float(np.mean([one.accuracy for one in found]))
    best = float(np.mean([max(one.beside.values()) for one in found]))
    beside = {name: float(np.mean([one.beside[name] for one in found])) for name in REFERENCES}
    bar = Bar.at_least(best + LEAD, "the mean of the better of nearest neighbour and linear on each set, and 0.02")
    count = f"{len(found)} of {len(CATALOGUED) + len(ARCHIVES)} sets"
    return Claim(f"mean test accuracy, {words} ({count})", SOURCE, None, ours, bar, beside, {"left_out": absent})


def _processor() -> float:
    """Seconds of processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
