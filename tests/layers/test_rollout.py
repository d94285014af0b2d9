"""Closed loops against a Python loop."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import ostinato as ost
from ostinato.errors import ShapeError

pytestmark = pytest.mark.usefixtures("x64")


def network():
    return ost.RNN("gru", 2, 3, output_size=2, key=jr.key(0)).cell


def test_free_run_and_teacher_equal_the_python_loop():
    cell = network()
    x0, teacher = jr.normal(jr.key(1), (4, 2)), jr.normal(jr.key(2), (4, 6, 2))
    use = jr.bernoulli(jr.key(3), 0.5, (4, 6))
    ys, final = ost.rollout(cell, x0, 6, lambda y, t: y * (t + 1).astype(y.dtype), teacher=teacher, use_teacher=use)
    for b in range(4):
        state, x = cell.init_state(), x0[b]
        for t in range(6):
            state, y = cell(teacher[b, t] if use[b, t] else x, state)
            np.testing.assert_allclose(ys[b, t], y, rtol=1e-12)
            x = y * (t + 1)
        np.testing.assert_allclose(final[0].h[b], state[0].h, rtol=1e-12)


def test_with_the_teacher_always_it_is_unroll():
    cell = network()
    xs = jr.normal(jr.key(1), (3, 5, 2))
    ys, _ = ost.rollout(cell, xs[:, 0], 5, lambda y, t: y, teacher=xs)
    np.testing.assert_allclose(ys, ost.unroll(cell, xs)[0], rtol=1e-13)


def test_shapes_are_named():
    with pytest.raises(ShapeError, match=r"x0: expected \(\*batch, 2\), got \(4, 3\)"):
        ost.rollout(network(), jnp.ones((4, 3)), 2, lambda y, t: y)
    with pytest.raises(ShapeError, match="teacher"):
        ost.rollout(network(), jnp.ones((4, 2)), 2, lambda y, t: y, teacher=jnp.ones((4, 3, 2)))
