"""The steps beside which NTM and DNC are timed are the same steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.benches.memory_steps import JAX, arrays_of, dnc_step, ntm_step
from ostinato.layers import unroll
from ostinato.memory import DNC, NTM


@pytest.mark.parametrize(("make", "step"), [(NTM, ntm_step), (DNC, dnc_step)])
def test_the_flat_step_is_the_cell(x64, make, step):
    cell = make(2, 4, rows=6, width=3, key=jax.random.key(0))
    cell = jax.tree.map(lambda a: jnp.asarray(np.random.default_rng(a.size).normal(size=a.shape)), cell)
    xs = jax.random.normal(jax.random.key(1), (5, 2))
    parts = arrays_of(cell)
    _, ys = jax.lax.scan(lambda s, x: step(JAX, parts["weights"], x, s), parts["state"], xs)
    np.testing.assert_allclose(ys, unroll(cell, xs)[0], rtol=1e-9, atol=1e-11)
