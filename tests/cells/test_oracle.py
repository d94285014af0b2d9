"""Each cell against its plain numpy version: outputs, last state and all gradients, in float64."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.cells import CELLS

from . import oracle

SETTINGS = [(name, {}, {}) for name in CELLS] + [
    ("clockwork", {"periods": (2, 3)}, {"periods": (2, 3)}),
    ("cornn", {"gamma": 2.7, "epsilon": 4.7}, {"gamma": 2.7, "epsilon": 4.7}),
    ("ctrnn", {"method": "exponential", "step": 0.5}, {"method": "exponential", "step": 0.5}),
    ("ctrnn-rk4", {"step": 0.5}, {"step": 0.5}),
    ("echo-state", {"leak": 0.3}, {"leak": 0.3}),
    ("elman", {"activation": "relu"}, {"activation": "relu"}),
    ("elman", {"activation": "sigmoid"}, {"activation": "sigmoid"}),
    ("gru", {"convention": "chung", "hidden_bias": False}, {"convention": "chung"}),
    ("gru-before", {"convention": "chung"}, {"convention": "chung"}),
    ("hm-lstm", {"levels": 2}, {}),
    ("iir", {"taps": 2, "feedback": 3}, {}),
    ("indrnn", {"activation": "tanh"}, {"activation": "tanh"}),
    (
        "jordan",
        {"own_output_size": 2, "activation": "relu", "output_activation": "sigmoid"},
        {"activation": "relu", "output_activation": "sigmoid"},
    ),
    ("lstm-projection", {"projection_size": 3}, {}),
    ("min-gru", {"candidate": "positive"}, {"candidate": "positive"}),
    ("mtrnn", {"slow": 2}, {}),
    ("rmlp", {"layers": (4, 2)}, {}),
    ("slstm", {"forget": "exponential"}, {"forget": "exponential"}),
]
TIME, INPUT, HIDDEN = 20, 2, 3
# What a cell begins with, and nothing in the end depends on.
UNSEEN = {("lstm-peephole-simple", "start.h"), ("clockwork", "start.wait")}


def parameters(cell):
    """The cell's arrays by path, as `cell.W` or `weights[0]`."""
    leaves = jax.tree_util.tree_flatten_with_path(cell)[0]
    return {jax.tree_util.keystr(path).removeprefix("."): np.asarray(leaf) for path, leaf in leaves}


def anywhere(tree, seed):
    """The same structure with values that no initialisation would give."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(0, 0.7, leaf.shape)), tree)


def made(name, seed, **settings):
    """A cell of the table with such values."""
    return anywhere(eqx.filter_eval_shape(CELLS[name].make, INPUT, HIDDEN, key=jax.random.key(0), **settings), seed)


def relative(found, expected):
    """Largest difference over the largest entry."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    return np.abs(found - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize(("name", "settings", "options"), SETTINGS, ids=lambda v: "" if v == {} else str(v))
def test_forward_and_gradients(x64, name, settings, options):
    cell = made(name, 1, **settings)
    rng = np.random.default_rng(2)
    xs = rng.normal(size=(TIME, INPUT))
    start = anywhere(cell.init_state(), 3)
    cotangent = rng.normal(size=(TIME, cell.output_size))
    last = anywhere(start, 4)

    @eqx.filter_jit
    def ours(operands):
        def run(operands):
            cell, xs, state = operands
            final, ys = jax.lax.scan(lambda s, x: cell(x, s), state, xs)
            return ys, final

        outputs, pull = eqx.filter_vjp(run, operands)
        return outputs, pull((jnp.asarray(cotangent), last))[0]

    (ys, final), (d_cell, d_xs, d_start) = ours((cell, jnp.asarray(xs), start))

    step = partial(oracle.STEPS[name], **options)
    p = parameters(cell) | {"xs": xs} | {f"start.{k}": np.asarray(v) for k, v in start._asdict().items()}

    def run(p):
        return oracle.through_time(step, p, p["xs"], {k: p[f"start.{k}"] for k in start._fields})

    def value(p):
        ys, final = run(p)
        return (ys * cotangent).sum() + sum((final[k] * np.asarray(v)).sum() for k, v in last._asdict().items())

    expected_ys, expected_final = run(p)
    assert relative(ys, expected_ys) < 1e-12
    for field, values in expected_final.items():
        assert relative(getattr(final, field), values) < 1e-12

    expected = oracle.gradients(value, p)
    found = parameters(d_cell) | {"xs": np.asarray(d_xs)} | {f"start.{k}": v for k, v in d_start._asdict().items()}
    assert found.keys() == expected.keys()
    for path, gradient in expected.items():
        if (name, path) in UNSEEN:
            assert not np.any(gradient)
            assert not np.any(found[path])
            continue
        assert np.abs(gradient).max() > 1e-6, f"{path} has no influence"
        assert relative(found[path], gradient) < 1e-11, path


def test_oracle_covers_the_table():
    assert set(oracle.STEPS) == set(CELLS)
