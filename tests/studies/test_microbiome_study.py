"""The study of gut communities: its folds, its sizes, and what the committed results say."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import KFold

from ostinato.data import load
from ostinato.models.community_baselines import baselines
from ostinato.models.community_scores import by_time
from ostinato.studies.microbiome import COUNTS, PUBLISHED, _count, _joined, folds_of

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


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


def test_committed_results_are_those_of_the_data(data_folder) -> None:
    """The linear baseline is fitted in closed form: its figures can be had again in no time."""
    claims = json.loads((RESULTS / "study-microbiome.json").read_text())["claims"]
    data = load("microbiome", data_folder)
    found = by_time(data.test, baselines(data.train)["linear"].predict(data.test))
    split = [claim for claim in claims if claim["name"].startswith("r²")]
    assert len(split) == 15
    expected = [found[t]["r2"][name] for name in PUBLISHED for t in range(3)]
    np.testing.assert_allclose([claim["baseline"]["linear"] for claim in split], expected, rtol=1e-6)
    for claim in split:
        assert claim["ours"] == pytest.approx(np.mean(claim["detail"]["by_seed"]))
