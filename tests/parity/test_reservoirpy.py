"""A reservoir of ReservoirPy 0.4.2 with its own matrices: states, and the memory capacity of its documentation.

The stored numbers are those of `Reservoir(100, sr=1, seed=1) >> Ridge(ridge=1e-4)` and of
`memory_capacity(model, k_max=50, as_list=True, seed=1)`; the series is `default_rng(1).uniform(-0.8, 0.8, 500)`.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.analysis import memory_capacity
from ostinato.cells import EchoState
from ostinato.layers import unroll

from .store import load


@pytest.fixture
def reservoir(x64):
    stored = load("reservoirpy")
    matrix, R = stored["reservoir"], np.zeros((100, 100))
    R[matrix["rows"].astype(int), matrix["columns"].astype(int)] = matrix["values"]
    cell = EchoState(1, 100, dtype="float64", key=jax.random.key(0))
    W = jnp.asarray(matrix["W"], "float64")
    cell = eqx.tree_at(lambda c: (c.W, c.R, c.b), cell, (W[None], jnp.asarray(R)[None], jnp.zeros((1, 100))))
    return cell, np.random.default_rng(1).uniform(-0.8, 0.8, 500), stored["memory"]


def test_states(reservoir):
    cell, series, stored = reservoir
    ys, _ = unroll(cell, jnp.asarray(series[:, None]))
    np.testing.assert_allclose(ys[np.array([0, 1, 49, 499])], stored["states"], rtol=0, atol=1e-12)


def test_memory_capacity(reservoir):
    cell, series, stored = reservoir
    found = memory_capacity(cell, 50, series=series)
    np.testing.assert_allclose(found, stored["capacities"], rtol=0, atol=1e-9)
    assert round(found.sum(), 2) == 18.78
