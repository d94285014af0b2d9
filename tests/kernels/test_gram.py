"""x' x against numpy, for sizes around those of the tiles."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.kernels import gram


@pytest.mark.parametrize(("count", "width"), [(0, 3), (1, 1), (5, 7), (300, 33), (257, 100)])
@pytest.mark.parametrize(("dtype", "near"), [("float32", 1e-6), ("float64", 1e-14)])
def test_equals_numpy(count, width, dtype, near):
    with jax.enable_x64(dtype == "float64"):
        x = np.random.default_rng(count).normal(size=(count, width)).astype(dtype)
        found = np.asarray(gram(jnp.asarray(x)))
        truth = x.astype(np.float64).T @ x.astype(np.float64)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, found.T)
        np.testing.assert_allclose(found, truth, rtol=0, atol=near * max(np.abs(truth).max(initial=0), 1))


def test_derivative_and_mapped(x64):
    rng = np.random.default_rng(0)
    x, c = rng.normal(size=(3, 6, 4)), rng.normal(size=(4, 4))
    found = jax.vmap(jax.grad(lambda x: jnp.sum(jnp.asarray(c) * gram(x))))(jnp.asarray(x))
    np.testing.assert_allclose(found, x @ (c + c.T), rtol=0, atol=1e-13)


def test_not_finite_goes_through():
    x = jnp.ones((4, 20)).at[2, 3].set(jnp.nan)
    found = np.isnan(np.asarray(gram(x)))
    assert found[3].all()
    assert found[:, 3].all()
    assert found.sum() == 39
