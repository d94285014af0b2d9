"""Synthetic communities of human gut bacteria: 25 species and what they ferment, over two days."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.communities import Communities, read_communities

from .entry import CommunitySet

TABLE = "thompson/2021_02_19_MultifunctionalDynamicData.csv"
FITTED = 60


def read(paths: Mapping[str, Path]) -> CommunitySet:
    """The first 60 communities and the last 35."""
    found = read_communities(paths[TABLE], species=["*_OD"])
    return CommunitySet(found.take(slice(None, FITTED)), found.take(slice(FITTED, None)))


def read_passages(paths: Mapping[str, Path]) -> CommunitySet:
    """The communities of the two files."""
    from scipy.io import loadmat

    def part(name: str) -> Communities:
        stem = Path(name).stem
        values = loadmat(paths[name])[stem]
        names = tuple(f"{stem.removesuffix('_data')}{i}" for i in range(len(values)))
        species = tuple(f"s{i + 1}" for i in range(values.shape[2]))
        return Communities(names, species, (), 12.0 * np.arange(values.shape[1]), np.asarray(values, float))

    return CommunitySet(*map(part, paths))
