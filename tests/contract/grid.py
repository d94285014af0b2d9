"""Configurations of a run, and one run of a cell compared with its plain numpy version."""

from itertools import product
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ostinato.cells import CELLS, GatedCell
from ostinato.layers import unroll
from tests.cells import oracle

SIZES, BATCHES, TIMES = (1, 3, 17, 63, 64, 65), (0, 1, 7), (0, 1, 5)
KERNELS, FIELDS = ("reference", "scan", "hoist"), ("plain", "mask", "mask and reset")
INPUT = 3
EMPTY = ("clockwork", "ctrnn-rk4", "elman", "fir", "gru-before", "hm-lstm", "lstm-projection", "rmlp")
"""Cells that stand for all in every pair of values, and where nothing is computed: no row, or no step."""
IN_TURN = (
    ((1, 7, 5), (3, 1, 1), (17, 1, 5), (64, 7, 1)),
    ((1, 7, 5), (3, 1, 1), (17, 1, 5), (63, 1, 5), (65, 7, 1)),
    ((1, 1, 1), (1, 7, 5), (3, 7, 5), (17, 1, 5), (65, 7, 1)),
)
"""Size, batch and time of the runs of each other cell, one of these lists after another: each has every batch and time,
kernel, direction, dtype and field, one size of each kind, and between them are all runs that compute."""


class Config(NamedTuple):
    """One row of the grid; `kernel` counts only for gated cells."""

    size: int
    batch: int
    time: int
    kernel: str
    fields: str
    reverse: bool
    dtype: str

    def __str__(self):
        turn = "reverse" if self.reverse else "forward"
        return f"{self.size}x{self.batch}x{self.time} {self.kernel} {self.fields} {turn} {self.dtype}".replace(" ", "-")


# A difference scheme: any two columns, and any column with the constant one, differ by 0, 1 and 2 equally often, so
# that the eighteen rows below hold every pair of values of every two columns (tested in test_grid).
SCHEME = ((0, 0, 1, 1, 2, 2), (0, 1, 0, 2, 1, 2), (0, 1, 2, 0, 2, 1), (0, 2, 1, 2, 0, 1), (0, 2, 2, 1, 1, 0))


def pairwise():
    """Eighteen configurations with every pair of values of every two settings."""
    for s, j in product(range(6), range(3)):
        time, kernel, fields, reverse, dtype = ((column[s] + j) % 3 for column in SCHEME)
        yield Config(
            SIZES[s],
            BATCHES[j],
            TIMES[time],
            KERNELS[kernel],
            FIELDS[fields],
            (False, True, True)[reverse],
            ("float32", "float32", "float64")[dtype],
        )


def few(name):
    """What a cell is tried on in every run of the suite: all eighteen, or a third in turn and one of nothing."""
    if name in EMPTY:
        return list(pairwise())
    turn = IN_TURN[[other for other in CELLS if other not in EMPTY].index(name) % len(IN_TURN)]
    return [row for row in pairwise() if row[:3] in turn or row[:3] == (17, 7, 0)]


def rest(name):
    """What is left of the eighteen."""
    return [row for row in pairwise() if row not in few(name)]


def full(size):
    """Every batch, length, direction and dtype at one size; the four kernels and the fields in turn."""
    s = SIZES.index(size)
    for b, t, r, d in product(range(3), range(3), range(2), range(2)):
        turn = s + b + t + r + d
        yield Config(
            SIZES[s],
            BATCHES[b],
            TIMES[t],
            (*KERNELS, "native")[turn % 4],
            FIELDS[(turn + s) % 3],
            bool(r),
            ("float32", "float64")[d],
        )


def drawn(tree, rng, dtype):
    """The structure with numbers, matrices scaled by the number of their columns."""
    columns = lambda leaf: max(leaf.shape[-1], 1) if leaf.ndim > 1 else 1
    return jax.tree.map(lambda leaf: put(rng.normal(0, 0.7 / columns(leaf) ** 0.5, leaf.shape), dtype), tree)


def put(array, dtype=bool):
    """On the device without a program, of which there would be one for each shape."""
    return jax.device_put(array.astype(dtype))


def named(tree, prefix=""):
    """Arrays by path, as float64."""
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {prefix + jax.tree_util.keystr(path).removeprefix("."): np.asarray(a, np.float64) for path, a in leaves}


def numpy_run(step, p, init, mask, reset, reverse):
    """The oracle through time with masks and resets, row by row: outputs and final states by field."""
    xs = p["xs"]
    start = {k.removeprefix("start."): v for k, v in p.items() if k.startswith("start.")}
    rows, time = xs.shape[:2]
    ys, finals = {}, {k: [] for k in start}
    for row in range(rows):
        state = {k: v[row] for k, v in start.items()}
        for t in reversed(range(time)) if reverse else range(time):
            if reset[row, t] and not reverse:
                state = init
            if mask[row, t]:
                state, ys[row, t] = step(p, xs[row, t], state)
            if reset[row, t] and reverse:
                state = init
        for k in finals:
            finals[k].append(state[k])
    return ys, {k: np.array(v) for k, v in finals.items() if rows}


