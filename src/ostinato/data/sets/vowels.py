"""Japanese vowels: nine speakers, one utterance each time."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.archives import read_ts
from ostinato.data.sequences import LabelledSequences
from ostinato.errors import DataError

from .entry import SequenceSet


def _part(path: Path) -> LabelledSequences:
    values, labels = read_ts(path)
    if labels is None:
        raise DataError(f"{path}: its sequences have no labels")
    names = tuple(f"lpc{i + 1}" for i in range(values[0].shape[1]))
    return LabelledSequences(values, np.array(labels).astype(int), names)


def read(paths: Mapping[str, Path]) -> SequenceSet:
    """The utterances of both parts."""
    return SequenceSet(_part(paths["JapaneseVowels_TRAIN.ts"]), None, _part(paths["JapaneseVowels_TEST.ts"]))
