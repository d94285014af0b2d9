"""Losses against their formulas in numpy, by loops."""

import jax.numpy as jnp
import numpy as np
import pytest

from ostinato import losses
from ostinato.errors import SettingsError

pytestmark = pytest.mark.usefixtures("x64")
RNG = np.random.default_rng(0)


def test_regression():
    y, target = RNG.normal(size=(4,)), RNG.normal(size=(4,))
    e = y - target
    np.testing.assert_allclose(
        losses.squared(jnp.asarray(y), jnp.asarray(target)), sum(v * v for v in e) / 4, rtol=1e-14
    )
    np.testing.assert_allclose(losses.absolute(jnp.asarray(y), jnp.asarray(target)), sum(map(abs, e)) / 4, rtol=1e-14)
    expected = sum(0.5 * v * v if abs(v) <= 0.7 else 0.7 * (abs(v) - 0.35) for v in e) / 4
    np.testing.assert_allclose(losses.huber(0.7)(jnp.asarray(y), jnp.asarray(target)), expected, rtol=1e-14)


def test_quantile_is_minimal_at_the_quantile():
    sample = jnp.asarray(np.sort(RNG.normal(size=199)))
    grid = jnp.linspace(-2, 2, 401)
    for level in (0.1, 0.5, 0.9):
        cost = [float(losses.quantile([level])(jnp.full((199, 1), g), sample)) for g in grid]
        best = float(grid[int(np.argmin(cost))])
        assert abs(best - float(np.quantile(sample, level))) < 0.05
    with pytest.raises(SettingsError, match="between 0 and 1"):
        losses.quantile([0.5, 1.0])


def test_classification():
    a = RNG.normal(size=5) * 3
    p = np.exp(a) / np.exp(a).sum()
    np.testing.assert_allclose(losses.cross_entropy(jnp.asarray(a), jnp.asarray(2)), -np.log(p[2]), rtol=1e-13)
    t = (RNG.random(5) > 0.5) * 1.0
    q = 1 / (1 + np.exp(-a))
    expected = -np.mean(t * np.log(q) + (1 - t) * np.log(1 - q))
    np.testing.assert_allclose(losses.binary_cross_entropy(jnp.asarray(a), jnp.asarray(t)), expected, rtol=1e-12)
