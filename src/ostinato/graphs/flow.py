"""Signal-flow graphs (Mason, Proc. IRE 41, 1953), and their reversal (Wan and Beaufays, Neural Computation 8, 1996)."""

import dataclasses
from collections.abc import Iterable, Sequence
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.cells import ACTIVATIONS, Cell
from ostinato.errors import SettingsError, ShapeError, UnsupportedRule

FLOW_FUNCTIONS = tuple(name for name in ACTIVATIONS if name != "softmax")
"""Functions that a node may have: those of one number."""


@dataclasses.dataclass(frozen=True)
class Node:
    """A point where signals are added, `function` of the sum is taken, and the result goes out on every branch.

    With `slope` the sum is multiplied by the derivative of the function where a run of the other graph stood: a gain
    that changes with time.
    """

    name: str
    function: str = "linear"
    slope: bool = False


@dataclasses.dataclass(frozen=True)
class Branch:
    """From node to node: times `gain`, `delay` steps later (z to the power of -delay; a negative delay looks ahead)."""

    source: str
    target: str
    gain: float = 1.0
    delay: int = 0


class FlowState(NamedTuple):
    """What every node gave in the last steps, the newest first."""

    past: Float[Array, "delay nodes"]


class Tape(NamedTuple):
    """What every node gave at every step, the derivative of its function there, and the state before the first step."""

    values: Float[Array, "time nodes"]
    slopes: Float[Array, "time nodes"]
    start: FlowState

    def history(self) -> Float[Array, "delay_and_time nodes"]:
        """What every node gave, the steps before the first one included, in the order of time."""
        return jnp.concatenate([self.start.past[::-1], self.values])


