"""Synthetic communities of human gut bacteria: 25 species and what they ferment, over two days."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.communities import Communities, read_communities

from .entry import CommunitySet, Entry, File, github

TABLE = "thompson/2021_02_19_MultifunctionalDynamicData.csv"
FITTED = 60


def _read(paths: Mapping[str, Path]) -> CommunitySet:
    found = read_communities(paths[TABLE], species=["*_OD"])
    return CommunitySet(found.take(slice(None, FITTED)), found.take(slice(FITTED, None)))


MICROBIOME = Entry(
    name="microbiome",
    task="forecasting of synthetic human gut communities: 25 species and 4 metabolites over 48 hours",
    licence="MIT",
    citation="Thompson et al., PLoS Comput Biol 2023; Clark et al., Nat Commun 2021; Baranwal et al., eLife 2022",
    split="of the authors: the first 60 of 95 communities, the last 35",
    gives="CommunitySet: values (communities, 4 times, 29): optical densities, then mM",
    files=(
        File(
            TABLE,
            94269,
            "331bc5820bae47d53c68286e2ddeb95a91994dd4beee908850181ca43599480e",
            github(
                "VenturelliLab/Thompson_et_al_2023",
                "79769192a0ebfdf85a0ff1f02a92fcec9113c6f3",
                "Data/2021_02_19_MultifunctionalDynamicData.csv",
            ),
        ),
    ),
    read=_read,
)


def _passages(part: str, size: int, sha256: str) -> File:
    source = "VenturelliLab/Baranwal_et_al_2022", "8e194ad0581ba7429a131ac8eea354b6ecb7515c"
    path = f"12MemberData/{part}.mat"
    return File(f"baranwal/{path}", size, sha256, github(*source, path))


def _read_passages(paths: Mapping[str, Path]) -> CommunitySet:
    from scipy.io import loadmat

    def part(name: str) -> Communities:
        stem = Path(name).stem
        values = loadmat(paths[name])[stem]
        names = tuple(f"{stem.removesuffix('_data')}{i}" for i in range(len(values)))
        species = tuple(f"s{i + 1}" for i in range(values.shape[2]))
        return Communities(names, species, (), 12.0 * np.arange(values.shape[1]), np.asarray(values, float))

    return CommunitySet(*map(part, paths))


PASSAGES = Entry(
    name="microbiome-passages",
    task="forecasting of communities of up to 12 gut species over 60 hours with serial dilution",
    licence="the repository has none; the article is CC BY 4.0; for comparison",
    citation="Venturelli et al., Mol Syst Biol 2018; Baranwal et al., eLife 2022",
    split="of the authors: 102 communities, 73 others",
    gives="CommunitySet: values (communities, 6 times, 12 species): optical densities; species without names",
    files=(
        _passages("train_data", 14464, "6aba5bb9b5d9256626d9cc00f0a501bf26c0ee375cd6bf368ecd08e13d7d542a"),
        _passages("test_data", 12947, "677717139e0379c07b3e9ff8945e252b73cab43b0d143c5351e32597c0021455"),
    ),
    read=_read_passages,
    shares=MICROBIOME.name,
)
