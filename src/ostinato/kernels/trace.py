"""What a user's `update` reads: the one place where jaxprs are looked at, by public names only."""

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
