"""The studies of communities: what they are made of, short runs, and what the committed results say."""

import json

import numpy as np

from ostinato.data import load
from ostinato.studies import StudySettings, load_study
from ostinato.studies.simulated_communities import FEW, SPECIES, _low, _of_size


def test_training_communities_are_624_of_few_species() -> None:
    present = _low(np.random.default_rng(0), SPECIES, FEW)
    sizes = present.sum(1)
    assert present.shape == (624, 25)
    assert (np.bincount(sizes)[1:3] == [25, 300]).all()
    assert set(sizes[325:]) == {3, 4, 5, 6}
    assert (_of_size(np.random.default_rng(1), 25, np.full(9, 11)).sum(1) == 11).all()


def test_simulated_in_short() -> None:
    claims = load_study("simulated-communities").run(StudySettings(quick=True))
    json.dumps([claim.to_dict() for claim in claims], allow_nan=False)
    assert len(claims) == 4
    ahead = claims[3].detail
    assert claims[3].ours == np.mean(np.subtract(ahead["all"]["network, rich"], ahead["all"]["gLV, rich"]))
    assert claims[0].ours is not None
    assert claims[0].ours > 0.9


def test_passages_are_read_as_the_authors_have_them(data_folder) -> None:
    train, test = load("microbiome-passages", data_folder)
    assert train.values.shape == (102, 6, 12)
    assert test.values.shape == (73, 6, 12)
    assert set(train.present.sum(1)) == {2, 3, 4, 5, 11}
    assert set(test.present.sum(1)) == {2, 3, 4, 5, 6, 11, 12}
