"""What a user's `update` and `project` read, by public names only."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from ostinato.tracing.walk import walk


class Reads(NamedTuple):
    """What a traced function does with its inputs.

    * `used`: for each array leaf, whether any operation takes it, or it is given back as it is.
    * `summed`: pairs of leaves that are read only by being added to each other; their derivatives are equal.
    """

    used: list[bool]
    summed: set[tuple[int, int]]


def reads(function: Callable[..., Any], *args: Any) -> Reads:
    """How `function` reads each array leaf of `args`: traced, never run."""
    traced = jax.make_jaxpr(function)(*args)
    leaves = traced.jaxpr.invars
    readers: list[list[Any]] = [[] for _ in leaves]

    def note(equation: Any, given: list[int | None]) -> list[int | None]:
        for place in given:
            if place is not None:
                readers[place].append(equation)
        return [None] * len(equation.outvars)

    places: list[int | None] = list(range(len(leaves)))
    given_back = walk(traced, places, constant=lambda value: None, default=note, inside=False)
    used = [bool(found) or i in given_back for i, found in enumerate(readers)]
    summed = set()
    for i, one in enumerate(readers):
        for j, other in enumerate(readers[i + 1 :], i + 1):
            alone = len(one) == len(other) == 1 and one[0] is other[0] and one[0].primitive.name == "add"
            if alone and leaves[i].aval.shape == leaves[j].aval.shape and not {i, j} & set(given_back):
                summed.add((i, j))
    return Reads(used, summed)


def operations(function: Callable[..., Any], *args: Any) -> list[str]:
    """The names of the operations of a function, in order; a call is one of them."""
    names = []

    def note(equation: Any, given: list[None]) -> list[None]:
        names.append(equation.primitive.name)
        return [None] * len(equation.outvars)

    traced = jax.make_jaxpr(function)(*args)
    walk(traced, [None] * len(traced.jaxpr.invars), constant=lambda value: None, default=note, inside=False)
    return names


class _Term(NamedTuple):
    """What an array is in a projection: `free` of x, `x` itself, `W x` or its sum with what is free, or `other`.

    `leaf` is the place of the weight that it is, or of W.
    """

    kind: str
    leaf: int | None = None


def input_matrix(project: Callable[..., Any], leaves: list[Any], x: Any) -> int | None:
    """Which of `leaves` is W, if `project(leaves, x)` is `W x`, or `W x` plus what does not depend on x; else None.

    W is `(gates, hidden, input)`, x `(input,)`; traced, never run.
    """
    traced = jax.make_jaxpr(project)(leaves, x)
    given = [_Term("free", i) for i in range(len(traced.jaxpr.invars) - 1)]
    (out,) = walk(
        traced,
        [*given, _Term("x")],
        constant=lambda value: _Term("free"),
        rules={"dot_general": _product, "add": _sum},
        default=_opaque,
        inside=False,
    )
    return out.leaf if out.kind in ("product", "sum") else None


def _opaque(equation: Any, given: list[_Term]) -> list[_Term]:
    return [_Term("free" if all(term.kind == "free" for term in given) else "other")] * len(equation.outvars)


def _product(equation: Any, given: list[_Term]) -> list[_Term]:
    matrix, vector = given
    contracted, batched = equation.params["dimension_numbers"]
    plain = tuple(map(tuple, contracted)) == ((2,), (0,)) and not any(map(len, batched))
    same_type = equation.invars[0].aval.dtype == equation.outvars[0].aval.dtype
    if vector.kind == "x" and matrix.kind == "free" and matrix.leaf is not None and plain and same_type:
        return [_Term("product", matrix.leaf)]
    return _opaque(equation, given)


def _sum(equation: Any, given: list[_Term]) -> list[_Term]:
    kinds = {term.kind: term for term in given}
    same_shape = all(v.aval.shape == equation.outvars[0].aval.shape for v in equation.invars)
    if kinds.keys() == {"product", "free"} and same_shape:
        return [_Term("sum", kinds["product"].leaf)]
    return _opaque(equation, given)
