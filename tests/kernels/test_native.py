"""The compiled loop against the reference: values, derivatives, and everything that JAX does with a function."""

import sys
from itertools import product

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from ostinato.cells import CELLS, GRU, LSTM, Elman, GatedCell, Hidden
from ostinato.errors import SettingsError
from ostinato.kernels import choose
from ostinato.kernels.native import library
from ostinato.kernels.program import program_of
from ostinato.layers import unroll
from tests.contract.grid import drawn, put

from .cells import OWN, Sine

LIBRARY, WHY = library()
pytestmark = pytest.mark.skipif(LIBRARY is None, reason=WHY)

MAKE = {**{name: entry.make for name, entry in CELLS.items()}, **OWN}
SHAPE = {name: eqx.filter_eval_shape(entry.make, 2, 3, key=jr.key(0)) for name, entry in CELLS.items()}
GATED = [name for name in MAKE if name in OWN or isinstance(SHAPE[name], GatedCell)]
SIZES, BATCHES, TIMES, FIELDS = (17, 1, 65, 3, 64, 63), (7, 1, 0), (9, 2, 1, 0), ("plain", "mask", "mask and reset")
INPUT = 3
QUICK = {"xla_backend_optimization_level": "0"}
# Cells that make more of rounding than others, and how much of the bounds of all others they are given: what is divided
# by the deviation of a few units.
MAGNIFIES = {"elman-layernorm": 5, "gru-layernorm": 10, "lstm-layernorm": 20}


def relative(expected, found, least=1e-30):
    expected, found = np.asarray(expected), np.asarray(found)
    assert expected.shape == found.shape
    if not expected.size:
        return 0.0
    worst = np.max(np.abs(expected - found)) / max(np.max(np.abs(expected)), least)
    return float(worst if np.isfinite(worst) else np.inf)


def largest(expected, found, few=False):
    """Relative to the largest entry of each array.

    One to three units (`few`) have no entry that stands for the terms that were added up: gradients are then taken
    relative to the largest entry of all of them.
    """
    pairs = [*zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True)]
    whole = max((float(np.max(np.abs(a))) for a, _ in pairs if few and a.size), default=0.0)
    return max((relative(a, b, max(whole, 1e-30)) for a, b in pairs), default=0.0)


def noisy(tree, rng, dtype):
    """Leaves with noise on them, so that no gradient vanishes by a special value; less on wide matrices, which would
    otherwise make errors grow from step to step."""
    width = lambda leaf: leaf.shape[-1] if leaf.ndim > 1 else 1
    with_noise = lambda leaf: put(leaf + rng.normal(0, 0.2 / max(width(leaf), 1) ** 0.5, leaf.shape), dtype)
    return jax.tree.map(lambda leaf: with_noise(np.asarray(leaf)) if eqx.is_inexact_array(leaf) else leaf, tree)


def made(name, features, size, rng, dtype):
    """A cell of the table with numbers from anywhere; one of our own with noise on those that it begins with."""
    if name in OWN:
        return noisy(MAKE[name](features, size, key=jr.key(0), dtype=dtype), rng, dtype)
    return drawn(eqx.filter_eval_shape(MAKE[name], features, size, key=jr.key(0), dtype=dtype), rng, dtype)


def check(name, size, batch, time, fields, reverse, dtype, record, features=INPUT):
    rng = np.random.default_rng(size + 10 * batch + 100 * time)
    lead = (batch, time)
    with jax.enable_x64(dtype == "float64"):
        cell = made(name, features, size, rng, dtype)
        start = jax.tree.map(lambda leaf: np.zeros((batch, *leaf.shape), dtype), cell.init_state())
        start = noisy(start, rng, dtype)
        xs = put(rng.normal(size=(*lead, features)), dtype)
        given = {} if fields == "plain" else {"mask": put(rng.random(lead) < 0.6)}
        given |= {"reset": put(rng.random(lead) < 0.4)} if "reset" in fields else {}
        given |= {"dt": put(rng.random(lead) + 0.5, dtype)} if name == "euler" else {}
        names = type(start)._fields[:1] if record else ()

        def run(kernel):
            def scalar(args, fields):
                cell, xs, start, dt = args
                fields = {**fields, **({} if dt is None else {"dt": dt})}
                out = unroll(cell, xs, start, kernel=kernel, reverse=reverse, record=names, **fields)
                weights = lambda leaf: jnp.cos(jnp.arange(leaf.size, dtype=leaf.dtype)).reshape(leaf.shape)
                return sum(jnp.sum(weights(leaf) * leaf) for leaf in jax.tree.leaves(out)), out

            def flat(leaves, fields):
                gradient, out = jax.grad(lambda ls: scalar(eqx.combine(structure(ls), static), fields), has_aux=True)(
                    leaves
                )
                return out, gradient

            return jax.jit(flat, compiler_options=QUICK)

        arrays, static = eqx.partition((cell, xs, start, given.pop("dt", None)), eqx.is_array)
        leaves, tree = jax.tree.flatten(arrays)
        structure = lambda ls: jax.tree.unflatten(tree, ls)
        out, gradients = run("reference")(leaves, given)
        out_native, gradients_native = run("native")(leaves, given)
        found = largest(out, out_native), largest(gradients, gradients_native, size <= 3)
    asked = tuple(bound * MAGNIFIES.get(name, 1) for bound in ((1e-6, 1e-5) if dtype == "float32" else (1e-12, 1e-11)))
    assert all(error <= bound for error, bound in zip(found, asked, strict=True)), (found, asked)


