"""Synthetic communities of human gut bacteria: 25 species and what they ferment, over two days."""

from collections.abc import Mapping
from pathlib import Path

from ostinato.data.communities import read_communities

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
