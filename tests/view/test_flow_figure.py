"""The picture of a signal-flow graph: everything is there, inside, apart, and the adjoint stands as its original."""

import re
from xml.etree import ElementTree

import numpy as np

from ostinato.graphs import Branch, Node, SignalFlowGraph
from ostinato.view import flow_figure, standalone

NODES = [Node("x"), Node("1"), Node("f"), Node("s", "tanh"), Node("r", "sigmoid"), Node("<y>")]
BRANCHES = [
    Branch("x", "f", 0.5),
    Branch("x", "f", -0.25, delay=1),
    Branch("f", "f", 0.8, delay=1),
    Branch("f", "f", -0.3, delay=2),
    Branch("f", "s"),
    Branch("1", "s", 0.1),
    Branch("s", "r", 1.2),
    Branch("r", "s", -0.7, delay=1),
    Branch("r", "<y>", 2.0),
    Branch("f", "<y>", 0.15, delay=3),
]
GRAPH = SignalFlowGraph(NODES, BRANCHES, ["x", "1"], ["<y>"])


def parsed(graph):
    return ElementTree.fromstring(standalone(flow_figure(graph)))


def found(root, attribute):
    return [element for element in root.iter() if attribute in element.attrib]


def test_every_node_branch_gain_and_delay_is_drawn():
    root = parsed(GRAPH)
    assert sorted(e.get("data-node") for e in found(root, "data-node")) == sorted(n.name for n in NODES)
    assert [e.get("data-name") for e in found(root, "data-name")] == [f"{b.source} → {b.target}" for b in BRANCHES]
    words = [e.text for e in root.iter() if e.tag.endswith("text")]
    for word in ("z⁻¹", "z⁻²", "z⁻³", "−0.25", "0.15", "Σ tanh", "sigmoid", "<y>"):
        assert word in words
    assert "1.0" not in words  # a gain of one is not written
    assert words.count("+") == 2  # f and y add, x only branches, 1 does neither
    assert sum(e.tag.endswith("circle") for e in root.iter()) == 4


def places(root):
    return {e.get("data-node"): (float(e.get("x")), float(e.get("y"))) for e in found(root, "data-node")}


def test_nodes_are_inside_and_apart():
    root = parsed(GRAPH)
    _, _, width, height = map(float, root.get("viewBox").split())
    at = np.array(list(places(root).values()))
    assert (at > 20).all()
    assert (at < [width - 20, height - 10]).all()
    apart = np.linalg.norm(at[:, None] - at[None], axis=-1)[~np.eye(len(at), dtype=bool)]
    assert apart.min() > 80
    for curve in found(root, "data-name"):
        points = np.array(re.findall(r"-?[\d.]+", curve.get("d")), float).reshape(-1, 2)
        assert (points > 0).all()
        assert (points < [width, height]).all()


def test_the_adjoint_stands_as_the_graph_does_with_its_arrows_turned():
    root, turned = parsed(GRAPH), parsed(GRAPH.adjoint())
    ours, theirs = places(root), places(turned)
    assert all(abs(ours[name][0] - theirs[name][0]) < 1e-9 for name in ours)
    first = lambda curve: curve.get("d").split("C")[0]
    for one, other, b in zip(found(root, "data-name"), found(turned, "data-name"), BRANCHES, strict=True):
        assert other.get("data-name") == f"{b.target} → {b.source}"
        assert (first(one) == first(other)) == (b.source == b.target)
    words = [e.text for e in turned.iter() if e.tag.endswith("text")]
    for word in ("z⁺¹", "z⁺³", "Σ × sigmoid′", "× tanh′"):
        assert word in words
    # Where x branched it adds, and where y added it branches.
    assert words.count("+") == 2
