"""Gradients by running the adjoint graph (Wan and Beaufays, "Diagrammatic derivation", Neural Computation 8, 1996)."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.graphs.flow import SignalFlowGraph, Tape


class FlowGradients(NamedTuple):
    """The derivatives of a loss by every gain, in the order of the branches, and by every input."""

    gains: Float[Array, " branches"]
    inputs: Float[Array, "time inputs"]


def flow_gradients(graph: SignalFlowGraph, tape: Tape, errors: Float[Array, "time outputs"]) -> FlowGradients:
    r"""The gradient of a loss by reversal of the graph; nothing is differentiated but the functions of the nodes.

    $$\lambda_j[t] = \frac{\partial L}{\partial s_j[t]},\qquad
      \frac{\partial L}{\partial g_{ij}} = \sum_t \lambda_j[t]\, x_i[t - d_{ij}]$$

    where λ is what the nodes of `graph.adjoint()` give when `errors`, $\partial L / \partial y[t]$, run through it from
    the last step to the first. `tape` is that of the run of the graph.

    ```python
    >>> from ostinato.graphs import Branch, Node
    >>> nodes, branches = [Node("x"), Node("y")], [Branch("x", "y", 0.5), Branch("y", "y", 0.8, delay=1)]
    >>> graph = SignalFlowGraph(nodes, branches, inputs=["x"], outputs=["y"])
    >>> ys, tape = graph.run(jnp.array([[1.0], [0.0], [0.0]]))
    >>> found = flow_gradients(graph, tape, jnp.array([[0.0], [0.0], [1.0]]))
    >>> [round(float(g), 4) for g in found.gains]
    [0.64, 0.8]

    ```
    """
    inputs, back = graph.adjoint().run(errors, slopes=tape.slopes)
    places = {node.name: place for place, node in enumerate(graph.nodes)}
    at = np.array([(abs(d), places[j], places[i]) for i, j, d in graph.ends], int).reshape(-1, 3)
    found = _correlations(back.values, tape.history(), graph.memory)
    return FlowGradients(found[at[:, 0], at[:, 1], at[:, 2]], inputs)


@partial(jax.jit, static_argnames="longest")
def _correlations(
    later: Float[Array, "time nodes"], history: Float[Array, "delay_and_time nodes"], longest: int
) -> Float[Array, "delays nodes nodes"]:
    """Sums over time of what every node gave, times what every node of the other run gave some steps before."""
    time = later.shape[0]
    return jnp.stack([later.T @ history[longest - d : longest - d + time] for d in range(longest + 1)])
