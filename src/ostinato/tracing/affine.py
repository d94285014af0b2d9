"""What a user's `update` and `project` read, by public names only."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax


class Reads(NamedTuple):
    """What a traced function does with its inputs.

    * `used`: for each array leaf, whether any operation takes it, or it is given back as it is.
    * `summed`: pairs of leaves that are read only by being added to each other; their derivatives are equal.
    """

    used: list[bool]
    summed: set[tuple[int, int]]


def reads(function: Callable[..., Any], *args: Any) -> Reads:
    """How `function` reads each array leaf of `args`: traced, never run."""
    jaxpr = jax.make_jaxpr(function)(*args).jaxpr
    readers: dict[int, list[Any]] = {id(v): [] for v in jaxpr.invars}
    for equation in jaxpr.eqns:
        for v in equation.invars:
            readers.get(id(v), []).append(equation)
    given_back = {id(v) for v in jaxpr.outvars}
    used = [bool(readers[id(v)]) or id(v) in given_back for v in jaxpr.invars]
    summed = set()
    for i, a in enumerate(jaxpr.invars):
        for j, b in enumerate(jaxpr.invars[i + 1 :], i + 1):
            one, other = readers[id(a)], readers[id(b)]
            alone = len(one) == len(other) == 1 and one[0] is other[0] and one[0].primitive.name == "add"
            if alone and a.aval.shape == b.aval.shape and not given_back & {id(a), id(b)}:
                summed.add((i, j))
    return Reads(used, summed)


def input_matrix(project: Callable[..., Any], leaves: list[Any], x: Any) -> int | None:
    """Which of `leaves` is W, if `project(leaves, x)` is `W x`, or `W x` plus what does not depend on x; else None.

    W is `(gates, hidden, input)`, x `(input,)`; traced, never run.
    """
    jaxpr = jax.make_jaxpr(project)(leaves, x).jaxpr
    given, out = jaxpr.invars[-1], jaxpr.outvars[0]

    def readers(v: Any) -> list[Any]:
        return [equation for equation in jaxpr.eqns if any(other is v for other in equation.invars)]

    taking = readers(given)
    if len(taking) != 1 or taking[0].primitive.name != "dot_general" or given is out:
        return None
    product = taking[0]
    matrix = product.invars[0] if product.invars[1] is given else None
    contracted, batched = product.params["dimension_numbers"]
    if matrix is None or tuple(map(tuple, contracted)) != ((2,), (0,)) or any(map(len, batched)):
        return None
    made, after = product.outvars[0], readers(product.outvars[0])
    added = len(after) == 1 and after[0].primitive.name == "add" and after[0].outvars[0] is out
    same = added and all(v.aval.shape == made.aval.shape for v in after[0].invars)
    if not ((made is out and not after) or (same and made is not out)):
        return None
    return next((i for i, v in enumerate(jaxpr.invars[:-1]) if v is matrix and v.aval.dtype == made.aval.dtype), None)
