"""Exponents against systems whose exponents are known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.analysis import StateMap, gradient_decay, jacobians_along, lyapunov
from ostinato.cells import LSTM, Elman
from ostinato.errors import NonFiniteError, SettingsError


def linear(A: np.ndarray) -> Elman:
    n = len(A)
    cell = Elman(1, n, activation="linear", key=jax.random.key(0))
    return eqx.tree_at(lambda c: (c.R, c.W), cell, (jnp.asarray(A[None], "float32"), jnp.zeros((1, n, 1))))


def test_a_linear_network_has_the_logarithms_of_its_eigenvalues():
    A = np.array([[0.9, 0.5, 0.0], [0.0, 0.5, 0.25], [0.0, 0.0, -0.25]])
    found = lyapunov(linear(A), np.ones(3), 400, skip=200)
    assert np.allclose(found.exponents, np.log([np.float32(0.9), 0.5, 0.25]), atol=1e-9)
    assert found.dimension == 0


def test_henon():
    henon = lambda s: jnp.stack([1 - 1.4 * s[0] ** 2 + s[1], 0.3 * s[0]])
    found = lyapunov(henon, np.zeros(2), 20_000, every=2)
    assert abs(found.exponents[0] - 0.419) < 0.02 * 0.419
    # The determinant is -0.3 everywhere, so the sum is exact.
    assert abs(found.exponents.sum() - np.log(0.3)) < 1e-9
    assert abs(found.dimension - 1.258) < 0.01


def test_the_chaotic_lstm_of_two_units():
    # Laurent and von Brecht 2017; the exponents were computed before with another program.
    gates = {"i": [[-1, -4], [-3, -2]], "o": [[4, 1], [-9, -7]], "f": [[-2, 6], [0, -6]], "g": [[-1, -6], [6, -9]]}
    cell = LSTM(0, 2, forget_bias=0.0, key=jax.random.key(0))
    R = jnp.stack([jnp.asarray(gates[name], "float32") for name in "ifgo"])
    cell = eqx.tree_at(lambda c: (c.R, c.b), cell, (R, jnp.zeros_like(cell.b)))
    found = lyapunov(cell, np.array([0.1, -0.1, 0.1, 0.1]), 20_000, skip=500)
    assert abs(found.exponents[0] - 0.1696) < 0.005
    assert np.allclose(found.exponents[1:3], [-0.384, -1.68], atol=0.03)


def test_the_closed_loop_is_the_map_that_feeds_itself():
    cell = linear(np.array([[0.5]]))
    cell = eqx.tree_at(lambda c: c.W, cell, jnp.full((1, 1, 1), 0.25))
    # h' = 0.5 h + 0.25 x and x' = h': the matrix of (h, x) has eigenvalues 0.75 and 0.
    found = lyapunov(StateMap(cell, feed=lambda y: y), np.ones(2), 60, exponents=1)
    assert abs(found.exponents[0] - np.log(0.75)) < 1e-9
    assert lyapunov(cell, np.ones(1), 60).exponents[0] == pytest.approx(np.log(0.5))


def test_the_gradient_decays_as_fast_as_the_largest_exponent():
    A = np.array([[0.75, 0.25], [0.0, 0.5]])
    decay = gradient_decay(linear(A), np.ones(2), np.zeros((80, 1)), 30, first=10)
    assert abs(decay.slope - np.log(0.75)) < 2e-3
    # Lag 1 is one product with the Jacobian itself.
    v = np.random.default_rng(0).normal(size=(50, 2))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    assert decay.log_norms[0] == pytest.approx(np.log(np.linalg.norm(v @ A, axis=1)).mean())


def test_jacobians_are_those_of_the_steps():
    cell = Elman(1, 2, key=jax.random.key(3))
    xs = np.array([[0.3], [-2.0]])
    found = jacobians_along(cell, cell.init_state(), xs)
    h = np.zeros(2)
    for x, J in zip(xs, found, strict=True):
        h = np.tanh(np.asarray(cell.W[0], float) @ x + np.asarray(cell.R[0], float) @ h + np.asarray(cell.b[0], float))
        assert np.allclose(J, (1 - h**2)[:, None] * np.asarray(cell.R[0], float), atol=1e-6)


def test_what_has_no_exponents_is_refused():
    with pytest.raises(NonFiniteError, match="does not stay finite"):
        lyapunov(lambda s: s * s, np.full(1, 3.0), 40, skip=0)
    with pytest.raises(SettingsError, match="multiples"):
        lyapunov(lambda s: s, np.ones(1), 5, every=2)
    with pytest.raises(SettingsError, match="no input"):
        lyapunov(lambda s: s, np.ones(1), 5, skip=0, xs=np.ones((5, 1)))
