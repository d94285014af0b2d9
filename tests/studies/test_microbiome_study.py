"""The study of gut communities: its folds, its sizes, its order."""

import numpy as np
from sklearn.model_selection import KFold

from ostinato.data import load
from ostinato.studies.microbiome import COUNTS, _count, _joined, folds_of


def test_the_folds_are_those_of_the_published_predictions() -> None:
    order = folds_of(95)
    for k, (_, part) in enumerate(KFold(20, shuffle=True, random_state=0).split(np.arange(95))):
        np.testing.assert_array_equal(np.flatnonzero(order == k), part)


def test_sizes() -> None:
    for (features, hidden), published in COUNTS.items():
        claim = _count(features, hidden, published)
        assert claim.holds
        assert claim.ours == published


def test_communities_stand_in_the_order_of_their_names(data_folder) -> None:
    data = load("microbiome", data_folder)
    joined = _joined(data.train, data.test)
    assert list(joined.names) == sorted([*data.train.names, *data.test.names])
    at = joined.names.index(data.test.names[3])
    np.testing.assert_array_equal(joined.values[at], data.test.values[3])
