"""A reservoir in stretches side by side: the same states as one step after the other, whether or not it forgets."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import ostinato as ost
from ostinato.cells import EchoState
from ostinato.errors import ShapeError
from ostinato.kernels import pack, sparse_product
from ostinato.layers import echo_states
from ostinato.learning import Ridge
from ostinato.training import fit


def test_a_sparse_product_for_every_width(x64):
    rng = np.random.default_rng(0)
    for dtype, near, columns in ((np.float64, 1e-13, 17), (np.float64, 1e-13, 1100), (np.float32, 1e-5, 17)):
        A = np.where(rng.random((23, columns)) < 0.3, rng.normal(size=(23, columns)), 0).astype(dtype)
        A[4] = 0
        packed = pack(A)
        for width in (0, 1, 3, 8, 13, 16, 33):
            x = rng.normal(size=(columns, width)).astype(dtype)
            np.testing.assert_allclose(sparse_product(packed, jnp.asarray(x), 23), A @ x, rtol=near, atol=near)
    # What points outside the matrix is refused before anything is read.
    wrong = packed._replace(columns=packed.columns.at[3].set(17))
    with pytest.raises(ValueError, match="sparse: columns"):
        jax.block_until_ready(sparse_product(wrong, jnp.ones((columns, 8), jnp.float32), 23))
    wrong = packed._replace(starts=packed.starts.at[-1].add(1))
    with pytest.raises(ValueError, match="sparse: starts"):
        jax.block_until_ready(sparse_product(wrong, jnp.ones((columns, 8), jnp.float32), 23))


@pytest.mark.parametrize(("radius", "segments"), [(0.8, 4), (0.99, 4), (2.5, 4), (0.8, 1), (0.8, 7)])
def test_the_states_are_those_of_the_loop(x64, radius, segments):
    """At radius 2.5 the reservoir forgets nothing, and the stretches follow one after the other."""
    cell = EchoState(2, 20, spectral_radius=radius, leak=0.7, bias_scaling=0.2, key=jr.key(0))
    xs = jr.normal(jr.key(1), (3, 90, 2))
    ys, final = echo_states(cell, xs, segments=segments)
    expected, last = ost.unroll(cell, xs, kernel="reference")
    # Where it is chaotic, rounding grows; within a few steps it cannot.
    count = 90 if radius < 2 else 40
    np.testing.assert_allclose(ys[:, :count], expected[:, :count], rtol=0, atol=1e-12)
    if radius < 2:
        np.testing.assert_allclose(final.h, last.h, rtol=0, atol=1e-12)
    else:
        assert np.abs(np.asarray(ys - expected)).max() < 0.1
    with pytest.raises(ShapeError, match="inputs: expected"):
        echo_states(cell, xs[..., :1])


def test_ridge_on_a_large_reservoir_takes_it(x64):
    model = ost.RNN("echo-state", 1, 200, connectivity=0.05, output_size=1, key=jr.key(0))
    xs = jr.normal(jr.key(1), (1, 600, 1))
    examples = ost.Examples(ost.SequenceBatch(xs), jnp.roll(xs, 3, axis=1), jnp.ones((1, 600)))
    masked = ost.Examples(ost.SequenceBatch(xs, jnp.ones((1, 600), bool)), examples.targets, examples.weight)

    class Same:
        def __init__(self, examples):
            self.examples = examples

        def __len__(self):
            return 1

        def at(self, step):
            return self.examples

    rule = Ridge(1e-3)
    assert rule.init(model, jr.key(0)).packed is not None
    fast, slow = (fit(model, Same(e), loss=ost.losses.squared, rule=rule, steps=1).model for e in (examples, masked))
    np.testing.assert_allclose(fast.stack.layers[1].V, slow.stack.layers[1].V, rtol=1e-7, atol=1e-9)
    small = ost.RNN("echo-state", 1, 20, output_size=1, key=jr.key(0))
    assert rule.init(small, jr.key(0)).packed is None
