"""Spoken digits."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.audio import read_wave
from ostinato.data.files import zip_members
from ostinato.data.sequences import LabelledSequences
from ostinato.errors import DataError

from .entry import SequenceSet

RATE = 8000
"""Samples per second of all recordings."""


def read(paths: Mapping[str, Path]) -> SequenceSet:
    """The recordings, of which the first five of each speaker and digit are the test."""
    recordings = {}
    for path in paths.values():
        recordings.update(zip_members(path, ".wav"))
    values, labels, speakers, indices = [], [], [], []
    for name in sorted(recordings):
        rate, signal = read_wave(recordings[name], name)
        if rate != RATE:
            raise DataError(f"fsdd: {name} has {rate} samples per second, expected {RATE}")
        digit, speaker, index = name.removesuffix(".wav").split("_")
        values.append(signal[:, None].astype(np.float32))
        labels.append(int(digit))
        speakers.append(speaker)
        indices.append(int(index))
    everything = LabelledSequences(values, np.array(labels), ("amplitude",), groups=np.array(speakers))
    test = np.array(indices) < 5
    return SequenceSet(everything.take(~test), None, everything.take(test))
