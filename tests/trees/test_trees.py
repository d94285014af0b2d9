"""Trees of every shape, against recursion in numpy; chains against the loop over sequences."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ostinato as ost
from ostinato.cells import LSTM, EchoState, Elman, Hidden
from ostinato.data import Batches
from ostinato.errors import DataError, NonFiniteError, SettingsError, ShapeError
from ostinato.trees import (
    TREE_CELLS,
    ChildSumTreeLSTM,
    Recursive,
    RecursiveNet,
    Tree,
    TreeLSTM,
    TreeReservoir,
    pool_nodes,
    tree_batch,
    tree_source,
    unroll_tree,
)

KEY = jax.random.key(0)
INPUT, HIDDEN, ARITY = 2, 4, 3


def random_tree(rng, nodes):
    parents = [-1] + [int(rng.integers(0, node)) for node in range(1, nodes)]
    while max(np.bincount(parents[1:], minlength=1), default=0) > ARITY:
        parents = [-1] + [int(rng.integers(0, node)) for node in range(1, nodes)]
    return Tree.from_parents(rng.normal(size=(nodes, INPUT)), parents)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def recursive(cell, x, below):
    matrices = cell.R if len(cell.R) == ARITY else [cell.R[0]] * ARITY
    h = np.tanh(cell.W[0] @ x + cell.b[0] + sum(R @ s[0] for R, s in zip(matrices, below, strict=False)))
    return (h,), h


def lstm(cell, x, below):
    W, R, b = (np.asarray(a) for a in (cell.W, cell.R, cell.b))
    by_place = R.shape[2] != HIDDEN
    block = lambda row, k: R[row][:, k * HIDDEN : (k + 1) * HIDDEN] if by_place else R[row]
    a = [W[row] @ x + b[row] + sum(block(row, k) @ s[0] for k, s in enumerate(below)) for row in range(3)]
    kept = sum(sigmoid(W[3] @ x + b[3] + block(3, k) @ s[0]) * s[1] for k, s in enumerate(below))
    c = sigmoid(a[0]) * np.tanh(a[1]) + kept
    h = sigmoid(a[2]) * np.tanh(c)
    return (h, c), h


ORACLE = {"recursive": recursive, "tree-lstm": lstm, "tree-lstm-sum": lstm, "tree-reservoir": recursive}


@pytest.mark.parametrize("name", TREE_CELLS)
def test_every_node_of_every_tree(x64, name):
    rng = np.random.default_rng(0)
    trees = [random_tree(rng, nodes) for nodes in (1, 2, 5, 11)]
    cell = TREE_CELLS[name].make(INPUT, HIDDEN, arity=ARITY, dtype="float64", key=KEY)
    batch = tree_batch(trees, ARITY, dtype="float64")
    ys = np.asarray(unroll_tree(cell, batch))
    for row, tree in enumerate(trees):
        states = []
        for node, own in enumerate(tree.children):
            state, y = ORACLE[name](cell, tree.features[node], [states[c] for c in own])
            states.append(state)
            np.testing.assert_allclose(ys[row, node], y, rtol=1e-11, atol=1e-13)
        assert not ys[row, len(tree) :].any()
    values = [np.stack([ys[r, : len(t)] for t in [tree]])[0] for r, tree in enumerate(trees)]
    for pool, by_hand in {"root": lambda v: v[-1], "mean": lambda v: v.mean(0), "sum": lambda v: v.sum(0)}.items():
        np.testing.assert_allclose(pool_nodes(jnp.asarray(ys), batch.mask, pool), [by_hand(v) for v in values])
    np.testing.assert_allclose(pool_nodes(jnp.asarray(ys), batch.mask, "max"), [v.max(0) for v in values])


def chain(values):
    return Tree(values, ((), *((node,) for node in range(len(values) - 1))))


def test_a_chain_is_a_sequence(x64):
    values = np.random.default_rng(1).normal(size=(30, INPUT))
    batch = tree_batch([chain(values)], dtype="float64")
    xs = jnp.asarray(values)
    pairs = [
        (Recursive(INPUT, HIDDEN, arity=1, dtype="float64", key=KEY), Elman(INPUT, HIDDEN, dtype="float64", key=KEY)),
        (TreeReservoir(INPUT, 20, arity=1, dtype="float64", key=KEY), EchoState(INPUT, 20, dtype="float64", key=KEY)),
    ]
    for tree_cell, cell in pairs:
        cell = eqx.tree_at(lambda c: (c.W, c.R, c.b), cell, (tree_cell.W, tree_cell.R, tree_cell.b))
        expected, _ = ost.unroll(cell, xs, kernel="reference")
        np.testing.assert_allclose(unroll_tree(tree_cell, batch)[0], expected, rtol=0, atol=1e-12)
    for make in (TreeLSTM, ChildSumTreeLSTM):
        tree_cell = make(INPUT, HIDDEN, arity=1, dtype="float64", key=KEY)
        order = jnp.array([0, 3, 1, 2])
        parts = [a[order] for a in (tree_cell.W, tree_cell.R, tree_cell.b)]
        cell = eqx.tree_at(lambda c: (c.W, c.R, c.b), LSTM(INPUT, HIDDEN, dtype="float64", key=KEY), parts)
        expected, _ = ost.unroll(cell, xs, kernel="reference")
        np.testing.assert_allclose(unroll_tree(tree_cell, batch)[0], expected, rtol=0, atol=1e-12)


class Remembered(Recursive):
    """A missing child has a state that is learned."""

    start: jax.Array

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.start = jnp.linspace(-1, 1, HIDDEN)

    def init_state(self):
        return Hidden(self.start)


@pytest.mark.parametrize("make", [*(entry.make for entry in TREE_CELLS.values()), Remembered], ids=[*TREE_CELLS, "own"])
def test_gradients_are_those_of_a_recursion(x64, make):
    """The loop has a gradient of its own; here JAX takes that of one step after the other, node by node."""
    rng = np.random.default_rng(1)
    trees = [random_tree(rng, nodes) for nodes in (1, 4, 9)]
    cell = make(INPUT, HIDDEN, arity=ARITY, dtype="float64", key=KEY)
    batch = tree_batch(trees, ARITY, dtype="float64")
    weights = jnp.asarray(rng.normal(size=(3, 9, HIDDEN)))

    def looped(operands):
        cell, features = operands
        values = batch.values.at[..., :INPUT].set(features)
        return jnp.sum(unroll_tree(cell, eqx.tree_at(lambda b: b.values, batch, values)) * weights)

    def recursed(operands):
        cell, features = operands
        total = 0.0
        for row, tree in enumerate(trees):
            states = []
            for node, own in enumerate(tree.children):
                below = [states[c] for c in own] + [cell.init_state()] * (ARITY - len(own))
                below = jax.tree.map(lambda *leaves: jnp.stack(leaves), *below)
                state, y = cell(features[row, node], below, jnp.arange(ARITY) < len(own))
                states.append(state)
                total += y @ weights[row, node]
        return total

    operands = (cell, batch.values[..., :INPUT])
    found, expected = eqx.filter_jit(eqx.filter_grad(looped))(operands), eqx.filter_grad(recursed)(operands)
    pairs = list(zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True))
    assert sum(np.abs(e).max() > 1e-3 for _, e in pairs) == len(pairs)
    for f, e in pairs:
        np.testing.assert_allclose(f, e, rtol=1e-11, atol=1e-13)


def test_learns_to_evaluate_formulas_and_compiles_once_for_each_bucket():
    """And, or, not over trees: right on deeper ones than it was trained on."""

    def formula(rng, depth):
        if depth == 0 or rng.random() < 0.2:
            bit = int(rng.integers(2))
            return [bit], [()], bit
        symbol = int(rng.integers(2, 5))
        parts = [formula(rng, depth - 1) for _ in range(1 if symbol == 4 else 2)]
        symbols, children, roots = [], [], []
        for s, c, _ in parts:
            children += [tuple(k + len(symbols) for k in own) for own in c]
            symbols += s
            roots.append(len(symbols) - 1)
        bits = [p[2] for p in parts]
        bit = (min(bits), max(bits), 1 - bits[0])[symbol - 2]
        return [*symbols, symbol], [*children, tuple(roots)], bit

    def drawn(rng, depth, count):
        found = [formula(rng, depth) for _ in range(count)]
        return [Tree(np.array(s, float)[:, None], c) for s, c, _ in found], np.array([bit for *_, bit in found])

    rng = np.random.default_rng(3)
    trees, bits = drawn(rng, 3, 400)
    model = RecursiveNet(TreeLSTM(8, 16, arity=2, key=KEY), 2, vocabulary=5, key=KEY)
    batches = Batches(tree_source(trees, bits, 2), 50, buckets=2)
    result = ost.fit(model, batches, loss=ost.losses.cross_entropy, optimizer=optax.adam(0.02), epochs=25)
    deeper, wanted = drawn(rng, 6, 200)
    ys, _ = result.model(tree_batch(deeper, 2))
    assert np.mean(np.argmax(ys, axis=-1) == wanted) > 0.97
    assert max(t.depth for t in deeper) > max(t.depth for t in trees)


REFUSED = {
    r"children\[1\]: expected places from 0 to 0, got 1": (DataError, lambda: Tree(np.ones((2, 1)), ((), (1,)))),
    "has a parent already": (DataError, lambda: Tree(np.ones((3, 1)), ((), (0,), (0, 1)))),
    "node 0 is nobody's child": (DataError, lambda: Tree(np.ones((2, 1)), ((), ()))),
    "expected one root, got 2": (DataError, lambda: Tree.from_parents(np.ones((2, 1)), [-1, -1])),
    "lead to no root": (DataError, lambda: Tree.from_parents(np.ones((3, 1)), [-1, 2, 1])),
    "as many tuples": (ShapeError, lambda: Tree(np.ones((2, 1)), ((),))),
    "nan at index": (NonFiniteError, lambda: Tree(np.full((1, 1), np.nan), ((),))),
    "arity: expected 2 or more, got 1": (ShapeError, lambda: tree_batch([Tree(np.ones((3, 1)), ((), (), (0, 1)))], 1)),
    "expected one or more, got none": (ShapeError, lambda: tree_batch([])),
    "arity: expected 1 or more": (SettingsError, lambda: Recursive(1, 1, arity=0, key=KEY)),
    "connectivity, norm": (SettingsError, lambda: TreeReservoir(1, 1, norm=-1.0, key=KEY)),
    "pool: expected one of": (
        SettingsError,
        lambda: RecursiveNet(Recursive(1, 1, key=KEY), 1, pool="last", key=KEY),
    ),
    r"inputs: expected \(batch, time, 4\)": (
        ShapeError,
        lambda: unroll_tree(Recursive(1, 2, arity=3, key=KEY), tree_batch([Tree(np.ones((1, 1)), ((),))])),
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(words):
    error, call = REFUSED[words]
    with pytest.raises(error, match=words):
        call()
