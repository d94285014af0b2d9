"""A cell as vector programs: `update` traced once, its derivative through `jax.vjp`, and what passes between them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from ostinato.kernels import opcodes as o
from ostinato.kernels.emit import Code, Place, Write, emit
from ostinato.kernels.graph import CHEAP, Graph, Unsupported
from ostinato.kernels.vectorise import Value, array, vectorise
from ostinato.tracing.affine import input_matrix

MOST_ROWS = 64


class Program(NamedTuple):
    """What the compiled loop runs for one cell.

    * `forward` gives outputs alone, `saving` also what the derivative needs; `before` and `after` are the derivative
      around the product with the transposed matrix.
    * `extra`: vectors saved beside those that take the place of the input. `source`: per gate of the product, the
      vector that holds its gradient, from `gates_in` on among the extra ones; None for a cell without a product.
    * `leaves`: which array leaves of the cell are read; each gives `rows` vectors, in order.
    * `matrix`: which leaf is W, where `project` is `W x + b`: the loop then makes that product too.
    """

    gates_in: int
    gates: int
    states: tuple[int, ...]
    forward: dict[bool, Code]
    saving: dict[bool, Code]
    before: dict[bool, Code]
    after: Code
    extra: int
    direct: bool
    source: tuple[int, ...]
    y_is_hidden: bool
    biased: bool
    leaves: tuple[int, ...]
    rows: tuple[int, ...]
    dtype: np.dtype
    matrix: int | None

    @property
    def params(self) -> int:
        return sum(self.rows)

    @property
    def sums(self) -> int:
        return self.params + (self.gates if self.biased else 0)


_known: dict[Any, Program | Unsupported] = {}


def program_of(cell: Any, timed: bool) -> Program:
    """The program of a gated cell, traced once for each structure; raises `Unsupported` where it has none."""
    arrays, static = eqx.partition(cell, eqx.is_array)
    leaves, structure = jax.tree.flatten(arrays)
    shapes = tuple((leaf.shape, np.dtype(leaf.dtype).name) for leaf in leaves)
    try:
        key = (structure, tuple(jax.tree.leaves(static)), jax.tree.structure(static), shapes, timed)
        hash(key)
    except TypeError:
        return _traced(cell, timed)
    if key not in _known:
        try:
            _known[key] = _traced(cell, timed)
        except Unsupported as why:
            _known[key] = why
    found = _known[key]
    if isinstance(found, Unsupported):
        raise found
    return found


def _traced(cell: Any, timed: bool) -> Program:
    arrays, static = eqx.partition(cell, eqx.is_array)
    leaves, structure = jax.tree.flatten(arrays)
    shapes = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves]

    def build(leaves: list[Any]) -> Any:
        return eqx.combine(jax.tree.unflatten(structure, leaves), static)

    recurrent, state = jax.eval_shape(lambda p: (build(p).recurrent(), build(p).init_state()), shapes)
    dtype = jax.tree.leaves(state)[0].dtype if jax.tree.leaves(state) else None
    if dtype not in (np.float32, np.float64):
        raise Unsupported(f"a state of {dtype}")
    x = jax.ShapeDtypeStruct((cell.input_size,), dtype)
    a = jax.eval_shape(lambda p, x: build(p).project(x), shapes, x)
    units = a.shape[-1]
    if len(a.shape) != 2 or a.dtype != dtype:
        raise Unsupported(f"a projection of {a.dtype}{list(a.shape)}")
    q, biased = None, False
    if recurrent is not None:
        R, b_h = recurrent
        if R.shape != (R.shape[0], units, units) or R.dtype != dtype:
            raise Unsupported(f"a recurrent matrix of {R.dtype}{list(R.shape)}")
        q, biased = jax.ShapeDtypeStruct(R.shape[:2], dtype), b_h is not None
    for leaf in jax.tree.leaves(state):
        if leaf.shape[-1:] != (units,) or leaf.dtype != dtype:
            raise Unsupported(f"a state of {leaf.dtype}{list(leaf.shape)}")
    dt = jax.ShapeDtypeStruct((), dtype) if timed else None
    matrix = input_matrix(lambda p, x: build(p).project(x), shapes, x) if cell.input_size > 0 else None
    return _Tracer(build, shapes, units, a, q, state, dt, dtype).program(biased)._replace(matrix=matrix)


class _Tracer:
    def __init__(
        self, build: Callable[..., Any], shapes: list[Any], units: int, a: Any, q: Any, state: Any, dt: Any, dtype: Any
    ) -> None:
        self.build, self.shapes, self.units = build, shapes, units
        self.a, self.q, self.state, self.dt, self.dtype = a, q, state, dt, np.dtype(dtype)
        self.graph = Graph()
        self.float_leaves = [i for i, s in enumerate(shapes) if s.dtype == dtype]
        self.first: dict[int, int] = {}
        self.params = [self._parameter(i, s) for i, s in enumerate(shapes)]
        self.state_values = self._vectors("s", jax.tree.leaves(state))
        self.state_rows = tuple(int(np.prod(leaf.shape[:-1])) for leaf in jax.tree.leaves(state))

    def _parameter(self, leaf: int, shape: Any) -> Value:
        """A vector for each row of a parameter over the units, or for each entry of a small one of another shape."""
        over_units = shape.shape[-1:] == (self.units,)
        rows = int(np.prod(shape.shape[:-1] if over_units else shape.shape))
        self.first[leaf] = sum(self._rows(i) for i in range(leaf))
        if rows > MOST_ROWS or shape.dtype != self.dtype or (not over_units and rows > 8):
            return array(
                [self.graph.input("unreadable", leaf)] * rows, shape.shape, len(shape.shape) - 1 if over_units else None
            )
        nodes = [self.graph.input("p", self.first[leaf] + k) for k in range(rows)]
        return array(nodes, shape.shape, len(shape.shape) - 1 if over_units else None)

    def _rows(self, leaf: int) -> int:
        shape = self.shapes[leaf].shape
        return int(np.prod(shape[:-1] if shape[-1:] == (self.units,) else shape))

    def _vectors(self, name: str, shapes: list[Any]) -> list[Value]:
        values, count = [], 0
        for s in shapes:
            rows = int(np.prod(s.shape[:-1]))
            values.append(array([self.graph.input(name, count + k) for k in range(rows)], s.shape, len(s.shape) - 1))
            count += rows
        return values

    def _run(self, function: Callable[..., Any], *groups: tuple[Any, list[Value]]) -> list[Value]:
        jaxpr = jax.make_jaxpr(function)(*(shapes for shapes, _ in groups))
        return vectorise(self.graph, jaxpr, [v for _, values in groups for v in values])

    def _nodes(self, values: list[Value]) -> list[int]:
        """A node for each vector over the units, which are the last axis; for each number of those of another shape."""
        found: list[int] = []
        for v in values:
            last = len(v.shape) - 1
            over_units = v.shape[-1:] == (self.units,)
            if over_units and (v.unit not in (None, last) or v.cells.shape[last] != 1):
                raise Unsupported("an array over the units whose last axis they are not")
            found += (v._replace(unit=last) if over_units else v).whole().ravel().tolist()
        return found

    def program(self, biased: bool) -> Program:
        graph, build = self.graph, self.build
        gates_in, gates = self.a.shape[0], 0 if self.q is None else self.q.shape[0]
        a_values, q_values = self._vectors("a", [self.a]), [] if self.q is None else self._vectors("q", [self.q])
        dt_values = [] if self.dt is None else [array([graph.input("dt", 0)], (), None)]
        parts = [(self.a, a_values), (self.q, q_values), (self.shapes, self.params), (self.state, self.state_values)]

        def update(a: Any, q: Any, p: Any, s: Any, dt: Any) -> Any:
            new, y = build(p).update(a, q, s, dt)
            return jax.tree.leaves(new), y

        made = self._run(update, *parts, (self.dt, dt_values))
        new_values, y_value = made[:-1], made[-1]
        if [v.shape for v in new_values] != [v.shape for v in self.state_values] or y_value.shape != (self.units,):
            raise Unsupported("an output or a state of another shape")
        new, y = self._nodes(new_values), self._nodes([y_value])[0]
        states = len(new)

        # What the product sees, before and after the step.
        seen_before = seen_after = None
        if gates:

            def hidden(p: Any, s: Any) -> Any:
                return build(p).hidden(s)

            seen_before = self._nodes(self._run(hidden, (self.shapes, self.params), (self.state, self.state_values)))[0]
            seen_after = self._nodes(self._run(hidden, (self.shapes, self.params), (self.state, new_values)))[0]

        # The derivative of the update.
        d_state_values = self._vectors("d_s", jax.tree.leaves(self.state))
        d_y_value = self._vectors("d_y", [jax.ShapeDtypeStruct((1, self.units), self.dtype)])[0]
        d_y_values = [Value(d_y_value.cells.reshape(1), (self.units,), 0)]
        kept = {False: None, True: [graph.input("d_k", i) for i in range(states)]}

        def pull(a: Any, q: Any, p: Any, s: Any, dt: Any, d_s: Any, d_y: Any) -> Any:
            _, back = jax.vjp(
                lambda a, q, f, s, dt: update(a, q, self._merged(p, f), s, dt), a, q, self._floats(p), s, dt
            )
            return back((jax.tree.leaves(d_s), d_y))

        y_shape = jax.ShapeDtypeStruct((self.units,), self.dtype)
        grads: dict[bool, list[Value]] = {}
        for keep in (False, True):
            given = d_state_values
            if keep:
                sums = [
                    graph.op("add", n, k) for n, k in zip(self._nodes(d_state_values), kept[True] or [], strict=True)
                ]
                given, at = [], 0
                for v in d_state_values:
                    rows = v.cells.size
                    given.append(array(sums[at : at + rows], v.shape, v.unit))
                    at += rows
            grads[keep] = self._run(pull, *parts, (self.dt, dt_values), (self.state, given), (y_shape, d_y_values))
        after = self._after(states) if gates else ([], [])

        # A parameter is an operand if anything reads it.
        backward = {keep: self._split(values, gates_in, gates) for keep, values in grads.items()}
        leaves, rows, place = self._used([*new, y, *([seen_after] if seen_after is not None else [])], backward, after)
        d_row = lambda row: graph.input("p", row)
        params = {d_row(row): Place(o.PARAMS, at) for row, at in place.items()}
        y_is_hidden = bool(gates) and seen_after == y

        # What the derivative needs of the step, saved or computed again.
        free = {n for n in (seen_before,) if n is not None}
        d_nodes = {keep: self._all(b) for keep, b in backward.items()}
        saved_after = self._needed(after[0], after[1], free)
        saved_before = self._needed(d_nodes[False], [], free)
        d_a, d_q = backward[False]["a"], backward[False]["q"]
        direct = bool(gates) and d_a == d_q
        source, own = self._sources(d_a, d_q)
        positions = self._positions(saved_before, saved_after, gates_in, len(own))
        extra = max([len(own), *(at - gates_in + 1 for at in positions.values())])

        forward, saving = {}, {}
        for keep in (False, True):
            writes = [Write("store", Place(o.STATE, i), n) for i, n in enumerate(new) if n != graph.input("s", i)]
            writes.append(Write("store", Place(o.Y, 0), y))
            if seen_after is not None and not y_is_hidden:
                writes.append(Write("store", Place(o.Z, 0), seen_after))
            if keep:
                writes += [Write("store", Place(o.STATES, i), n) for i, n in enumerate(new)]
            saves = [
                Write("store", Place(o.SAVED, at) if at < gates_in else Place(o.EXTRA, at - gates_in), n)
                for n, at in positions.items()
            ]
            loads = dict(params)
            loads |= {graph.input("a", g): Place(o.INPUT, g) for g in range(gates_in)}
            loads |= {graph.input("s", i): Place(o.STATE, i) for i in range(states)} | {
                graph.input("dt", 0): Place(o.DT, 0)
            }
            products = [graph.input("q", g) for g in range(gates)]
            overwrites = {o.SAVED: o.INPUT, o.STATE: o.STATE}
            forward[keep] = emit(graph, loads, products, writes, overwrites)
            saving[keep] = emit(graph, loads, products, [*saves, *writes], overwrites)

        loads = {n: Place(o.B_PARAMS, p.index) for n, p in params.items()} | {graph.input("dt", 0): Place(o.B_DT, 0)}
        loads |= {
            n: Place(o.B_SAVED, at) if at < gates_in else Place(o.B_EXTRA, at - gates_in) for n, at in positions.items()
        }
        if seen_before is not None:
            loads[seen_before] = Place(o.B_Z, 0)
        loads |= {graph.input("d_s", i): Place(o.B_D_STATE, i) for i in range(states)}
        loads |= {graph.input("d_k", i): Place(o.B_D_STATES, i) for i in range(states)} | {
            graph.input("d_y", 0): Place(o.B_D_Y, 0)
        }
        overwrites = {o.B_D_INPUT: o.B_SAVED, o.B_D_EXTRA: o.B_EXTRA, o.B_D_STATE: o.B_D_STATE}
        before = {}
        for keep, b in backward.items():
            writes = [Write("store", Place(o.B_D_INPUT, g), n) for g, n in enumerate(b["a"])]
            if not direct:
                writes += [Write("store", Place(o.B_D_HIDDEN, g), n) for g, n in enumerate(b["q"])]
                writes += [
                    Write("store", Place(o.B_D_EXTRA, at), n) for at, n in enumerate(self._sources(b["a"], b["q"])[1])
                ]
            writes += [
                Write("store", Place(o.B_D_STATE, i), n) for i, n in enumerate(b["s"]) if n != graph.input("d_s", i)
            ]
            writes += self._sums(b["p"], place)
            if biased:
                writes += [Write("accumulate", Place(o.B_SUMS, sum(rows) + g), n) for g, n in enumerate(b["q"])]
            writes += [
                Write("row_sum", Place(o.B_D_DT, 0), self._per_unit(n)) for n in b["dt"] if graph.value(n) != 0.0
            ]
            before[keep] = emit(graph, loads, [], writes, overwrites)
        after_code = emit(graph, loads, [], [], overwrites)
        if gates:
            after_writes = [
                Write("store", Place(o.B_D_STATE, i), n) for i, n in enumerate(after[0]) if n != graph.input("d_s", i)
            ]
            after_writes += self._sums(after[1], place)
            after_code = emit(graph, loads, [graph.input("d_z", 0)], after_writes, overwrites)
        return Program(
            gates_in,
            gates,
            self.state_rows,
            forward,
            saving,
            before,
            after_code,
            extra,
            direct,
            source,
            y_is_hidden,
            biased,
            leaves,
            rows,
            self.dtype,
            None,
        )

    def _floats(self, leaves: Any) -> list[Any]:
        return [leaves[i] for i in self.float_leaves]

    def _merged(self, leaves: Any, floats: list[Any]) -> list[Any]:
        merged = list(leaves)
        for i, leaf in zip(self.float_leaves, floats, strict=True):
            merged[i] = leaf
        return merged

    def _after(self, states: int) -> tuple[list[int], list[int]]:
        """The gradient of the state with that of `hidden` added, and what `hidden` adds to the parameters' rows."""
        graph = self.graph
        d_z = self._vectors("d_z", [jax.ShapeDtypeStruct((1, self.units), self.dtype)])[0]
        d_z = Value(d_z.cells.reshape(1), (self.units,), 0)

        def pull(p: Any, s: Any, d: Any) -> Any:
            def hidden(floats: list[Any], s: Any) -> Any:
                return self.build(self._merged(p, floats)).hidden(s)

            _, back = jax.vjp(hidden, self._floats(p), s)
            return back(d)

        y_shape = jax.ShapeDtypeStruct((self.units,), self.dtype)
        made = self._run(pull, (self.shapes, self.params), (self.state, self.state_values), (y_shape, [d_z]))
        count = len(self.float_leaves)
        d_states = [graph.op("add", graph.input("d_s", i), n) for i, n in enumerate(self._nodes(made[count:]))]
        assert len(d_states) == states
        return d_states, self._param_rows(made[:count])

    def _param_rows(self, values: list[Value]) -> list[int]:
        """The gradient of every row of every parameter; zero for those that are no numbers."""
        rows: list[int] = []
        found = dict(zip(self.float_leaves, values, strict=True))
        for i in range(len(self.shapes)):
            rows += self._nodes([found[i]]) if i in found else [self.graph.const(0.0)] * self._rows(i)
        return rows

    def _split(self, values: list[Value], gates_in: int, gates: int) -> dict[str, list[int]]:
        at = 1 + (1 if gates else 0)
        count, states = len(self.float_leaves), len(self.state_rows)
        return {
            "a": self._nodes(values[:1]),
            "q": self._nodes(values[1:at]),
            "p": self._param_rows(values[at : at + count]),
            "s": self._nodes(values[at + count : at + count + states]),
            "dt": self._nodes(values[at + count + states :]),
        }

    def _all(self, b: dict[str, list[int]]) -> list[int]:
        return [n for part in b.values() for n in part]

    def _reach(self, roots: list[int]) -> set[int]:
        reached: set[int] = set()
        stack = list(roots)
        while stack:
            node = stack.pop()
            if node not in reached:
                reached.add(node)
                stack += self.graph.nodes[node].args
        return reached

    def _used(self, forward: list[int], backward: dict[bool, Any], after: tuple[list[int], list[int]]) -> Any:
        roots = [*forward, *self._all(backward[False]), *self._all(backward[True]), *after[0], *after[1]]
        reached = {self.graph.nodes[n].key for n in self._reach(roots)}
        read = {key[1] for key in reached if isinstance(key, tuple) and key[0] == "p"}
        leaves, rows, place = [], [], {}
        for leaf in range(len(self.shapes)):
            own = range(self.first[leaf], self.first[leaf] + self._rows(leaf))
            if read & set(own):
                for row in own:
                    place[row] = len(place)
                leaves.append(leaf)
                rows.append(len(own))
        return tuple(leaves), tuple(rows), place

    def _needed(self, first: list[int], second: list[int], free: set[int]) -> list[int]:
        """Which values of the step to save, so that its derivative can be computed from them by cheap operations."""
        graph = self.graph
        gradients = {"d_s", "d_y", "d_k", "d_z"}

        def of_step(n: int) -> bool:
            return not graph.sources(n) & gradients

        def known(n: int) -> bool:
            return n in free or graph.sources(n) <= {"p", "dt"}

        found: set[int] = set()
        seen: set[int] = set()
        stack = [*first, *second]
        while stack:
            node = stack.pop()
            if node in seen or known(node):
                continue
            seen.add(node)
            if of_step(node):
                found.add(node)
            else:
                stack += graph.nodes[node].args

        def computable(n: int, given: set[int]) -> bool:
            if n in given or known(n):
                return True
            node = graph.nodes[n]
            return node.op in CHEAP and all(computable(a, given) for a in node.args)

        for node in sorted(found, reverse=True):
            args = graph.nodes[node].args
            if graph.nodes[node].op in CHEAP and all(computable(a, found - {node}) for a in args):
                found.discard(node)
        return sorted(found)

    def _sources(self, d_a: list[int], d_q: list[int]) -> tuple[tuple[int, ...], list[int]]:
        """Where the gradient of each gate of the product is stored, and those that need a place of their own."""
        own: list[int] = []
        source = []
        for gate, node in enumerate(d_q):
            if node in d_a:
                # Two gates may have one gradient: each takes it from its own place, where it has one.
                source.append(gate if d_a[gate : gate + 1] == [node] else d_a.index(node))
            else:
                source.append(len(d_a) + len(own))
                own.append(node)
        return tuple(source), own

    def _positions(self, before: list[int], after: list[int], gates_in: int, own: int) -> dict[int, int]:
        """A vector for each saved node; those read after the product out of reach of what is stored before it."""
        positions = {node: gates_in + own + i for i, node in enumerate(after)}
        places = iter([*range(gates_in + own), *range(gates_in + own + len(after), gates_in + own + len(after) + 256)])
        for node in before:
            if node not in positions:
                positions[node] = next(places)
        return positions

    def _sums(self, gradients: list[int], place: dict[int, int]) -> list[Write]:
        return [
            Write("accumulate", Place(o.B_SUMS, place[row]), self._per_unit(n, row))
            for row, n in enumerate(gradients)
            if row in place and self.graph.value(n) != 0.0
        ]

    def _per_unit(self, node: int, row: int | None = None) -> int:
        """Of a gradient that is a sum over the units, what each unit adds to it; others as they are."""
        if row is not None and self._over_units(row):
            return node
        return self._terms(node)

    def _over_units(self, row: int) -> bool:
        leaf = max(i for i in self.first if self.first[i] <= row and self._rows(i))
        return self.shapes[leaf].shape[-1:] == (self.units,)

    def _terms(self, node: int) -> int:
        graph = self.graph
        op, args, _ = graph.nodes[node]
        if op == "reduce_sum":
            return args[0]
        if op == "neg":
            return graph.op("neg", self._terms(args[0]))
        if op in ("add", "sub"):
            return graph.op(op, *(self._terms(a) for a in args))
        if op in ("mul", "div"):
            for one, other in ((0, 1), (1, 0)):
                if "reduce_sum" in {graph.nodes[n].op for n in self._reach([args[one]])} and not (op == "div" and one):
                    parts = [args[0], args[1]]
                    parts[one] = self._terms(args[one])
                    del other
                    return graph.op(op, *parts)
        if self.units == 1:
            return node
        raise Unsupported("a gradient of a number that is no sum over the units")