@pytest.mark.parametrize("turn", range(len(GATED)), ids=lambda turn: GATED[turn])
def test_equals_the_reference(turn):
    """One configuration for each cell, so that every value of every setting comes up with several cells."""
    dtype = ("float32", "float64")[turn % 5 == 3]
    check(
        GATED[turn], SIZES[turn % 6], BATCHES[(turn // 2) % 3 if turn % 4 else 0], TIMES[turn % 4 if turn % 3 else 0],
        FIELDS[(turn + turn // 3) % 3], turn % 2 == 1, dtype, turn % 3 == 0,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "batch", "reverse"), [("lstm", 5, False), ("gru", 1, True), ("elstm", 2, True)])
def test_equals_the_reference_over_several_stretches(name, batch, reverse):
    """The input is projected 128 KiB ahead: a few tens of steps of these sizes, in each of which rows are masked."""
    check(name, 70, batch, 190, "mask and reset", reverse, "float64", False, features=37)


def test_the_input_product_is_found():
    """Where `project` is W x plus what does not depend on x, the loop makes it; else it stays outside."""
    cells = {name: made(name, 2, 3, np.random.default_rng(0), "float32") for name in GATED}
    found = {name: program_of(cell, timed=False).matrix for name, cell in cells.items()}
    outside = {name for name, matrix in found.items() if matrix is None}
    assert outside == {"gru-layernorm", "lstm-layernorm", "mtrnn", "rmlp"}
    for name, matrix in found.items():
        if matrix is not None:
            assert jax.tree.leaves(eqx.filter(cells[name], eqx.is_array))[matrix] is cells[name].W


@pytest.mark.full
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", GATED)
def test_equals_the_reference_everywhere(name, size):
    for batch, time, turn in product(BATCHES, TIMES, range(3)):
        dtype = ("float32", "float64")[(batch + time + turn) % 2]
        check(name, size, batch, time, FIELDS[turn], (batch + turn) % 2 == 1, dtype, turn == 1)


@pytest.fixture
def small():
    cell = GRU(2, 5, key=jr.key(0))
    return cell, jr.normal(jr.key(1), (3, 4, 2))


def test_builds_and_threads_agree():
    cell = LSTM(3, 130, key=jr.key(0))
    outcomes = {}
    try:
        for build, threads, batch in product(LIBRARY.builds(), (1, 2, 3), (1, 5)):
            xs = jr.normal(jr.key(1), (batch, 30, 3))
            LIBRARY.use_build(build)
            LIBRARY.use_threads(threads)
            assert (LIBRARY.build(), LIBRARY.threads()) == (build, threads)
            step = jax.jit(jax.grad(lambda c, x: jnp.sum(jnp.square(unroll(c, x, kernel="native")[0]))))
            outcomes[build, threads, batch] = step(cell, xs)
    finally:
        LIBRARY.use_build(LIBRARY.builds()[-1])
        LIBRARY.use_threads(2)
    for (_, _, batch), found in outcomes.items():
        assert largest(outcomes["baseline", 1, batch], found) <= 1e-5


def test_mapped_over_models_and_over_data(small):
    cell, xs = small
    models = jax.vmap(lambda key: GRU(2, 5, key=key))(jr.split(jr.key(2), 8))

    def gradients(kernel, over_models, over_data):
        value = lambda c, x: jnp.sum(jnp.square(unroll(c, x, kernel=kernel)[0]))
        axes = (0 if over_models else None, 0 if over_data else None)
        many = jnp.stack([xs, 2 * xs, -xs]) if over_data and not over_models else jnp.stack([xs + k for k in range(8)])
        mapped = jax.vmap(jax.value_and_grad(value, argnums=(0, 1)), axes)
        return jax.jit(mapped)(models if over_models else cell, many if over_data else xs)

    for over_models, over_data in ((True, False), (False, True)):
        expected, found = (gradients(k, over_models, over_data) for k in ("reference", "native"))
        assert largest(expected, found) <= 1e-5
    forward = jax.vmap(lambda x: unroll(cell, x, kernel="native")[0])
    assert relative(unroll(cell, xs, kernel="reference")[0], forward(xs)) <= 1e-6


def test_second_derivatives_and_forward_mode(small):
    cell, xs = small

    def norm(kernel):
        value = lambda x: jnp.sum(jnp.square(unroll(cell, x, kernel=kernel)[0]))
        return jax.jit(jax.grad(lambda x: jnp.sum(jnp.square(jax.grad(value)(x)))))(xs)

    assert largest(norm("reference"), norm("native")) <= 1e-5
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda x: unroll(cell, x, kernel="native")[0], (xs,), (xs,))


def test_two_devices(small):
    cell, xs = small
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:2]), ("batch",))
    spread = jax.device_put(
        jnp.concatenate([xs, xs[:1]]), jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("batch"))
    )
    step = jax.jit(jax.grad(lambda c, x: jnp.sum(jnp.square(unroll(c, x, kernel="native")[0])), argnums=(0, 1)))
    assert largest(step(cell, jnp.concatenate([xs, xs[:1]])), step(cell, spread)) <= 1e-6
    # Each device runs its own two rows of the four; sums alone are exchanged.
    text = step.lower(cell, spread).compile().as_text()
    calls = [line for line in text.splitlines() if "custom-call" in line and "ostinato_" in line]
    assert len(calls) == 2
    assert all("f32[4,2,5]" in line or "f32[4,2,3,5]" in line for line in calls)
    assert "all-gather" not in text
    assert "all-reduce" in text


