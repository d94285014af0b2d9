"""The measures of communities against their definitions."""

import numpy as np
import pytest

from ostinato.communities.scores import (
    MEANINGS,
    by_feature,
    by_time,
    coverage,
    deciding,
    determination,
    figures,
    squared_correlation,
    summary,
    table_row,
)


def test_scores_against_their_definitions(make) -> None:
    data = make(9)
    # Far from the truth, so that no correlation is 1 and squares differ from what is squared.
    predicted = data.values[:, 1:] * 1.5 + 0.1 + np.random.default_rng(1).uniform(0, 0.4, data.values[:, 1:].shape)
    rows = by_time(data, predicted)
    t, p = data.values[:, 1, :3].ravel(), predicted[:, 0, :3].ravel()
    assert rows[0]["r2"]["species"] == pytest.approx(np.corrcoef(t, p)[0, 1] ** 2, rel=1e-9)
    t, p = data.values[:, 2, 3], predicted[:, 1, 3]
    assert rows[1]["determination"]["acid"] == pytest.approx(1 - ((t - p) ** 2).sum() / ((t - t.mean()) ** 2).sum())
    assert rows[1]["r2"]["acid"] == pytest.approx(np.corrcoef(t, p)[0, 1] ** 2, rel=1e-9)
    assert rows[1]["r2"]["acid"] < 0.9
    features = by_feature(data, predicted)
    there = data.present[:, 0]
    t, p = data.values[there, 1:, 0].ravel(), predicted[there, :, 0].ravel()
    assert features[0]["r"] == pytest.approx(np.corrcoef(t, p)[0, 1], rel=1e-9)
    assert features[0]["rmse"] == pytest.approx(np.sqrt(((t - p) ** 2).mean()))
    assert summary(features)["species_r"] == pytest.approx(np.mean([f["r"] for f in features[:3]]))
    counted = data.present.sum() * 3 + 9 * 3
    lower, upper = np.full_like(predicted, -1.0), data.values[:, 1:] - 1e-9
    upper[0, 0, 3] += 1.0
    assert coverage(data, lower, upper) == pytest.approx(1 / counted)


def test_two_communities_are_not_won_by_a_line_through_two_points(make) -> None:
    """Any two points have r² = 1; told by R², predictions on the wrong side lose to the mean."""
    data = make(2)
    truth = data.values[:, 1:]
    wrong = truth.mean(0, keepdims=True) - 2 * (truth - truth.mean(0, keepdims=True))
    ours, mean = (table_row(figures(data, p)) for p in (wrong, np.broadcast_to(truth.mean(0), truth.shape)))
    assert ours["squared correlation of metabolites"] == pytest.approx(1)
    assert ours["R² of metabolites"] == pytest.approx(1 - 9)
    assert mean["R² of metabolites"] == pytest.approx(0)
    assert deciding([ours, mean]) == next(iter(ours)) == "R² of metabolites"
    assert "1 for any two points" in MEANINGS


def test_the_row_of_a_table_is_the_means_over_times_and_metabolites(make) -> None:
    data = make(9)
    predicted = data.values[:, 1:] + np.random.default_rng(2).normal(0, 0.3, data.values[:, 1:].shape)
    found = figures(data, predicted)
    row = table_row({**found, "coverage": 0.8})
    for name, key in (("R²", "determination"), ("squared correlation", "r2")):
        assert row[f"{name} of metabolites"] == pytest.approx(np.mean([t[key]["acid"] for t in found["times"]]))
        assert row[f"{name} of species"] == pytest.approx(np.mean([t[key]["species"] for t in found["times"]]))
    assert (row["R of species"], row["R of metabolites"]) == (found["species_r"], found["metabolite_r"])
    assert row["in 90 % intervals"] == 0.8


def test_what_was_not_measured_is_no_score(make) -> None:
    """A time at which nothing was measured does not count; one value tells nothing of what lies around its mean."""
    data = make(6)
    truth, predicted = data.values.copy(), data.values[:, 1:] * 1.1
    truth[:, 2, 3] = np.nan
    gaps = type(data)(data.names, data.species, data.metabolites, data.hours, truth)
    found = figures(gaps, predicted)
    known = [found["times"][t]["determination"]["acid"] for t in (0, 2)]
    assert table_row(found)["R² of metabolites"] == pytest.approx(np.mean(known))
    one = table_row(figures(data.take([0]), predicted[:1]))
    assert one["R² of metabolites"] is None
    assert deciding([one, one]) == "R² of species"
    assert np.isnan(determination([1.0, np.nan], [2.0, 3.0]))
    assert squared_correlation([[1.0, 2.0], [3.0, 4.0]], [[4.0, 3.0], [2.0, 1.0]]) == pytest.approx(1)
