"""CTRNN: Beer's oscillator at its known periods, the discrete network as one Euler step, uneven steps."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.cells import CTRNN, Elman, Potential
from ostinato.layers import unroll

from .test_oracle import anywhere

KEY = jax.random.key(0)


def test_the_discrete_network_is_one_euler_step(x64):
    """With h = tau and gain 1: an Elman network with a sigmoid, its bias inside, begun at sigmoid(theta)."""

    @given(st.integers(1, 4), st.integers(0, 3), st.floats(0.01, 50), st.integers(0, 2**30))
    def holds(hidden, inputs, tau, seed):
        rng = np.random.default_rng(seed)
        cell = anywhere(eqx.filter_eval_shape(CTRNN, inputs, hidden, step=tau, key=KEY), seed)
        cell = eqx.tree_at(lambda c: (c.log_tau, c.gain), cell, (jnp.full(hidden, np.log(tau)), jnp.ones(hidden)))
        h = 1 / (1 + np.exp(-np.asarray(cell.theta)))
        state = cell.init_state()
        for x in rng.normal(size=(3, inputs)):
            state, y = cell(jnp.asarray(x), state)
            h = 1 / (1 + np.exp(-(cell.W[0] @ x + cell.R[0] @ h + cell.theta)))
            np.testing.assert_allclose(y, h, rtol=1e-10)

    holds()


def test_it_is_elman_and_with_another_step_it_is_not(x64):
    xs = jnp.asarray(np.random.default_rng(0).normal(size=(9, 2)))
    cell = anywhere(CTRNN(2, 3, step=2.0, key=KEY), 1)
    cell = eqx.tree_at(lambda c: (c.log_tau, c.gain), cell, (jnp.full(3, jnp.log(2.0)), jnp.ones(3)))
    elman = eqx.tree_at(
        lambda e: (e.W, e.R, e.b), Elman(2, 3, activation="sigmoid", key=KEY), (cell.W, cell.R, cell.theta[None])
    )
    start = type(elman.init_state())(jax.nn.sigmoid(cell.theta))
    ys, _ = unroll(elman, xs, start)
    np.testing.assert_allclose(unroll(cell, xs)[0], ys, rtol=1e-12)
    assert np.abs(unroll(cell, xs, dt=jnp.full(9, 1.0))[0] - ys).max() > 1e-2


def test_uneven_steps_add_up_where_nothing_drives(x64):
    """Without input and product the exponential step is exact, however time is cut; Euler's is (1 - h/tau)."""
    cell = CTRNN(0, 2, tau=(0.5, 2.0), theta=0.3, method="exponential", key=KEY)
    cell = eqx.tree_at(lambda c: c.R, cell, jnp.zeros_like(cell.R))
    start = Potential(jnp.array([1.0, -2.0]))
    dt = np.array([0.1, 0.7, 0.05, 1.3])
    _, final = unroll(cell, jnp.zeros((4, 0)), start, dt=jnp.asarray(dt))
    np.testing.assert_allclose(final.v, np.array([1.0, -2.0]) * np.exp(-dt.sum() / np.array([0.5, 2.0])), rtol=1e-13)
    euler = eqx.tree_at(lambda c: c.R, CTRNN(0, 2, tau=(0.5, 2.0), key=KEY), jnp.zeros((1, 2, 2)))
    _, final = unroll(euler, jnp.zeros((4, 0)), start, dt=jnp.asarray(dt))
    kept = np.prod(1 - dt[:, None] / np.array([0.5, 2.0]), axis=0)
    np.testing.assert_allclose(final.v, np.array([1.0, -2.0]) * kept, rtol=1e-13)


@pytest.mark.parametrize("method", ["euler", "exponential"])
def test_steps_are_of_first_order_towards_the_rate(x64, method):
    cell = anywhere(eqx.filter_eval_shape(CTRNN, 2, 3, method=method, key=KEY), 4)
    state, x = Potential(jnp.array([0.3, -0.2, 1.0])), jnp.array([0.5, -1.0])
    slope = cell.rate(x, state).v
    errors = [np.abs((cell(x, state, dt=jnp.asarray(h))[0].v - state.v) / h - slope).max() for h in (1e-3, 1e-4)]
    assert errors[0] < 1e-2
    assert errors[1] <= max(0.11 * errors[0], 1e-10)
