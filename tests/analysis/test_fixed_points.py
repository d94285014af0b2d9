"""Fixed points against networks whose points are known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.analysis import StateMap, fixed_points, visited_states
from ostinato.cells import GRU, LSTM, Elman
from ostinato.errors import ShapeError, StateError
from ostinato.layers import Stack

# h' = tanh(h W), W[i] = -roll(linspace(-1, 1, n), -i): points up to sign, largest modulus of an eigenvalue, how many
# are above 1. Solved by others' program and ours; the origin is always one.
KNOWN = {
    2: {"origin": (2.0, 1), "others": [([-0.957504, 0.957504], 0.1664, 0)]},
    3: {"origin": (1.7321, 2), "others": [([-0.949796, 0.425502, 0.879894], 1.0064, 1)]},
    4: {
        "origin": (1.8856, 3),
        "others": [
            ([-0.775516, 0.775516, -0.775516, 0.775516], 0.7516, 0),
            ([-0.962892, -0.525235, 0.962892, 0.525235], 1.0474, 1),
            ([-0.877263, 0.569696, -0.339745, 0.789648], 1.3160, 2),
            ([-0.339745, 0.789648, -0.877263, 0.569696], 1.3160, 2),
        ],
    },
}


@pytest.mark.parametrize("n", KNOWN)
def test_all_points_of_a_known_network_and_no_others(n: int):
    W = np.stack([-np.roll(np.linspace(-1, 1, n), -i) for i in range(n)])
    cell = Elman(1, n, key=jax.random.key(0))
    cell = eqx.tree_at(lambda c: (c.R, c.W), cell, (jnp.asarray(W.T[None], "float32"), jnp.zeros((1, n, 1))))
    found = fixed_points(cell, np.random.default_rng(n).uniform(-1, 1, (96, n)))
    # float32 weights: the network is the known one to 1e-7.
    wanted = {(0.0,) * n: KNOWN[n]["origin"]}
    for point, size, unstable in KNOWN[n]["others"]:
        for sign in (1, -1):
            wanted[tuple(sign * np.array(point))] = (size, unstable)
    assert len(found.points) == len(wanted) == {2: 3, 3: 3, 4: 9}[n]
    assert found.fixed.all()
    assert not found.unfinished
    assert found.found.sum() == 96
    for point, (size, unstable) in wanted.items():
        (at,) = np.flatnonzero(np.abs(found.points - point).max(1) < 1e-5)
        assert abs(np.abs(found.eigenvalues[at, 0]) - size) < 1e-4
        assert found.unstable[at] == unstable
        assert found.stable[at] == (unstable == 0)
        residual = np.tanh(found.points[at] @ W) - found.points[at]
        assert np.abs(residual).max() < 1e-6


def test_the_state_of_any_cell_is_a_vector_and_back():
    cell = Stack((LSTM(2, 3, key=jax.random.key(0)), GRU(3, 2, key=jax.random.key(1))))
    step = StateMap(cell, jnp.array([0.5, -1.0]))
    vector = jnp.linspace(-1, 1, step.size)
    direct, _ = cell(jnp.array([0.5, -1.0]), step.state(vector))
    assert np.array_equal(step(vector), step.vector(direct))
    assert step.size == 8


def test_a_linear_network_has_the_point_that_algebra_gives():
    A, b = np.array([[0.5, 0.2], [0, -0.3]]), np.array([1.0, 2.0])
    found = fixed_points(lambda s: jnp.asarray(A) @ s + jnp.asarray(b), np.array([[0, 0], [1, 1], [50, 50.0]]), far=1e6)
    assert np.allclose(found.points, np.linalg.solve(np.eye(2) - A, b)[None], atol=1e-9)
    assert np.allclose(sorted(found.eigenvalues[0].real), [-0.3, 0.5])


def test_a_slow_point_is_not_called_fixed_and_a_far_one_is_an_outlier():
    # s' = s + s^2 + 1e-4 has no fixed point; it is slowest at 0, with q = 5e-9.
    found = fixed_points(lambda s: s + s**2 + 1e-4, np.linspace(-0.3, 0.3, 8)[:, None])
    assert found.points.shape == (1, 1)
    assert abs(found.points[0, 0]) < 1e-3
    assert not found.fixed[0]
    assert abs(found.q[0] - 5e-9) < 1e-10
    # s' = s + s (s - 100): points 0 and 100; the starts lie within 1 of 0.
    far = fixed_points(lambda s: s + 0.01 * s * (s - 100), np.array([[-1.0], [0.5], [1.0], [60.0]]), far=2.0)
    assert np.allclose(far.points, 0, atol=1e-6)
    assert np.allclose(far.outliers, 100)


def test_directions_are_those_of_the_unstable_eigenvalues():
    A = np.array([[2.0, 1.0], [0.0, 0.5]])
    found = fixed_points(lambda s: jnp.asarray(A) @ s, np.ones((2, 2)))
    (direction,) = found.directions(0).T
    assert np.allclose(A @ direction, 2 * direction)


def test_starts_are_states_that_the_network_visits():
    cell = LSTM(1, 3, key=jax.random.key(0))
    xs = jax.random.normal(jax.random.key(1), (2, 6, 1))
    rows = visited_states(cell, xs, 12, key=jax.random.key(2))
    state, own = cell.init_state(), []
    for x in xs[0]:
        state, _ = cell(x, state)
        own.append(np.concatenate([state.h, state.c]))
    assert len(rows) == 12
    assert all(np.abs(rows - one).max(1).min() < 1e-6 for one in own)


def test_what_is_no_state_is_refused_in_words():
    cell = GRU(2, 3, key=jax.random.key(0))
    with pytest.raises(ShapeError, match="vectors of 3 numbers, got 4"):
        fixed_points(cell, np.zeros((5, 4)))
    with pytest.raises(ShapeError, match="the input of one step"):
        fixed_points(cell, np.zeros((5, 3)), np.zeros(3))

    class Counter(eqx.Module):
        input_size: int = 1

        def init_state(self):
            return jnp.zeros(2, jnp.int32)

    with pytest.raises(StateError, match="real numbers"):
        fixed_points(Counter(), np.zeros((1, 2)))
