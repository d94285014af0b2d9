"""Graph traversal: walk through a graph that was told edge by edge (Graves et al., Nature 538, 2016)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.data import Examples
from ostinato.losses import cross_entropy
from ostinato.tasks.base import Task, Trial, at_least
from ostinato.tasks.bits import check_range, drawn_length
from ostinato.tasks.reversal import symbol_metrics


class GraphTraversal(Task):
    """The edges of a random graph in random order; then a node and the labels of a path, and where each step leads.

    Inputs `(n degree + path, 2 names + labels + 1)` for the largest n and path: an edge is three one-hot codes, from,
    label and to. Then the last channel is on; the first of these steps shows the node where the path starts (as from)
    and a label, each further one a label alone. Targets are names `(time,)`, the node that this label leads to; the
    steps of the path count.

    A graph has n nodes with names drawn anew, `degree` edges out of each, whose labels differ, to any other node. The
    path starts anywhere and takes any of the edges at each node.

    * `nodes`, `path`: the first and the last number of each, drawn uniformly for each trial.
    * `degree`: edges out of a node; `labels`, `names`: how many of them there are to draw from.
    * `metrics`: `accuracy` of answers; `whole`, the share of paths without a wrong one.

    Raises `SettingsError` for fewer than 2 nodes, no edge, an empty range, fewer labels than edges out of a node, or
    fewer names than nodes.

    ```python
    >>> import jax
    >>> task = GraphTraversal(nodes=(2, 2), path=(1, 1), degree=1, labels=1, names=2)
    >>> task.trial(jax.random.key(0)).inputs.shape, task.time_size
    ((3, 6), 3)

    ```
    """

    nodes: tuple[int, int] = eqx.field(static=True, default=(2, 8))
    path: tuple[int, int] = eqx.field(static=True, default=(1, 3))
    degree: int = eqx.field(static=True, default=2)
    labels: int = eqx.field(static=True, default=2)
    names: int = eqx.field(static=True, default=8)

    def __check_init__(self) -> None:
        check_range("nodes", self.nodes, 2)
        check_range("path", self.path)
        at_least(self.degree, 1, "degree")
        at_least(self.labels, self.degree, "labels")
        at_least(self.names, self.nodes[1], "names")

    @property
    def input_size(self) -> int:
        return 2 * self.names + self.labels + 1

    @property
    def output_size(self) -> int:
        return self.names

    @property
    def time_size(self) -> int:
        return self.nodes[1] * self.degree + self.path[1]

    @property
    def chance(self) -> dict[str, float]:
        # No edge leads back to the node that is shown at the first step of a path; at the others only a label is.
        first = 2 / sum(self.path)
        return {"accuracy": first / max(1, self.names - 1) + (1 - first) / self.names}

    def trial(self, key: PRNGKeyArray) -> Trial:
        k_nodes, k_path, k_names, k_labels, k_to, k_order, k_start, k_walk = jr.split(key, 8)
        n, length = drawn_length(k_nodes, self.nodes), drawn_length(k_path, self.path)
        most, steps = self.nodes[1] * self.degree, jnp.arange(self.time_size)
        # In places 0 to n - 1; the name of a place comes at the end. `to` counts on from the place itself, so never it.
        edges = jnp.arange(most)
        begin = edges // self.degree
        ordered = jax.vmap(lambda k: jr.permutation(k, self.labels)[: self.degree])
        label = ordered(jr.split(k_labels, self.nodes[1])).reshape(most)
        to = (begin + jr.randint(k_to, (most,), 1, n)) % n
        taken = jr.randint(k_walk, (self.path[1],), 0, self.degree)
        walk = lambda place, choice: (to[place * self.degree + choice], place * self.degree + choice)
        _, walked = jax.lax.scan(walk, jr.randint(k_start, (), 0, n), taken)
        count = n * self.degree
        order = jnp.argsort(jnp.where(edges < count, jr.uniform(k_order, (most,)), 2))
        asked = steps - count
        querying = (asked >= 0) & (asked < length)
        edge = jnp.where(querying, walked[jnp.clip(asked, 0, self.path[1] - 1)], order[jnp.clip(steps, 0, most - 1)])
        names = jr.permutation(k_names, self.names)
        code = lambda number, size, shown: jax.nn.one_hot(jnp.where(shown, number, size), size)
        told = steps < count
        parts = [
            code(names[begin[edge]], self.names, told | (asked == 0)),
            code(label[edge], self.labels, told | querying),
            code(names[to[edge]], self.names, told),
            querying[:, None].astype(jnp.result_type(float)),
        ]
        return Trial(jnp.concatenate(parts, axis=1), names[to[edge]], steps < count + length, querying)

    def loss(self, y: Array, target: Int[Array, ""]) -> Float[Array, ""]:
        return cross_entropy(y, target)

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        return symbol_metrics(ys, examples)
