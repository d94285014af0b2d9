"""One rule on one cell in chunks, compared with back-propagation through the whole sequence."""

from itertools import product

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from ostinato.cells import CELLS
from ostinato.cells.fixed import free_parameters
from ostinato.data import Examples, SequenceBatch
from ostinato.errors import UnsupportedRule
from ostinato.layers import Readout, Stack
from ostinato.learning import (
    BPTT,
    RULES,
    Approximate,
    ContinuousBPTT,
    ContinuousRTRL,
    Exact,
    GradientRule,
    Refusal,
    make_rule,
)
from ostinato.learning.continuous import follow_equations
from ostinato.losses import squared

from .grid import drawn

CHUNKS = (1, 3, 7)
ROWS, TIME, INPUT, HIDDEN, OUTPUT = 2, 21, 3, 8, 2
SETTINGS = {"truncated-bptt": {"window": 5}, "snap": {"n": 2}}


def rules():
    """Those of the table that give gradients."""
    made = {name: make_rule(name, SETTINGS.get(name)) for name in RULES}
    return {name: rule for name, rule in made.items() if isinstance(rule, GradientRule)}


# One cell of each build; the others come with the full grid.
FEW = (
    *("augment", "ctrnn", "elman", "gru", "gru-before", "gru-layernorm", "iir", "indrnn"),
    *("jordan", "lstm", "lstm-projection", "mgu3", "recollect", "rmlp"),
)


def rows(whole=False):
    """Rule, cell and chunk: every entry of the grid in each chunk; or some cells with one exact rule, and each other
    rule with one or two, chunks in turn."""
    names = list(rules())
    if whole:
        return list(product(names, CELLS, CHUNKS))
    chosen = [(("rtrl", "hybrid")[i % 2], cell, CHUNKS[i // 2 % 3]) for i, cell in enumerate(FEW)]
    pairs = (
        *(("truncated-bptt", "lstm"), ("lstm-1997", "lstm"), ("snap", "gru"), ("snap", "indrnn"), ("uoro", "lstm")),
        *(("kf-rtrl", "gru"), ("rflo", "ctrnn"), ("rflo", "lstm"), ("e-prop", "lstm"), ("e-prop", "fir")),
    )
    return chosen + [(*pair, CHUNKS[i % 3]) for i, pair in enumerate(pairs)]


def model_of(name, cell_hidden=HIDDEN):
    """A cell with random numbers in every weight, a read-out on top."""
    shape = eqx.filter_eval_shape(CELLS[name].make, INPUT, cell_hidden, key=jr.key(0), dtype="float64")
    size = shape.output_size
    head = eqx.filter_eval_shape(Readout, size, OUTPUT, key=jr.key(0), dtype="float64")
    rng = np.random.default_rng([ord(c) for c in name])
    return Stack((drawn(shape, rng, "float64"), drawn(head, rng, "float64")))


def examples_of():
    """Two rows with masked steps and resets; weights that differ."""
    rng = np.random.default_rng(7)
    mask = rng.random((ROWS, TIME)) < 0.85
    reset = rng.random((ROWS, TIME)) < 0.1
    values = np.where(mask[..., None], rng.normal(size=(ROWS, TIME, INPUT)), np.nan)
    weight = np.where(mask, rng.uniform(0.5, 1.5, (ROWS, TIME)), 0)
    inputs = SequenceBatch(jnp.asarray(values), jnp.asarray(mask), jnp.asarray(reset))
    return Examples(inputs, jnp.asarray(rng.normal(size=(ROWS, TIME, OUTPUT))), jnp.asarray(weight))


def in_chunks(rule, model, examples, size):
    """Summed value and gradients over chunks of `size` steps, inside one loop."""
    cut = jax.tree.map(lambda a: jnp.moveaxis(a.reshape(ROWS, TIME // size, size, *a.shape[2:]), 1, 0), examples)

    def one(carry, chunk):
        value, grads, carry = rule(model, squared, chunk, carry, jr.key(1))
        return carry, (value, grads)

    _, found = jax.lax.scan(one, rule.init(model, examples), cut)
    return jax.tree.map(lambda a: jnp.sum(a, axis=0), found)


def gaps(found, expected):
    """The largest difference in each array."""
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True)
    return [float(jnp.max(jnp.abs(a - b))) for a, b in pairs]


def check(rule_name, cell_name, size):
    """The entry keeps its promise: exact to 1e-10, or finite with the exact value of the loss, or refused in words."""
    rule, model, examples = rules()[rule_name], model_of(cell_name), examples_of()
    answer = rule.applies(model)
    assert len(answer.why) > 10
    if isinstance(answer, Refusal):
        with pytest.raises(UnsupportedRule, match=r"does not hold for Stack\("):
            rule.init(model, examples)
        return
    # It carries no traces, and is exact for whole sequences only.
    size = TIME if rule_name == "bptt" else size
    # These differentiate the equation of a cell and not its steps: so does the truth that they are held to.
    solved = isinstance(rule, ContinuousBPTT | ContinuousRTRL)

    @eqx.filter_jit
    def both(model, examples):
        exact = BPTT()
        judge = follow_equations(model) if solved else model
        truth = exact(judge, squared, examples, exact.init(judge, examples))
        return in_chunks(rule, model, examples, size), truth[:2]

    (value, grads), (true_value, truth) = both(model, examples)
    learned = jax.tree.leaves(eqx.filter(truth, free_parameters(follow_equations(model) if solved else model)))
    assert all(float(jnp.max(jnp.abs(g))) > 1e-6 for g in learned), "the model is not live"
    assert abs(value - true_value) <= 1e-10 * abs(true_value)
    if isinstance(answer, Exact):
        assert max(gaps(grads, truth)) <= 1e-10
    else:
        assert isinstance(answer, Approximate)
        assert all(bool(jnp.all(jnp.isfinite(g))) for g in jax.tree.leaves(grads))
        assert any(float(jnp.max(jnp.abs(g))) > 1e-6 for g in jax.tree.leaves(grads))