class SignalFlowGraph(Cell):
    r"""Nodes and branches with gains and delays: any network of sums, filters, feedback and functions.

    $$s_j[t] = u_j[t] + \sum_{i \to j} g_{ij}\, x_i[t - d_{ij}],\qquad x_j = a_j(s_j)$$

    with $u_j$ the given signal where j is an input, and zeros before the first step. `run` is the whole graph through
    time. A graph that looks back only is also a `Cell`, for every layer and rule; its parameters are `gains`, one for
    each branch in order. Bias is a branch from an input that is 1.

    `adjoint()` turns the graph round: every branch runs the other way with the same gain, $z^{-1}$ becomes $z^{+1}$,
    where signals were added they now branch and the other way round, functions become gains $a_j'(s_j[t])$, and inputs
    and outputs change places. Run on errors, from the last step to the first, it gives the derivative of the loss by
    every sum (`flow_gradients`).

    Raises `SettingsError` for names that are unknown or double, an unknown function, delays of both signs, and a loop
    without a delay, which has no first step.

    ```python
    >>> nodes = [Node("x"), Node("s", "tanh"), Node("y")]
    >>> branches = [Branch("x", "s", 0.5), Branch("s", "s", 0.9, delay=1), Branch("s", "y", 2.0)]
    >>> graph = SignalFlowGraph(nodes, branches, inputs=["x"], outputs=["y"])
    >>> ys, tape = graph.run(jnp.ones((4, 1)))
    >>> ys.shape, [(b.source, b.target, b.delay) for b in graph.adjoint().branches]
    ((4, 1), [('s', 'x', 0), ('s', 's', -1), ('y', 's', 0)])

    ```
    """

    nodes: tuple[Node, ...] = eqx.field(static=True)
    ends: tuple[tuple[str, str, int], ...] = eqx.field(static=True)
    inputs: tuple[str, ...] = eqx.field(static=True)
    outputs: tuple[str, ...] = eqx.field(static=True)
    gains: Float[Array, " branches"]

    def __init__(
        self,
        nodes: Iterable[Node],
        branches: Iterable[Branch],
        inputs: Sequence[str],
        outputs: Sequence[str],
        *,
        dtype: Any = None,
    ):
        branches = tuple(branches)
        self.nodes, self.inputs, self.outputs = tuple(nodes), tuple(inputs), tuple(outputs)
        self.ends = tuple((b.source, b.target, b.delay) for b in branches)
        gains = [b.gain for b in branches]
        self.gains = jnp.asarray(gains, jnp.zeros(()).dtype if dtype is None else dtype)
        self._check()

    @property
    def input_size(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return len(self.inputs)

    @property
    def hidden_size(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return len(self.nodes)

    @property
    def output_size(self) -> int:
        return len(self.outputs)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The branches with their gains as they are now, as numbers."""
        return tuple(Branch(i, j, float(g), d) for (i, j, d), g in zip(self.ends, np.asarray(self.gains), strict=True))

    @property
    def looks_ahead(self) -> bool:
        """Whether delays are negative: such a graph runs from the last step to the first."""
        return any(delay < 0 for _, _, delay in self.ends)

    @property
    def memory(self) -> int:
        """The longest delay."""
        return max((abs(delay) for _, _, delay in self.ends), default=0)

    def adjoint(self) -> "SignalFlowGraph":
        """The graph turned round, with the same gains; the adjoint of a linear graph's adjoint is the graph itself."""
        turned = [dataclasses.replace(n, slope=n.function != "linear") for n in self.nodes]
        branches = [Branch(j, i, 0.0, -d) for i, j, d in self.ends]
        graph = SignalFlowGraph(turned, branches, self.outputs, self.inputs, dtype=self.gains.dtype)
        return eqx.tree_at(lambda g: g.gains, graph, self.gains)

    def run(
        self,
        xs: Float[Array, "time inputs"],
        *,
        state: FlowState | None = None,
        slopes: Float[Array, "time nodes"] | None = None,
    ) -> tuple[Float[Array, "time outputs"], Tape]:
        """The outputs and the tape of a run, from rest if no state is given.

        An adjoint, which runs from the last step to the first, needs the `slopes` on the tape of its original's run.

        Raises `ShapeError`; `SettingsError` where slopes are missing.
        """
        if xs.ndim != 2 or xs.shape[1] != self.input_size:
            raise ShapeError(f"xs: expected (time, {self.input_size}), got {tuple(xs.shape)}")
        if slopes is None:
            if any(node.slope for node in self.nodes):
                raise SettingsError("slopes: an adjoint needs those of the tape of its original's run")
            slopes = jnp.ones((xs.shape[0], len(self.nodes)), xs.dtype)
        given = jnp.zeros((xs.shape[0], len(self.nodes)), xs.dtype).at[:, self._at(self.inputs)].add(xs)
        functions, kind = self._functions()
        start = self.init_state() if state is None else state
        matrices, order = self._matrices(), self._order()
        sums, values = _run(functions, matrices, order, kind, start, given, slopes, reverse=self.looks_ahead)
        return values[:, self._at(self.outputs)], Tape(values, _slopes(functions, kind, sums), start)

    def init_state(self, *, key: PRNGKeyArray | None = None) -> FlowState:
        del key
        return FlowState(jnp.zeros((self.memory, len(self.nodes)), self.gains.dtype))

    def __call__(
        self, x: Array, state: FlowState, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[FlowState, Array]:
        del dt, key
        if self.looks_ahead or any(node.slope for node in self.nodes):
            raise UnsupportedRule("one step", "an adjoint graph", "it needs a run of its original, and looks ahead")
        functions, kind = self._functions()
        given = jnp.zeros(len(self.nodes), x.dtype).at[self._at(self.inputs)].add(x)
        state, (_, values) = flow_step(
            functions, self._matrices(), self._order(), kind, state, given, jnp.ones_like(given)
        )
        return state, values[self._at(self.outputs)]

    def _at(self, names: Sequence[str]) -> Int[np.ndarray, " names"]:
        places = {node.name: place for place, node in enumerate(self.nodes)}
        return np.array([places[name] for name in names], int)

    def _matrices(self) -> Float[Array, "delays nodes nodes"]:
        """Gains by delay, target and source; parallel branches add up."""
        sources, targets = self._at([i for i, _, _ in self.ends]), self._at([j for _, j, _ in self.ends])
        delays = np.array([abs(d) for _, _, d in self.ends], int)
        count = len(self.nodes)
        return jnp.zeros((self.memory + 1, count, count), self.gains.dtype).at[delays, targets, sources].add(self.gains)

    def _functions(self) -> tuple[tuple[str, ...], Int[np.ndarray, " nodes"]]:
        """The functions that occur, and for each node which of them; the last number means its slope."""
        names = tuple(sorted({node.function for node in self.nodes if not node.slope}))
        return names, np.array([len(names) if n.slope else names.index(n.function) for n in self.nodes], int)

    def _order(self) -> Int[np.ndarray, " nodes"]:
        """The nodes in an order in which every branch without delay leads onwards."""
        needs: dict[str, set[str]] = {node.name: set() for node in self.nodes}
        for source, target, delay in self.ends:
            if delay == 0:
                needs[target].add(source)
        try:
            return self._at(list(TopologicalSorter(needs).static_order()))
        except CycleError as error:
            raise SettingsError(f"a loop without a delay: {' -> '.join(error.args[1])}") from None

    def _check(self) -> None:
        names = [node.name for node in self.nodes]
        if not names or len(set(names)) < len(names):
            raise SettingsError(f"nodes: expected different names, at least one, got {', '.join(names) or 'none'}")
        for node in self.nodes:
            if node.function not in FLOW_FUNCTIONS:
                raise SettingsError(f"{node.name}: expected one of {', '.join(FLOW_FUNCTIONS)}, got {node.function!r}")
        for what in (*((i, j) for i, j, _ in self.ends), self.inputs, self.outputs):
            for name in what:
                if name not in names:
                    raise SettingsError(f"no node {name!r}; there are {', '.join(names)}")
        if len({delay > 0 for _, _, delay in self.ends if delay}) > 1:
            raise SettingsError("delays: a graph looks back or ahead, not both")
        self._order()


def flow_step(
    functions: tuple[str, ...],
    matrices: Float[Array, "delays nodes nodes"],
    order: Any,
    kind: Any,
    state: FlowState,
    given: Float[Array, " nodes"],
    slopes: Float[Array, " nodes"],
) -> tuple[FlowState, tuple[Float[Array, " nodes"], Float[Array, " nodes"]]]:
    """One step: the nodes one after the other in `order`; the state, and the sums and values of all nodes."""
    order, kind = jnp.asarray(order), jnp.asarray(kind)
    drive = given + jnp.einsum("dji,di->j", matrices[1:], state.past)

    def one(carry: tuple[Array, Array], j: Array) -> tuple[tuple[Array, Array], None]:
        sums, values = carry
        s = drive[j] + matrices[0, j] @ values
        choices = jnp.stack([*(ACTIVATIONS[name](s) for name in functions), slopes[j] * s])
        return (sums.at[j].set(s), values.at[j].set(choices[kind[j]])), None

    nothing = jnp.zeros_like(drive)
    (sums, values), _ = jax.lax.scan(one, (nothing, nothing), order)
    return FlowState(jnp.concatenate([values[None], state.past])[: state.past.shape[0]]), (sums, values)


@partial(jax.jit, static_argnames=("functions", "reverse"))
def _run(
    functions: tuple[str, ...],
    matrices: Array,
    order: Any,
    kind: Any,
    start: FlowState,
    given: Array,
    slopes: Array,
    *,
    reverse: bool,
) -> tuple[Array, Array]:
    """Sums and values at every step; the structure is data, so that graphs of one size share what was compiled."""
    step = lambda state, at: flow_step(functions, matrices, order, kind, state, *at)
    return jax.lax.scan(step, start, (given, slopes), reverse=reverse)[1]


@partial(jax.jit, static_argnames=("functions",))
def _slopes(functions: tuple[str, ...], kind: Any, sums: Array) -> Array:
    """The derivative of each node's function; 1 where there is none."""
    each = lambda name: jax.vmap(jax.vmap(jax.grad(ACTIVATIONS[name])))(sums)
    choices = jnp.stack([*(each(name) for name in functions), jnp.ones_like(sums)])
    return jnp.take_along_axis(choices, jnp.asarray(kind)[None, None, :], axis=0)[0]