def test_what_is_not_finite_goes_on_in_its_row(small):
    cell, xs = small
    for bad in (jnp.nan, jnp.inf):
        given = xs.at[1, 2, 0].set(bad)
        ys, gradient = jax.jit(jax.value_and_grad(lambda x: jnp.sum(unroll(cell, x, kernel="native")[0])))(given)
        assert not jnp.isfinite(ys) or not bool(jnp.isnan(bad))
        assert bool(jnp.isfinite(gradient[0]).all())
        found, expected = (unroll(cell, given, kernel=k)[0] for k in ("native", "reference"))
        np.testing.assert_array_equal(jnp.isnan(found), jnp.isnan(expected))
    assert bool(jnp.isnan(unroll(cell, xs.at[1, 2, 0].set(jnp.nan), kernel="native")[0][1, 2:]).all())


def test_malformed_programs_are_refused(small, monkeypatch):
    cell, xs = small
    room = sys.modules["ostinato.kernels.native"]
    original = room.mappable
    for at, value, words in ((9, 99, "no such operation"), (10, 4000, "slot"), (0, 2, "shape"), (8, 3, "too long")):

        def spoilt(call, at=at, value=value):
            spec = list(call.spec)
            spec[at] = value
            return original(call._replace(spec=tuple(spec)))

        monkeypatch.setattr(room, "mappable", spoilt)
        jax.clear_caches()
        with pytest.raises(jax.errors.JaxRuntimeError, match=f"refused.*{words}"):
            jax.block_until_ready(unroll(cell, xs, kernel="native")[0])
    jax.clear_caches()


class Powers(Elman):
    """Whole powers, up and down."""

    def update(self, from_input, from_hidden, state, dt=None):
        a = (from_input + from_hidden)[0]
        h = a**3 * (2 + a**2) ** -2
        return Hidden(h), h


def test_whole_powers():
    cell, xs = Powers(2, 5, key=jr.key(0)), jr.normal(jr.key(1), (3, 4, 2))
    found, expected = (unroll(cell, xs, kernel=kernel)[0] for kernel in ("native", "reference"))
    assert relative(expected, found) <= 1e-6


def test_an_operation_outside_the_set_is_named():
    cell = Sine(2, 3, key=jr.key(0))
    assert choose(cell, batch=1).kernel == "hoist"
    assert "sin" in choose(cell, batch=1).why
    with pytest.raises(SettingsError, match="sin"):
        choose(cell, batch=1, kernel="native")
    assert unroll(cell, jnp.ones((1, 3, 2)))[0].shape == (1, 3, 3)


def test_without_the_compiled_kernels(small, monkeypatch):
    cell, xs = small
    expected = unroll(cell, xs, kernel="native")[0][:, :3]
    xs = xs[:, :3]  # of a shape that nothing was compiled for yet
    missing = (None, "the compiled kernels are not installed")
    monkeypatch.setattr(sys.modules["ostinato.kernels.native"], "library", lambda: missing)
    assert choose(cell, batch=1).kernel == "hoist"
    assert "not installed" in choose(cell, batch=1).why
    with pytest.raises(SettingsError, match="not installed"):
        unroll(cell, xs, kernel="native")
    assert relative(expected, unroll(cell, xs)[0]) <= 1e-6


def test_training_keeps_no_more_than_the_reference():
    cell = CELLS["lstm"].make(4, 32, key=jr.key(0))
    xs = jax.ShapeDtypeStruct((8, 50, 4), jnp.float32)

    def bytes_of(kernel):
        loss = lambda c, xs: jnp.sum(jnp.square(unroll(c, xs, kernel=kernel)[0]))
        return jax.jit(jax.grad(loss)).lower(cell, xs).compile().memory_analysis().temp_size_in_bytes

    # Beside it the loop has a packed copy of the weights.
    assert 0 < bytes_of("native") <= bytes_of("reference")
