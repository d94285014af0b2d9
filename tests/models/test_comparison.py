"""Paired tests against scipy and brute force; equal models are not told apart, and a win is said where there is one."""

import itertools

import numpy as np
import pytest
from scipy import stats

from ostinato.communities.scores import figures as community_figures
from ostinato.communities.scores import table_row, unexplained
from ostinato.data import Communities, LabelledSequences
from ostinato.models import Backtest
from ostinato.models.comparison import PairedTest, block_bootstrap, mcnemar, sign_flip, summed
from ostinato.models.sequences.inputs import as_sequences, clusters_of
from ostinato.models.verdicts import verdict


@pytest.mark.parametrize(("b", "c", "both"), [(75, 74, 1), (9, 1, 140), (0, 6, 0), (0, 0, 5)])
def test_mcnemar_is_the_binomial_test_of_those_that_one_alone_has_right(b, c, both):
    first = np.r_[np.ones(b, bool), np.zeros(c, bool), np.ones(both, bool)]
    second = np.r_[np.zeros(b, bool), np.ones(c, bool), np.ones(both, bool)]
    wanted = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    found = mcnemar(first, second)
    assert (found.p, found.n) == (pytest.approx(wanted, rel=1e-12), b + c + both)


def test_signs_are_flipped_in_every_way_or_in_many():
    rng = np.random.default_rng(0)
    d = rng.normal(0.4, 1.0, 9)
    sums = [abs(np.dot(signs, d)) for signs in itertools.product((-1, 1), repeat=9)]
    assert sign_flip(d, "x").p == np.mean(np.array(sums) >= abs(d.sum()) - 1e-9)
    d = rng.normal(0.3, 1.0, 60)
    drawn = stats.permutation_test((d,), np.sum, permutation_type="samples", n_resamples=20000, rng=1)
    assert sign_flip(d, "x").p == pytest.approx(drawn.pvalue, abs=0.02)


def moving_average(rng, n, span):
    noise = rng.normal(size=n + span - 1)
    return np.convolve(noise, np.ones(span), "valid")


def test_errors_that_hang_together_show_no_difference_where_there_is_none():
    """Errors of equal models, each carried over eight origins: taken one by one they differ far too often."""
    found, single = [], []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        d = moving_average(rng, 120, 8) ** 2 - moving_average(rng, 120, 8) ** 2
        found.append(block_bootstrap(d, 8).shows)
        single.append(stats.ttest_1samp(d, 0).pvalue < 0.05)
    assert np.mean(found) <= 0.05 < 0.2 < np.mean(single)
    rng = np.random.default_rng(0)
    less = block_bootstrap(moving_average(rng, 240, 4) - 3.0, 4)
    assert less.shows


def test_too_few_origins_show_nothing():
    assert block_bootstrap(np.full(11, -1.0) + np.arange(11) / 100, 6).p == 1.0
    assert block_bootstrap(np.zeros(0)).p == 1.0
    assert block_bootstrap(np.r_[np.nan, np.ones(30)]).p == 1.0


def backtest(series, origins, horizon, ours, other, truth=None):
    truth = np.zeros((len(origins), horizon, 1)) if truth is None else truth
    said = {"net": truth + ours[:, None, None], "base": truth + other[:, None, None]}
    return Backtest(truth, said, np.asarray(series), np.asarray(origins), ("y",))


