"""From what JAX traced to a graph of vector operations: indexing of the gate axis disappears, units become one node."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ostinato.kernels.graph import Graph, Unsupported
from ostinato.tracing.walk import walk


class Value(NamedTuple):
    """An array as nodes: `cells` has an axis for each of `shape`, of size 1 where all entries are the same.

    The axis `unit` runs over the units: it has size 1 in `cells`, since one node stands for all units. None where no
    axis does.
    """

    cells: np.ndarray
    shape: tuple[int, ...]
    unit: int | None

    def whole(self) -> np.ndarray:
        """The nodes without the unit axis, entries that are the same repeated."""
        shape = tuple(1 if axis == self.unit else n for axis, n in enumerate(self.shape))
        return np.broadcast_to(self.cells, shape)


def array(nodes: Any, shape: tuple[int, ...], unit: int | None) -> Value:
    """A value from nodes in order."""
    stored = tuple(1 if axis == unit else n for axis, n in enumerate(shape))
    return Value(np.array(nodes, dtype=object).reshape(stored), shape, unit)


def vectorise(graph: Graph, closed: Any, args: list[Value]) -> list[Value]:
    """The outputs of a traced function; raises `Unsupported` naming the first operation that has no vector form."""

    def operation(equation: Any, given: list[Value]) -> list[Value]:
        name = equation.primitive.name
        if name in _RULES:
            made = _RULES[name](graph, equation, *given)
        elif name in _ELEMENTWISE:
            made = [_elementwise(graph, _ELEMENTWISE[name], given)]
        else:
            raise Unsupported(name)
        if any(variable.aval.shape != value.shape for variable, value in zip(equation.outvars, made, strict=True)):
            raise Unsupported(f"{name} of this shape")
        return made

    return walk(closed, args, constant=lambda value: _constant(graph, value), default=operation)


def _constant(graph: Graph, value: Any) -> Value:
    numbers = np.asarray(value)
    if numbers.size > 64 or numbers.dtype.kind not in "fiub":
        raise Unsupported("a constant array")
    nodes = [graph.const(float(v)) for v in numbers.ravel()]
    return array(nodes, numbers.shape, None)


def _elementwise(graph: Graph, make: Callable[..., int], given: list[Value]) -> Value:
    try:
        shape = np.broadcast_shapes(*(v.shape for v in given))
    except ValueError:
        raise Unsupported("an operation on arrays of different shapes") from None
    units = {v.unit for v in given if v.unit is not None}
    if len(units) > 1:
        raise Unsupported("an operation between units and another axis")
    unit = units.pop() if units else None
    cells = []
    for v in given:
        if v.shape and len(v.shape) != len(shape):
            raise Unsupported("an operation on arrays of different ranks")
        if unit is not None and v.shape and v.cells.shape[unit] != 1:
            raise Unsupported("a constant for each unit")
        cells.append(v.cells if v.shape else v.cells.reshape((1,) * len(shape)))
    made = np.frompyfunc(lambda *nodes: make(graph, *nodes), len(given), 1)(*cells)
    return Value(np.asarray(made, dtype=object).reshape(np.broadcast_shapes(*(c.shape for c in cells))), shape, unit)


def _plain(op: str) -> Callable[..., int]:
    return lambda graph, *nodes: graph.op(op, *nodes)


def _swapped(op: str) -> Callable[..., int]:
    return lambda graph, a, b: graph.op(op, b, a)


def _clamp(graph: Graph, low: int, x: int, high: int) -> int:
    return graph.op("min", graph.op("max", x, low), high)


_SAME = (
    *("add", "sub", "mul", "div", "min", "max", "eq", "ne", "lt", "le"),
    *("neg", "abs", "sign", "square", "sqrt", "rsqrt", "is_finite"),
    *("exp", "log", "log1p", "expm1", "tanh", "logistic"),
)
"""Operations that have the same name in JAX and in a graph."""

_ELEMENTWISE: dict[str, Callable[..., int]] = {
    **{name: _plain(name) for name in _SAME},
    "add_any": _plain("add"),
    "copy": lambda graph, a: a,
    "copy_p": lambda graph, a: a,
    "stop_gradient": lambda graph, a: a,
    "gt": _swapped("lt"),
    "ge": _swapped("le"),
    "clamp": _clamp,
}


def _logical(make: Callable[..., int]) -> Callable[..., list[Value]]:
    """Flags are 0 and 1; the same names on integers are other operations."""

    def rule(graph: Graph, equation: Any, *given: Value) -> list[Value]:
        if any(v.aval.dtype != bool for v in equation.invars):
            raise Unsupported(f"{equation.primitive.name} of integers")
        return [_elementwise(graph, make, list(given))]

    return rule


def _select(graph: Graph, equation: Any, which: Value, *cases: Value) -> list[Value]:
    if len(cases) != 2 or equation.invars[0].aval.dtype != bool:
        raise Unsupported("select_n with more than two cases")
    return [_elementwise(graph, lambda g, w, a, b: g.op("select", w, b, a), [which, *cases])]


def _convert(graph: Graph, equation: Any, given: Value) -> list[Value]:
    old, new = equation.invars[0].aval.dtype, equation.outvars[0].aval.dtype
    # Flags are numbers already, and so is a constant that was written as an integer.
    number = all(graph.value(n) is not None for n in given.cells.ravel())
    if old != new and not (new.kind == "f" and (old.kind == "b" or (number and old.kind in "iu"))):
        raise Unsupported(f"convert_element_type from {old} to {new}")
    return [given]


def _integer_pow(graph: Graph, equation: Any, given: Value) -> list[Value]:
    exponent = equation.params["y"]

    def power(g: Graph, x: int) -> int:
        result, base, left = None, x, abs(exponent)
        while left:
            if left & 1:
                result = base if result is None else g.op("mul", result, base)
            base, left = g.op("square", base) if left > 1 else base, left >> 1
        made = g.const(1.0) if result is None else result
        return g.op("reciprocal", made) if exponent < 0 else made

    return [_elementwise(graph, power, [given])]


def _broadcast(graph: Graph, equation: Any, given: Value, *dynamic: Value) -> list[Value]:
    del graph, dynamic
    shape, axes = tuple(equation.params["shape"]), equation.params["broadcast_dimensions"]
    if given.unit is not None and shape[axes[given.unit]] != given.shape[given.unit]:
        raise Unsupported("broadcast_in_dim of one unit to many")
    stored = [1] * len(shape)
    for axis, target in enumerate(axes):
        stored[target] = given.cells.shape[axis]
    unit = None if given.unit is None else axes[given.unit]
    return [Value(given.cells.reshape(stored), shape, unit)]


def _reshape(graph: Graph, equation: Any, given: Value) -> list[Value]:
    """Only axes of size 1 may come and go: anything else would mix gates with units."""
    del graph
    shape = tuple(equation.params["new_sizes"])
    old = [axis for axis, n in enumerate(given.shape) if n != 1]
    new = [axis for axis, n in enumerate(shape) if n != 1]
    if [given.shape[a] for a in old] != [shape[a] for a in new]:
        raise Unsupported("reshape")
    stored = [1] * len(shape)
    for a, b in zip(old, new, strict=True):
        stored[b] = given.cells.shape[a]
    # A single unit needs no axis of its own.
    unit = dict(zip(old, new, strict=True)).get(given.unit) if given.unit is not None else None
    return [Value(given.cells.reshape(stored), shape, unit)]


def _squeeze(graph: Graph, equation: Any, given: Value) -> list[Value]:
    del graph
    gone = equation.params["dimensions"]
    kept = [a for a in range(len(given.shape)) if a not in gone]
    unit = kept.index(given.unit) if given.unit in kept else None
    return [Value(given.cells.reshape([given.cells.shape[a] for a in kept]), tuple(given.shape[a] for a in kept), unit)]


def _expand(graph: Graph, equation: Any, given: Value) -> list[Value]:
    del graph
    shape = tuple(equation.outvars[0].aval.shape)
    new = equation.params["dimensions"]
    kept = [a for a in range(len(shape)) if a not in new]
    stored = [1] * len(shape)
    for axis, target in enumerate(kept):
        stored[target] = given.cells.shape[axis]
    return [Value(given.cells.reshape(stored), shape, None if given.unit is None else kept[given.unit])]


def _cut(given: Value, start: Any, stop: Any, step: Any) -> Value:
    index = []
    shape = []
    for axis, n in enumerate(given.shape):
        part = range(n)[start[axis] : stop[axis] : step[axis]]
        if axis == given.unit and len(part) != n:
            raise Unsupported("slice of the units")
        shape.append(len(part))
        everything = given.cells.shape[axis] == 1
        index.append(slice(None) if everything else slice(part.start, part.stop, part.step))
    return Value(given.cells[tuple(index)], tuple(shape), given.unit)


def _slice(graph: Graph, equation: Any, given: Value) -> list[Value]:
    del graph
    p = equation.params
    return [_cut(given, p["start_indices"], p["limit_indices"], p["strides"] or (1,) * len(given.shape))]


def _split(graph: Graph, equation: Any, given: Value) -> list[Value]:
    del graph
    axis, pieces, start = equation.params["axis"], [], 0
    for size in equation.params["sizes"]:
        low, high = [0] * len(given.shape), list(given.shape)
        low[axis], high[axis] = start, start + size
        pieces.append(_cut(given, low, high, [1] * len(given.shape)))
        start += size
    return pieces


def _join_unit(values: tuple[Value, ...], axis: int) -> int | None:
    units = {v.unit for v in values if v.unit is not None}
    if len(units) > 1 or axis in units:
        raise Unsupported("concatenate along the units")
    return units.pop() if units else None


def _concatenate(graph: Graph, equation: Any, *given: Value) -> list[Value]:
    del graph
    axis = equation.params["dimension"]
    unit = _join_unit(given, axis)
    wholes = []
    for v in given:
        if unit is not None and v.cells.shape[unit] != 1:
            raise Unsupported("a constant for each unit")
        wholes.append(np.broadcast_to(v.cells, [1 if a == unit else n for a, n in enumerate(v.shape)]))
    shape = list(given[0].shape)
    shape[axis] = sum(v.shape[axis] for v in given)
    return [Value(np.concatenate(wholes, axis), tuple(shape), unit)]


def _pad(graph: Graph, equation: Any, given: Value, padding: Value) -> list[Value]:
    del graph
    config = equation.params["padding_config"]
    shape = tuple(equation.outvars[0].aval.shape)
    index = []
    for axis, (low, high, inner) in enumerate(config):
        if low < 0 or high < 0 or (axis == given.unit and (low, high, inner) != (0, 0, 0)):
            raise Unsupported("pad of the units")
        index.append(slice(None) if axis == given.unit else slice(int(low), int(shape[axis] - high), int(inner) + 1))
    made = np.full([1 if a == given.unit else n for a, n in enumerate(shape)], padding.cells.item(), dtype=object)
    made[tuple(index)] = given.whole()
    return [Value(made, shape, given.unit)]


def _transpose(graph: Graph, equation: Any, given: Value) -> list[Value]:
    del graph
    order = equation.params["permutation"]
    unit = None if given.unit is None else list(order).index(given.unit)
    return [Value(given.cells.transpose(order), tuple(given.shape[a] for a in order), unit)]


def _reduce(op: str, over_units: str) -> Callable[..., list[Value]]:
    def rule(graph: Graph, equation: Any, given: Value) -> list[Value]:
        cells, axes = given.cells, equation.params["axes"]
        for axis in axes:
            if axis == given.unit:
                continue
            repeated = given.shape[axis] if cells.shape[axis] == 1 else 1
            parts = [cells.take([i], axis) for i in range(cells.shape[axis])]
            total = parts[0]
            for part in parts[1:]:
                total = np.frompyfunc(lambda a, b: graph.op(op, a, b), 2, 1)(total, part)
            if op == "add" and repeated > 1:
                total = np.frompyfunc(lambda a, n=repeated: graph.op("mul", a, graph.const(n)), 1, 1)(total)
            cells = np.asarray(total, dtype=object)
        if given.unit in axes:
            cells = np.asarray(np.frompyfunc(lambda a: graph.op(over_units, a), 1, 1)(cells), dtype=object)
        kept = [a for a in range(len(given.shape)) if a not in axes]
        unit = kept.index(given.unit) if given.unit in kept else None
        return [Value(cells.reshape([cells.shape[a] for a in kept]), tuple(given.shape[a] for a in kept), unit)]

    return rule


_RULES: dict[str, Callable[..., list[Value]]] = {
    "and": _logical(_plain("mul")),
    "or": _logical(_plain("max")),
    "xor": _logical(_plain("ne")),
    "not": _logical(lambda graph, a: graph.op("sub", graph.const(1.0), a)),
    "select_n": _select,
    "convert_element_type": _convert,
    "integer_pow": _integer_pow,
    "broadcast_in_dim": _broadcast,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "expand_dims": _expand,
    "slice": _slice,
    "split": _split,
    "concatenate": _concatenate,
    "pad": _pad,
    "transpose": _transpose,
    "reduce_sum": _reduce("add", "reduce_sum"),
    "reduce_max": _reduce("max", "reduce_max"),
    "reduce_min": _reduce("min", "reduce_min"),
}
