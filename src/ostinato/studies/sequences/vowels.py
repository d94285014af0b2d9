"""Japanese vowels: which of nine speakers said /ae/, from 7 to 29 frames of 12 cepstra (Kudo et al. 1999)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ostinato.data import LabelledSequences, permutation
from ostinato.data.catalogue import load
from ostinato.models import SequenceClassifier
from ostinato.studies import Bar, Claim, StudySettings

BAR = 0.975
PUBLISHED = 0.928
SOURCE = "echo state network in ReservoirPy's fifth tutorial, the better of its two read-outs"

# Chosen by `cross_validate` on the 270 training sequences, with seeds from 100 up; the test set was not looked at.
SETTINGS: dict[str, Any] = {
    "cell": "gru",
    "hidden_size": 64,
    "bidirectional": True,
    "pool": "mean",
    "dropout": 0.3,
    "input_noise": 0.6,
    "sequence_noise": 0.3,
    "epochs": 60,
    "batch_size": 27,
    "learning_rate": 3e-3,
    "weight_decay": 1e-3,
    "buckets": 1,
}


def run(settings: StudySettings) -> list[Claim]:
    """Train on all 270 sequences with each seed, for a fixed number of epochs, and judge by the other 370."""
    data = load("japanese_vowels")
    return judged(data.train, data.test, SETTINGS | ({"epochs": 8} if settings.quick else {}), settings)


def judged(
    train: LabelledSequences, test: LabelledSequences, options: Mapping[str, Any], settings: StudySettings
) -> list[Claim]:
    """The claim about a part to train on and a part to be judged by."""
    found = scores_by_seed("vowels", train, test, options, settings.seed_list(5), settings)
    accuracies = [scores["accuracy"] for scores in found]
    ours = float(np.mean(accuracies))
    detail = {
        "accuracy_by_seed": accuracies,
        "errors_by_seed": [round((1 - a) * found[0]["count"]) for a in accuracies],
        "cross_entropy_by_seed": [scores["cross_entropy"] for scores in found],
        "confusion_of_seed_0": found[0]["confusion"],
        "classes": found[0]["classes"],
        "settings": options,
    }
    name = f"test accuracy, bidirectional GRU, mean of {len(found)} seeds"
    # The baselines are fitted in closed form on the same 270 sequences: they are the same for every seed.
    return [Claim(name, SOURCE, PUBLISHED, ours, Bar.at_least(BAR), found[0]["baselines"], detail)]


def scores_by_seed(
    name: str,
    train: LabelledSequences,
    test: LabelledSequences,
    options: Mapping[str, Any],
    seeds: Sequence[int],
    settings: StudySettings,
) -> list[dict[str, Any]]:
    """What a classifier of each seed, fitted to the one part, scores on the other."""
    found = []
    for seed in seeds:
        found.append(SequenceClassifier(**options, seed=seed).fit(train).evaluate(test))
        settings.note(f"{name}, seed {seed}: accuracy {found[-1]['accuracy']:.4f}")
    return found


def cross_validate(
    data: LabelledSequences, options: Mapping[str, Any], *, folds: int = 5, seed: int = 100
) -> dict[str, float]:
    """Accuracy and cross-entropy on each fold of `data` by a model of the others; folds hold each class alike."""
    assert data.labels is not None
    fold = np.zeros(len(data), int)
    for i, label in enumerate(np.unique(data.labels)):
        rows = np.flatnonzero(data.labels == label)
        fold[rows[permutation(len(rows), seed, i, name="folds")]] = np.arange(len(rows)) % folds
    found = []
    for k in range(folds):
        model = SequenceClassifier(**options, seed=seed).fit(data.take(fold != k))
        found.append(model.evaluate(data.take(fold == k)))
    counts = [scores["count"] for scores in found]
    return {
        name: float(np.average([scores[name] for scores in found], weights=counts))
        for name in ("accuracy", "cross_entropy")
    }
