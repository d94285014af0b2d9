"""The map with the axis at the end: the numbers of `jax.vmap`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.agents import LEARNERS, Signal
from ostinato.kernels import trailing_map


def everything(m, v, k):
    """Operations of every kind that the map knows, and some that it leaves to vmap."""
    a = jax.nn.sigmoid(m @ v) * jnp.float64(2.0)
    b = jnp.where(k > 0, a, jnp.zeros_like(a))[::-1]
    c = jnp.concatenate([b, jnp.ones(2)]).reshape(2, -1).T
    d = jnp.sum(c, axis=0) + jnp.max(m, axis=1)[:2] + jnp.argmax(v).astype(float)
    e = jnp.sort(v)[1] + v[k] + jnp.linalg.norm(m) + jnp.cumsum(v)[-1] + jnp.einsum("ij,ij->", m, m)
    return {"d": d, "e": e, "constant": jnp.arange(3.0), "k": k + 1, "slice": m[1:, ::2]}


def test_everything(x64):
    rng = np.random.default_rng(0)
    m, v = (jnp.asarray(rng.normal(size=shape)) for shape in ((4, 3, 7), (3, 7)))
    k = jnp.asarray(rng.integers(0, 3, 7), jnp.int32)
    found = jax.jit(trailing_map(everything))(m, v, k)
    expected = jax.vmap(everything, -1, -1)(m, v, k)
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-14, err_msg=name)


@pytest.mark.parametrize("name", ["recollect", "augment"])
def test_steps_of_learners(x64, name):
    learner = LEARNERS[name].make(4, 3)
    rng = np.random.default_rng(1)
    carry = jax.vmap(learner.init, 0, -1)(jax.random.split(jax.random.key(0), 5))
    signal = Signal(jnp.asarray(rng.random((4, 5))), jnp.asarray(rng.random(5)), jnp.asarray(rng.random(5) < 0.5))
    noise = jnp.asarray(rng.random((2, 5)))
    both = jax.jit(lambda *a: (trailing_map(learner.step)(*a), jax.vmap(learner.step, -1, -1)(*a)))
    found, expected = both(carry, signal, noise)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-16)