def test_blocks_span_the_horizon_and_series_of_one_time_are_one_origin():
    rng = np.random.default_rng(1)
    n = 40
    one = backtest(np.zeros(n, int), np.arange(n), 6, rng.normal(size=n), rng.normal(size=n))
    assert one.against("base").unit == "forecast origins in blocks of 6"
    apart = backtest(np.zeros(n, int), 6 * np.arange(n), 6, rng.normal(size=n), rng.normal(size=n))
    assert apart.against("base").unit == "forecast origins in blocks of 2"
    # Ten series with the same errors at 40 times are 40 cases, not 400.
    series, times = np.repeat(np.arange(10), n), np.tile(6 * np.arange(n), 10)
    ours, other = rng.normal(size=n), 1.2 * rng.normal(size=n)
    many = backtest(series, times, 6, np.tile(ours, 10), np.tile(other, 10))
    alone = backtest(np.zeros(n, int), 6 * np.arange(n), 6, ours, other)
    assert many.against("base") == alone.against("base")
    # More series than times: each series is a case.
    wide = backtest(np.arange(50), np.full(50, 7), 2, rng.normal(size=50), 3 * rng.normal(size=50))
    assert wide.against("base")[0::2] == ("paired permutation test", 50)
    assert wide.verdict().startswith("net wins: RMSE ")


def test_what_is_missing_counts_for_neither():
    truth = np.zeros((30, 2, 1))
    truth[::3] = np.nan
    rng = np.random.default_rng(2)
    one = backtest(np.zeros(30, int), np.arange(30) * 2, 2, rng.normal(size=30), rng.normal(size=30), truth)
    assert 0.05 < one.against("base").p < 1.0


def test_one_more_of_150_is_no_win():
    right = {"gru": 75 / 150, "linear": 74 / 150}
    rows = np.arange(150)
    test = mcnemar(rows < 75, (rows >= 40) & (rows < 114))
    said = verdict("gru", right, {"linear": test}, "accuracy", higher=True)
    assert said.startswith("No difference shown between gru (accuracy 0.5) and linear (0.4933): McNemar's exact test")
    assert said.endswith("over 150 sequences, p = 1.")


def test_a_win_needs_every_baseline():
    sure, unsure = PairedTest("t", 1e-4, 9, "x"), PairedTest("t", 0.2, 9, "x")
    figures = {"net": 1.0, "a": 2.0, "b": 3.0}
    assert verdict("net", figures, {"a": sure, "b": sure}, "RMSE").startswith("net wins: RMSE 1, the best baseline, a")
    said = verdict("net", figures, {"a": sure, "b": unsure}, "RMSE")
    assert said == "No difference shown between net (RMSE 1) and b (3): t over 9 x, p = 0.2. net beats a."
    # Four comparisons at 0.02 are not one.
    four = {name: PairedTest("t", 0.02, 9, "x") for name in "abcd"}
    said = verdict("net", {"net": 5.0, "a": 4.0, "b": 6.0, "c": 6.0, "d": 6.0}, four, "RMSE")
    assert said == "No difference shown between net (RMSE 5) and a (4): t over 9 x, p = 0.08."


def test_groups_and_the_steps_of_a_sequence_are_one_case():
    values = [np.zeros((2, 1)), np.zeros((3, 1)), np.zeros((1, 1))]
    grouped = LabelledSequences(values, groups=np.array(["b", "a", "b"]))
    ones = np.ones(6)
    assert summed(ones, clusters_of(grouped, as_sequences(grouped), True)[0]).tolist() == [3, 3]
    assert summed(np.ones(3), clusters_of(grouped, as_sequences(grouped), False)[0]).tolist() == [1, 2]
    clusters, unit = clusters_of(values, as_sequences(values), True)
    assert (summed(ones, clusters).tolist(), unit) == ([2, 3, 1], "sequences")
    assert clusters_of(values, as_sequences(values), False)[0] is None


def test_what_communities_leave_unexplained_adds_up_to_the_table():
    rng = np.random.default_rng(3)
    values = rng.uniform(0.1, 1, (7, 4, 5))
    values[2, 3, 4] = values[1, 2, 0] = np.nan
    data = Communities(tuple("abcdefg"), ("A", "B", "C"), ("p", "q"), np.arange(4.0), values)
    said = rng.uniform(0, 1, (7, 3, 5))
    row = table_row(community_figures(data, said))
    for measure in ("R² of species", "R² of metabolites"):
        assert 1 - unexplained(data, said, measure).sum() == pytest.approx(row[measure], rel=1e-12)
