"""Networks of the library as signal-flow graphs."""

from ostinato.cells import Filters
from ostinato.errors import SettingsError
from ostinato.graphs.flow import Branch, Node, SignalFlowGraph


def filters_graph(*layers: Filters) -> SignalFlowGraph:
    """Layers of filters as a graph: a node for each input, synapse with feedback and unit, a branch for each weight.

    Inputs are the network's, and `"1"` for the biases, which is to be 1 at every step.

    Raises `SettingsError` for an activation that is no name.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> layer = Filters(1, 1, taps=2, feedback=1, key=jax.random.key(0))
    >>> graph = filters_graph(layer)
    >>> [node.name for node in graph.nodes], len(graph.branches)
    (['x0', '1', 'h0.0', 'h0.0←x0'], 5)

    ```
    """
    before = [f"x{m}" for m in range(layers[0].input_size)]
    inputs, nodes, branches = [*before, "1"], [Node(name) for name in (*before, "1")], []
    for number, layer in enumerate(layers):
        if not isinstance(layer.activation, str):
            raise SettingsError("filters_graph: an activation without a name")
        units = [f"h{number}.{n}" for n in range(layer.hidden_size)]
        nodes += [Node(name, layer.activation) for name in units]
        for n, unit in enumerate(units):
            branches.append(Branch("1", unit, float(layer.b[n])))
            for m, source in enumerate(before):
                target = unit
                if layer.v is not None:
                    target = f"{unit}←{source}"
                    nodes.append(Node(target))
                    branches.append(Branch(target, unit))
                    loops = [float(v) for v in layer.v[:, n, m]]
                    branches += [Branch(target, target, v, delay) for delay, v in enumerate(loops, 1)]
                taps = [float(w) for w in layer.w[:, n, m]]
                branches += [Branch(source, target, w, delay) for delay, w in enumerate(taps)]
        before = units
    return SignalFlowGraph(nodes, branches, inputs, before, dtype=layers[0].b.dtype)