def check(name, config):
    """Outputs, final state and gradients of one run; every assertion of a configuration from one compiled function."""
    rng = np.random.default_rng([ord(c) for c in name] + [config.size, config.batch, config.time])
    lead = (config.batch, config.time)
    with jax.enable_x64(config.dtype == "float64"):
        shape = eqx.filter_eval_shape(CELLS[name].make, INPUT, config.size, key=jax.random.key(0), dtype=config.dtype)
        assert {leaf.dtype for leaf in jax.tree.leaves(shape)} == {jnp.dtype(config.dtype)}
        kernel = config.kernel
        if not isinstance(shape, GatedCell):
            kernel = "reference"
        elif kernel == "hoist" and name in ("elstm", "indrnn", "min-gru", "min-lstm", "recollect"):
            kernel = "scan"
        cell = drawn(shape, rng, config.dtype)
        init = cell.init_state()
        start = drawn(jax.tree.map(lambda leaf: np.zeros((config.batch, *leaf.shape)), init), rng, config.dtype)
        xs = put(rng.normal(size=(*lead, INPUT)), config.dtype)
        mask = rng.random(lead) < (1 if config.fields == "plain" else 0.6)
        reset = rng.random(lead) < (0.4 if config.fields == "mask and reset" else 0)
        given = {} if config.fields == "plain" else {"mask": put(mask)}
        given |= {"reset": put(reset)} if config.fields == "mask and reset" else {}
        d_ys = put(rng.normal(size=(*lead, cell.output_size)), config.dtype)
        d_final = drawn(start, rng, config.dtype)
        leaves, structure = jax.tree.flatten((cell, xs, start))

        def run(leaves, given):
            cell, xs, start = jax.tree.unflatten(structure, leaves)
            return unroll(cell, xs, start, kernel=kernel, reverse=config.reverse, **given)

        def outputs_and_gradients(leaves, given):
            out, pull = jax.vjp(lambda leaves: run(leaves, given), leaves)
            return out, pull((d_ys, d_final))[0]

        (ys, final), grads = jax.jit(outputs_and_gradients)(leaves, given)
        assert {a.dtype for a in jax.tree.leaves((ys, final, grads))} <= {jnp.dtype(config.dtype)}
        assert jax.tree.map(jnp.shape, final) == jax.tree.map(jnp.shape, start)
        assert ys.shape == d_ys.shape
        found = jax.tree.unflatten(structure, grads)
        p = named(cell) | {"xs": np.asarray(xs, np.float64)} | named(start, "start.")
        found = named(found[0]) | {"xs": np.asarray(found[1])} | named(found[2], "start.")
        compare(config, name, p, found, named(init), mask, reset, ys, named(final), np.asarray(d_ys), named(d_final))


def compare(config, name, p, found, init, mask, reset, ys, final, d_ys, d_final):
    """Against the oracle in float64: values, then the derivative along one random direction in each array.

    Each relative to the largest entry of its array. One to three units in float32 have no entry that stands for the
    terms that were added up: a state is then taken relative to where it began too, a gradient to the largest of all.
    """
    few = config.size <= 3 and config.dtype == "float32"
    forward, backward = (1e-6, 1e-5) if config.dtype == "float32" else (1e-12, 1e-11)
    step = oracle.STEPS[name]

    def run(p):
        return numpy_run(step, p, init, mask, reset, config.reverse)

    def value(p):
        ys, final = run(p)
        return sum((d_ys[at] * y).sum() for at, y in ys.items()) + sum((d_final[k] * v).sum() for k, v in final.items())

    expected, expected_final = run(p)
    whole = np.zeros(ys.shape)
    for at, y in expected.items():
        whole[at] = y
    assert_close(ys, whole, forward, "ys")
    assert not np.any(np.asarray(ys)[~mask])
    for field, values in expected_final.items():
        began = np.abs(p[f"start.{field}"]).max(initial=0) if few else 0
        assert_close(final[field], values, forward, field, began)
    rng = np.random.default_rng(0)
    # A state is one vector: where one field hardly matters, its gradient is what is left of large terms.
    of_state = max((np.abs(found[path]).max() for path in p if path.startswith("start.") and p[path].size), default=0)
    of_all = max((np.abs(gradient).max(initial=0) for gradient in found.values()), default=0) if few else 0
    for path, array in p.items():
        if array.size:
            direction = rng.choice([-1.0, 1.0], array.shape) / array.size**0.5
            slope = complex(value({**p, path: array + 1e-30j * direction})).imag / 1e-30
            gradient = np.asarray(found[path], np.float64)
            scale = of_state if path.startswith("start.") else np.abs(gradient).max()
            assert abs((gradient * direction).sum() - slope) <= backward * max(scale, of_all), path


def assert_close(found, expected, tolerance, what, least=0):
    """Relative to the largest entry, or to `least` where that is larger."""
    found = np.asarray(found, np.float64)
    assert found.shape == expected.shape, what
    if found.size:
        assert np.abs(found - expected).max() <= tolerance * max(np.abs(expected).max(), least), what
