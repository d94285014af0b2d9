"""Japanese vowels: nine speakers, one utterance each time."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.files import read_text
from ostinato.data.sequences import LabelledSequences
from ostinato.errors import DataError

from .entry import SequenceSet


def _part(path: Path) -> LabelledSequences:
    values, labels = [], []
    _, found, body = read_text(path).partition("@data")
    for line in body.split("\n") if found else ():
        if line.strip():
            *features, label = line.split(":")
            values.append(np.array([[float(v) for v in feature.split(",")] for feature in features]).T)
            labels.append(int(label))
    if not values:
        raise DataError(f"{path}: no sequences after '@data'")
    return LabelledSequences(values, np.array(labels), tuple(f"lpc{i + 1}" for i in range(values[0].shape[1])))


def read(paths: Mapping[str, Path]) -> SequenceSet:
    """The utterances of both parts."""
    return SequenceSet(_part(paths["JapaneseVowels_TRAIN.ts"]), None, _part(paths["JapaneseVowels_TEST.ts"]))
