"""Steps side by side equal the loop: affine cells by an associative scan, any that forgets by Newton's method."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.cells import CELLS, CoRNN, Elman, IndRNN, MinGRU
from ostinato.errors import NotConverged, SettingsError
from ostinato.kernels import choose
from ostinato.kernels.parallel import not_affine, recurrence
from ostinato.layers import Stack, unroll
from tests.contract.grid import drawn

ROWS, TIME, INPUT, HIDDEN = 2, 37, 3, 5


def made(name, scale=1.0, dtype="float64"):
    shape = eqx.filter_eval_shape(CELLS[name].make, INPUT, HIDDEN, key=jax.random.key(0), dtype=dtype)
    return jax.tree.map(lambda leaf: scale * leaf, drawn(shape, np.random.default_rng(1), dtype))


def run_both(cell, kernel, reverse=False, fields=True):
    """Outputs, tape, final state and gradients of both."""
    rng = np.random.default_rng(2)
    xs = jnp.asarray(rng.normal(size=(ROWS, TIME, INPUT)))
    mask, reset = jnp.asarray(rng.random((ROWS, TIME)) < 0.8), jnp.asarray(rng.random((ROWS, TIME)) < 0.1)
    given = {"mask": mask, "reset": reset} if fields else {}
    start = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=(ROWS, *leaf.shape))), cell.init_state())

    def every(operands):
        found = {}
        for which in (kernel, "reference"):

            def run(operands, which=which):
                cell, xs, start = operands
                return unroll(cell, xs, start, kernel=which, reverse=reverse, record=start._fields, **given)

            out, pull = eqx.filter_vjp(run, operands)
            found[which] = out, pull(jax.tree.map(jnp.cos, out))[0]
        return found

    found = eqx.filter_jit(every)((cell, xs, start))
    return found[kernel], found["reference"]


def assert_equal(ours, theirs, tolerance):
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert np.abs(a - b).max(initial=0) <= tolerance * max(np.abs(b).max(initial=0), 1e-3)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", ["min-gru", "min-lstm", "recollect"])
def test_affine_cells_side_by_side(x64, name, reverse):
    assert_equal(*run_both(made(name), "parallel", reverse), 1e-11)


def test_which_cells_are_affine():
    affine = {"min-gru", "min-lstm", "recollect"}
    for name in ("min-gru", "min-lstm", "recollect", "indrnn", "elman", "slstm", "gru-layernorm"):
        assert (not_affine(made(name, dtype="float32")) is None) == (name in affine), name
    # A line is a line, whatever cell it is in.
    assert not_affine(IndRNN(INPUT, HIDDEN, activation="linear", key=jax.random.key(0))) is None
    indrnn = IndRNN(INPUT, HIDDEN, key=jax.random.key(0))
    assert not_affine(indrnn) == "the state of IndRNN goes through a non-linear function"
    with pytest.raises(SettingsError, match="kernel='parallel': Elman has a recurrent product; kernel='deer'"):
        unroll(Elman(INPUT, HIDDEN, key=jax.random.key(0)), jnp.zeros((4, INPUT)), kernel="parallel")
    assert choose(MinGRU(1, 1, key=jax.random.key(0)), batch=1, kernel="parallel").kernel == "parallel"


def test_recurrence_of_matrices(x64):
    rng = np.random.default_rng(3)
    J, m, s = rng.normal(size=(11, 2, 4, 4)), rng.normal(size=(11, 2, 4)), rng.normal(size=(2, 4))
    found = recurrence(jnp.asarray(J), jnp.asarray(m), jnp.asarray(s))
    for t in range(11):
        s = np.einsum("bij,bj->bi", J[t], s) + m[t]
        np.testing.assert_allclose(found[t], s, rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "reverse"), [("gru", False), ("lstm", True), ("indrnn", False), ("mgu", False), ("min-gru", False)]
)
def test_newton_finds_the_states_of_the_loop(x64, name, reverse):
    assert_equal(*run_both(made(name, 0.5), "deer", reverse), 1e-10)


def test_newton_in_single_precision_on_a_long_sequence():
    cell = Elman(2, 8, key=jax.random.key(0))
    cell = eqx.tree_at(lambda c: c.R, cell, 0.7 * cell.R)
    xs = jax.random.normal(jax.random.key(1), (500, 2))
    ys, final = unroll(cell, xs, kernel="deer")
    expected, last = unroll(cell, xs, kernel="reference")
    assert np.abs(ys - expected).max() < 1e-6
    assert np.abs(final.h - last.h).max() < 1e-6


def test_steps_of_any_length_and_stacks(x64):
    cell = CoRNN(INPUT, 4, dtype="float64", key=jax.random.key(0))
    xs = jnp.asarray(np.random.default_rng(4).normal(size=(ROWS, 20, INPUT)))
    dt = jnp.asarray(np.random.default_rng(5).uniform(0.01, 0.2, (ROWS, 20)))
    both = [unroll(cell, xs, dt=dt, kernel=kernel)[0] for kernel in ("deer", "reference")]
    np.testing.assert_allclose(*both, rtol=0, atol=1e-12)
    stack = Stack([MinGRU(INPUT, 4, dtype="float64", key=jax.random.key(k)) for k in (1,)])
    both = [unroll(stack, xs, kernel=kernel)[0] for kernel in ("parallel", "reference")]
    np.testing.assert_allclose(*both, rtol=0, atol=1e-12)
    assert unroll(cell, xs[:, :0], kernel="deer")[0].shape == (ROWS, 0, 4)


def test_a_network_that_does_not_forget_is_refused():
    cell = Elman(1, 20, key=jax.random.key(0))
    chaotic = eqx.tree_at(lambda c: c.R, cell, 0.45 * jax.random.normal(jax.random.key(1), cell.R.shape))
    xs = 0.1 * jax.random.normal(jax.random.key(2), (2000, 1))
    with pytest.raises(NotConverged, match="differences grow along this sequence"):
        unroll(chaotic, xs, kernel="deer")
    assert np.isfinite(unroll(chaotic, xs)[0]).all()
