"""Spoken digits."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.audio import read_wave
from ostinato.data.files import zip_members
from ostinato.data.sequences import LabelledSequences
from ostinato.errors import DataError

from .entry import Bundle, Entry, File, SequenceSet

RATE = 8000
"""Samples per second of all recordings."""


def _read(paths: Mapping[str, Path]) -> SequenceSet:
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


FSDD = Entry(
    name="fsdd",
    task="classification of sound: spoken digits, 6 speakers, 3,000 recordings at 8 kHz",
    licence="CC BY-SA 4.0",
    citation="Jackson et al., Free Spoken Digit Dataset, Zenodo 1342401",
    split="official: recordings 0 to 4 of each speaker and digit are the test; harder: leave one speaker out",
    gives="SequenceSet: signals (samples, 1) with full scale 1, labels 0 to 9, groups are the speakers; see log_mel",
    files=tuple(
        File(f"recordings_{speaker}.zip", size, digest)
        for speaker, size, digest in (
            ("george", 3160309, "c0ac1fc1920cbe9088e587327c2f92cb2affaa7bdfc0d70835f1c6474062d773"),
            ("jackson", 3757576, "1c5f353dd4bb9749007541f6443860f1b6cdbfa685aa5b8728210feeff3f5073"),
            ("lucas", 3687995, "9235f356cf71f03cda9c3445c0a2ee04972560eef90df899c5725e9586a36609"),
            ("nicolas", 942261, "9a30bbbf0b01fac88248f01903e4dff3fae999652444221c81370c079e9b35d3"),
            ("theo", 2368186, "7d0be3cabfdd8217d0322ecccb3a31a22a06dcf37e3c5234a86c668fbee017bc"),
            ("yweweler", 2175436, "e9651703cadded52eafd1c46ff10c6f5fa4a6988cb4b603d5114727d3938120c"),
        )
    ),
    read=_read,
    bundle=Bundle(
        "free-spoken-digit-dataset.zip",
        "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/26eb9aaf76e81b692f806f9140c2d2777410d7a1.zip",
        ".wav",
        "dbd573d7cafe79c4b49f65718115e1304e24e067fa39eff18a660dc6cb9c360f",
    ),
)
