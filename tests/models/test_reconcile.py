"""Reconciliation against generalised least squares written out, and what it must leave alone."""

import numpy as np
import pytest

from ostinato.errors import SettingsError, ShapeError
from ostinato.models.forecast.reconcile import reconcile

S = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1], *np.eye(4)], float)
rng = np.random.default_rng(0)


@pytest.mark.parametrize("method", ["bottom-up", "ols", "wls", "mint"])
def test_sums_agree_and_what_agrees_already_stays(method: str):
    errors = rng.normal(size=(40, 7)) * np.arange(1, 8)
    made = reconcile(rng.normal(size=(7, 3, 2)), S, method, errors)
    assert made == pytest.approx(np.einsum("sb,b...->s...", S, made[3:]))
    fits = S @ rng.normal(size=(4, 5))
    assert reconcile(fits, S, method, errors) == pytest.approx(fits)


def test_weights_are_those_of_generalised_least_squares():
    errors, said = rng.normal(size=(30, 7)) * np.arange(1, 8), rng.normal(size=7)
    W = np.diag(np.mean(errors**2, 0))
    inverse = np.linalg.inv(W)
    wanted = S @ np.linalg.inv(S.T @ inverse @ S) @ S.T @ inverse @ said
    assert reconcile(said, S, "wls", errors) == pytest.approx(wanted)
    # Of very many errors nothing is shrunk: the covariance itself.
    mixing = rng.normal(size=(7, 7))
    many = rng.normal(size=(200_000, 7)) @ mixing
    inverse = np.linalg.inv(many.T @ many / len(many))
    wanted = S @ np.linalg.inv(S.T @ inverse @ S) @ S.T @ inverse @ said
    assert reconcile(said, S, "mint", many) == pytest.approx(wanted, abs=2e-2)


def test_what_is_refused():
    with pytest.raises(SettingsError, match="method"):
        reconcile(np.zeros(7), S, "top-down")
    with pytest.raises(SettingsError, match="errors"):
        reconcile(np.zeros(7), S)
    with pytest.raises(ShapeError, match="forecasts"):
        reconcile(np.zeros(6), S, "ols")
    with pytest.raises(ShapeError, match="bottom"):
        reconcile(np.zeros(7), S[::-1], "ols")
