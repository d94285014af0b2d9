"""Measures against scikit-learn and NumPy; the target that does not vary is decided once."""

import numpy as np
import pytest
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
