"""Measures against scikit-learn and NumPy; the target that does not vary is decided once."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from ostinato.models import measures

rng = np.random.default_rng(0)
Y, P = rng.normal(size=(30, 2)) * [1, 100] + [0, 7], rng.normal(size=(30, 2)) * [1, 100]


def test_they_are_those_of_scikit_learn() -> None:
    assert measures.r2(Y, P) == pytest.approx(metrics.r2_score(Y, P), rel=1e-12)
    assert measures.rmse(Y, P) == pytest.approx(metrics.root_mean_squared_error(Y, P), rel=1e-12)
    assert measures.mse(Y, P) == pytest.approx(metrics.mean_squared_error(Y, P), rel=1e-12)
    assert measures.mae(Y, P) == pytest.approx(metrics.mean_absolute_error(Y, P), rel=1e-12)
    expected = np.mean(np.sqrt(np.mean((Y - P) ** 2, 0)) / Y.std(0))
    assert measures.nrmse(Y, P) == pytest.approx(expected, rel=1e-12)
    expected = np.mean([np.corrcoef(Y[:, k], P[:, k])[0, 1] for k in range(2)])
    assert measures.pearson(Y, P) == pytest.approx(expected, abs=1e-11)
    codes, logits = rng.integers(0, 3, 20), rng.dirichlet(np.ones(3), 20)
    assert measures.cross_entropy(codes, logits) == pytest.approx(metrics.log_loss(codes, logits, labels=[0, 1, 2]))
    assert measures.accuracy(codes, logits.argmax(1)) == metrics.accuracy_score(codes, logits.argmax(1))
    assert measures.confusion(codes, logits.argmax(1), 3).tolist() == (
        metrics.confusion_matrix(codes, logits.argmax(1), labels=[0, 1, 2]).tolist()
    )
    quantiles = P[:, [0, 0, 0]] + [-1, 0, 1]
    expected = np.mean(
        [metrics.mean_pinball_loss(Y[:, 0], quantiles[:, k], alpha=a) for k, a in enumerate((0.1, 0.5, 0.9))]
    )
    assert measures.pinball(Y[:, 0], quantiles, (0.1, 0.5, 0.9)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["r2", "rmse", "mse", "mae", "nrmse", "pearson"])
def test_missing_truth_is_left_out(name: str) -> None:
    measure, holes = getattr(measures, name), Y[:, 0].copy()
    holes[[0, 7, 29]] = np.nan
    seen = ~np.isnan(holes)
    assert measure(holes, P[:, 0]) == measure(Y[seen, 0], P[seen, 0])
    assert np.isnan(measure(np.full(3, np.nan), np.ones(3)))


def test_a_target_that_does_not_vary() -> None:
    """0.1 three times has a mean that is not 0.1: no variance may come from rounding."""
    for value in (5.0, 0.1, 1e300):
        y = np.full(3, value)
        near = y * np.array([1.0, 1.001, 0.999])
        assert metrics.r2_score(y, y) == measures.r2(y, y) == 1.0
        assert measures.r2(y, near) == 0.0
        assert (measures.nrmse(y, y), measures.nrmse(y, near)) == (0.0, 1.0)
        assert measures.pearson(y, near) == measures.pearson(near, y) == 0.0
    two = np.stack([Y[:, 0], np.full(30, 2.0)], 1)
    said = np.stack([P[:, 0], np.full(30, 2.5)], 1)
    assert measures.r2(two, said) == pytest.approx(metrics.r2_score(two, said), rel=1e-12)


def test_crps_of_an_ensemble_is_the_double_sum_and_that_of_a_normal_in_the_limit():
    rng = np.random.default_rng(0)
    truth, samples = rng.normal(size=7), rng.normal(size=(7, 9))
    pairs = abs(samples[:, :, None] - samples[:, None]).mean((1, 2))
    wanted = abs(samples - truth[:, None]).mean(1) - pairs / 2
    assert measures.crps(truth, samples) == pytest.approx(wanted.mean())
    # Gneiting and Raftery 2007, equation 5 with sigma = 1.
    many = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    exact = truth * (2 * stats.norm.cdf(truth) - 1) + 2 * stats.norm.pdf(truth) - 1 / np.sqrt(np.pi)
    assert measures.crps(truth, np.broadcast_to(many, (7, 4000))) == pytest.approx(exact.mean(), abs=1e-3)


def test_interval_score_is_the_sum_of_the_pinball_losses_of_its_ends():
    rng = np.random.default_rng(1)
    truth, low = rng.normal(size=50), rng.normal(size=50) - 1
    high = low + rng.random(50) * 3
    both = np.stack([low, high], -1)
    # Gneiting and Raftery 2007: S = 2 / alpha (rho_{alpha/2} + rho_{1 - alpha/2}).
    wanted = 2 / 0.2 * 2 * measures.pinball(truth, both, (0.1, 0.9))
    assert measures.interval_score(truth, low, high, 80) == pytest.approx(wanted)
    assert measures.coverage(truth, low, high) == np.mean(
        [a <= t <= b for t, a, b in zip(truth, low, high, strict=True)]
    )


def test_scaled_errors_are_over_those_of_the_season_before_in_training():
    rng = np.random.default_rng(2)
    history, truth, said = rng.normal(size=(40, 2)).cumsum(0), rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    history[3, 0] = truth[2, 1] = np.nan
    change = np.array([[history[t, j] - history[t - 4, j] for t in range(4, 40)] for j in range(2)])
    error = truth - said
    mase = [np.nanmean(abs(error[:, j])) / np.nanmean(abs(change[j])) for j in range(2)]
    rmsse = [np.sqrt(np.nanmean(error[:, j] ** 2) / np.nanmean(change[j] ** 2)) for j in range(2)]
    assert measures.mase(truth, said, history, 4) == pytest.approx(np.mean(mase))
    assert measures.rmsse(truth, said, history, 4) == pytest.approx(np.mean(rmsse))
    assert np.isnan(measures.mase([1.0], [2.0], [3.0, 3.0, 3.0]))


def test_smape_by_hand():
    assert measures.smape([100.0, 50.0, np.nan], [50.0, 50.0, 1.0]) == pytest.approx(100 * (50 / 75) / 2)
