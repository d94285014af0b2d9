"""Signal-flow graphs: runs against plain numpy, adjoints against automatic differentiation on 200 random graphs."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ostinato as ost
from ostinato.errors import SettingsError, ShapeError, UnsupportedRule
from ostinato.graphs import Branch, Node, SignalFlowGraph, filters_graph, flow_gradients

pytestmark = pytest.mark.usefixtures("x64")
NODES, TIME, LONGEST = 7, 12, 3
FUNCTIONS = {"linear": lambda s: s, "sigmoid": lambda s: 1 / (1 + np.exp(-s)), "tanh": np.tanh}


def drawn(seed):
    """A random graph with finite filters, filters with feedback, and loops through several nodes."""
    rng = np.random.default_rng(seed)
    names = [f"n{i}" for i in rng.permutation(NODES)]
    functions = [*FUNCTIONS, *rng.choice(list(FUNCTIONS), NODES - 3)]
    nodes = [Node(name, str(f)) for name, f in zip(names, rng.permutation(functions), strict=True)]
    # The longest delay always occurs and the sizes are those of all, so that graphs share what is compiled.
    branches = [Branch(names[0], names[-1], rng.normal(), LONGEST), Branch(names[0], names[1], rng.normal())]
    for _ in range(12):
        # Every fourth graph has no feedback.
        i, j = rng.integers(NODES, size=2) if seed % 4 else np.sort(rng.choice(NODES, 2, replace=False))
        delay = int(rng.integers(0 if i < j else 1, LONGEST + 1))
        branches.append(Branch(names[i], names[j], rng.normal(0, 0.4), delay))
    order = rng.permutation(len(branches))
    return SignalFlowGraph(
        [nodes[i] for i in rng.permutation(NODES)],
        [branches[b] for b in order],
        [names[0], names[1]],
        [names[-1], names[2], names[3]],
        dtype="float64",
    )


def by_hand(graph, xs):
    """Sums over branches, again and again until no node changes, step by step."""
    history = []
    for x in xs:
        now = dict.fromkeys((n.name for n in graph.nodes), 0.0)
        for _ in range(len(now) + 1):
            sums = dict.fromkeys(now, 0.0)
            for name, value in zip(graph.inputs, x, strict=True):
                sums[name] += value
            for b in graph.branches:
                past = now if b.delay == 0 else history[-b.delay] if len(history) >= b.delay else None
                sums[b.target] += b.gain * past[b.source] if past else 0.0
            now = {n.name: FUNCTIONS[n.function](sums[n.name]) for n in graph.nodes}
        history.append(now)
    return np.array([[step[name] for name in graph.outputs] for step in history])


@pytest.mark.parametrize("seed", range(5))
def test_a_run_is_what_the_branches_say(seed):
    graph = drawn(seed)
    xs = np.random.default_rng(seed).normal(size=(TIME, 2))
    ys, _ = graph.run(jnp.asarray(xs))
    np.testing.assert_allclose(ys, by_hand(graph, xs), rtol=1e-12, atol=1e-14)


def test_the_adjoint_gives_the_gradient_of_200_random_graphs():
    """Relative to the largest entry, 1e-8; every kind of structure occurs, and the gradients are not zero."""
    rng = np.random.default_rng(0)
    kinds = {"finite filters": 0, "feedback at a node": 0, "feedback over nodes": 0}
    worst = 0.0
    for seed in range(200):
        graph, xs = drawn(seed), jnp.asarray(rng.normal(size=(TIME, 2)))
        errors = jnp.asarray(rng.normal(size=(TIME, 3)))

        def value(gains, xs, graph=graph, errors=errors):
            return jnp.sum(errors * eqx.tree_at(lambda g: g.gains, graph, gains).run(xs)[0])

        expected = jax.grad(value, argnums=(0, 1))(graph.gains, xs)
        found = flow_gradients(graph, graph.run(xs)[1], errors)
        for a, b in zip(found, expected, strict=True):
            assert np.abs(b).max() > 1e-3
            worst = max(worst, np.abs(a - b).max() / np.abs(b).max())
        kind = structure(graph)
        kinds = {name: count + (name in kind) for name, count in kinds.items()}
    assert worst < 1e-8
    assert min(kinds.values()) >= 50, kinds


def structure(graph):
    """Which of the structures a graph has."""
    reach = {(b.source, b.target) for b in graph.branches}
    while more := {(i, m) for i, j in reach for k, m in reach if j == k} - reach:
        reach |= more
    own = any(b.source == b.target for b in graph.branches)
    loops = any((j, i) in reach for i, j in reach if i != j)
    return {
        name
        for name, there in (
            ("finite filters", not own and not loops),
            ("feedback at a node", own),
            ("feedback over nodes", loops),
        )
        if there
    }


def test_the_adjoint_is_the_graph_turned_round():
    graph = drawn(3)
    turned = graph.adjoint()
    assert [(b.target, b.source, b.gain, -b.delay) for b in turned.branches] == [
        (b.source, b.target, b.gain, b.delay) for b in graph.branches
    ]
    assert (turned.inputs, turned.outputs) == (graph.outputs, graph.inputs)
    linear = SignalFlowGraph([Node(n.name) for n in graph.nodes], graph.branches, graph.inputs, graph.outputs)
    again = linear.adjoint().adjoint()
    assert again.nodes == linear.nodes
    assert again.branches == linear.branches
    # Of a linear graph with one input and one output, both have the same response (Tellegen's theorem).
    single = SignalFlowGraph(linear.nodes, linear.branches, linear.inputs[:1], linear.outputs[:1], dtype="float64")
    impulse = jnp.zeros((TIME, 1)).at[0].set(1.0)
    response, _ = single.run(impulse)
    assert np.abs(response).max() > 0.1
    np.testing.assert_allclose(single.adjoint().run(impulse[::-1])[0][::-1], response, rtol=1e-12, atol=1e-14)


def test_a_network_of_filters_is_a_graph_and_rbp_its_adjoint():
    key = jax.random.split(jax.random.key(0))
    layers = [ost.cells.Filters(2, 3, key=key[0]), ost.cells.Filters(3, 1, feedback=0, taps=2, key=key[1])]
    graph, stack = filters_graph(*layers), ost.Stack(layers)
    xs = jax.random.normal(key[0], (TIME, 2))
    ys, tape = graph.run(jnp.concatenate([xs, jnp.ones((TIME, 1))], axis=1))
    np.testing.assert_allclose(ys, ost.unroll(stack, xs)[0], rtol=1e-12, atol=1e-14)
    targets = jax.random.normal(key[1], (TIME, 1))
    grads = flow_gradients(graph, tape, 2 * (ys - targets))
    examples = ost.Examples(ost.SequenceBatch(xs[None]), targets[None], jnp.ones((1, TIME)))
    rule = ost.learning.RBP()
    learned = eqx.filter_jit(lambda s: rule(s, lambda y, t: jnp.sum((y - t) ** 2), examples, rule.init(s, examples))[1])
    by_rule = learned(stack)
    by_branch = {(i, j, d): g for (i, j, d), g in zip(graph.ends, np.asarray(grads.gains), strict=True)}
    for n, m, p in np.ndindex(3, 2, 3):
        assert by_branch[f"x{m}", f"h0.{n}←x{m}", p] == pytest.approx(float(by_rule.layers[0].w[p, n, m]), rel=1e-10)
        if p:
            loop = f"h0.{n}←x{m}", f"h0.{n}←x{m}", p
            assert by_branch[loop] == pytest.approx(float(by_rule.layers[0].v[p - 1, n, m]), rel=1e-10)


def test_a_graph_is_a_cell():
    graph = drawn(1)
    xs = jnp.asarray(np.random.default_rng(1).normal(size=(TIME, 2)))
    ys, _ = graph.run(xs)
    np.testing.assert_allclose(ost.unroll(graph, xs)[0], ys, rtol=1e-13)
    errors = jnp.asarray(np.random.default_rng(2).normal(size=(TIME, 3)))
    examples = ost.Examples(ost.SequenceBatch(xs[None]), errors[None], jnp.ones((1, TIME)))
    expected = flow_gradients(graph, graph.run(xs)[1], errors).gains
    for rule in (ost.learning.BPTT(), ost.learning.RTRL()):
        found = eqx.filter_jit(lambda g, e, r=rule: r(g, lambda y, e: jnp.sum(y * e), e, r.init(g, e))[1])
        np.testing.assert_allclose(found(graph, examples).gains, expected, rtol=1e-10, atol=1e-12)
    with pytest.raises(UnsupportedRule, match="looks ahead"):
        graph.adjoint()(xs[0], graph.init_state())


def test_the_rule_of_graphs_is_bptt():
    """With holes in the sequences, and on chunks, where errors of both stop at the same place."""
    graph, rng = drawn(1), np.random.default_rng(5)
    mask = jnp.asarray(rng.random((2, TIME)) < 0.7)
    inputs = ost.SequenceBatch(jnp.where(mask[..., None], jnp.asarray(rng.normal(size=(2, TIME, 2))), jnp.nan), mask)
    targets, weight = jnp.asarray(rng.normal(size=(2, TIME, 3))), jnp.where(mask, 1.0, 0.0)
    examples, ends = ost.Examples(inputs, targets, weight), []
    for rule in (ost.learning.FlowAdjoint(), ost.learning.BPTT()):
        both, carry = [], rule.init(graph, examples)
        step = eqx.filter_jit(lambda g, part, carry, r=rule: r(g, ost.losses.squared, part, carry))
        for a, b in ((0, TIME // 2), (TIME // 2, TIME)):
            value, grads, carry = step(graph, examples.window(a, b), carry)
            both.append((value, grads.gains))
        ends.append((both, carry))
    assert all(np.abs(gains).max() > 1e-2 for _, gains in ends[1][0])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12), *ends)
    assert isinstance(ost.learning.FlowAdjoint().applies(graph), ost.learning.Exact)
    for model, why in ((graph.adjoint(), "adjoint of a graph"), (ost.cells.GRU(1, 2, key=jax.random.key(0)), "no sig")):
        with pytest.raises(UnsupportedRule, match=why):
            ost.learning.FlowAdjoint().check(model)
    reset = ost.SequenceBatch(inputs.values, mask, mask)
    with pytest.raises(UnsupportedRule, match="resets"):
        ost.learning.FlowAdjoint().init(graph, ost.Examples(reset, targets, weight))


X, Y = Node("x"), Node("y")
REFUSED = {
    "without a delay: .*x -> y -> x|y -> x -> y": lambda: SignalFlowGraph(
        [X, Y], [Branch("x", "y"), Branch("y", "x")], ["x"], ["y"]
    ),
    "different names": lambda: SignalFlowGraph([X, X], [], ["x"], ["x"]),
    "no node 'z'": lambda: SignalFlowGraph([X], [Branch("x", "z")], ["x"], ["x"]),
    "expected one of linear|tanh": lambda: SignalFlowGraph([Node("x", "softmax")], [], ["x"], ["x"]),
    "back or ahead": lambda: SignalFlowGraph([X], [Branch("x", "x", 1, 1), Branch("x", "x", 1, -1)], ["x"], ["x"]),
    "slopes": lambda: SignalFlowGraph([Node("x", "tanh")], [], ["x"], ["x"]).adjoint().run(jnp.ones((2, 1))),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(words):
    with pytest.raises(SettingsError, match=words):
        REFUSED[words]()
    with pytest.raises(ShapeError, match="xs"):
        drawn(0).run(jnp.ones((3, 5)))
