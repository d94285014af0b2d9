"""Japanese vowels: nine speakers, one utterance each time."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.archives import read_ts
from ostinato.data.sequences import LabelledSequences
from ostinato.errors import DataError

from .entry import Entry, File, SequenceSet, github

_SOURCE = ("sktime/sktime", "7bd7d1620c0656f3210eeb850bb1c0034159ee47")


def _part(path: Path) -> LabelledSequences:
    values, labels = read_ts(path)
    if labels is None:
        raise DataError(f"{path}: its sequences have no labels")
    names = tuple(f"lpc{i + 1}" for i in range(values[0].shape[1]))
    return LabelledSequences(values, np.array(labels).astype(int), names)


def _read(paths: Mapping[str, Path]) -> SequenceSet:
    return SequenceSet(_part(paths["JapaneseVowels_TRAIN.ts"]), None, _part(paths["JapaneseVowels_TEST.ts"]))


JAPANESE_VOWELS = Entry(
    name="japanese_vowels",
    task="classification of sequences: which of nine speakers said 'ae', from 12 cepstra over 7 to 29 frames",
    licence="BSD-3-Clause (sktime), which carries no separate licence of the data; cite the donors",
    citation="Kudo, Toyama, Shimbo, Pattern Recognition Letters 1999",
    split="official: 270 and 370",
    gives="SequenceSet: values (time, 12), labels 1 to 9",
    files=tuple(
        File(name, size, digest, github(*_SOURCE, f"sktime/datasets/data/JapaneseVowels/{name}"))
        for name, size, digest in (
            ("JapaneseVowels_TRAIN.ts", 487971, "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd"),
            ("JapaneseVowels_TEST.ts", 649132, "b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462"),
        )
    ),
    read=_read,
)
