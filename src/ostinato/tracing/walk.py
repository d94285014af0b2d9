"""One walk through a traced function, with values of one's own in the place of its arrays.

What a step says of itself (what is affine in it, the axis of its units, where they meet), its vector program and its
form with a further axis are all found on this walk: each brings a kind of value, what it makes of a constant, and a
rule for each operation that it knows.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

V = TypeVar("V")

LOOPS = ("scan", "while", "cond")
"""Operations with a function inside that is not run once."""


def walk(
    traced: Any,
    given: Sequence[V],
    *,
    constant: Callable[[Any], V],
    default: Callable[[Any, list[V]], Sequence[V]],
    rules: Mapping[str, Callable[[Any, list[V]], Sequence[V]]] | None = None,
    first: Callable[[Any, list[V]], Sequence[V] | None] | None = None,
    inside: bool = True,
) -> list[V]:
    """The values that a traced function gives, from those that it takes.

    * `traced`: what `jax.make_jaxpr(function)(*args)` gives; `given`: a value for each array that it takes.
    * `constant(array)`: the value of an array that stands in the program.
    * `rules`: by the name of a primitive, `rule(equation, values) -> values`; `default` is the rule of all others.
    * `first`: asked before anything else; what it gives is taken, unless it is None.
    * `inside`: whether calls (`jit`, functions with derivatives of their own, checkpoints) are walked through like what
      stands around them; loops and branches never are.

    ```python
    >>> import jax
    >>> count = lambda equation, values: [sum(values) + 1] * len(equation.outvars)
    >>> walk(jax.make_jaxpr(lambda a: -(a * 2))(1.0), [0], constant=lambda value: 0, default=count)
    [2]

    ```
    """
    rules = rules or {}

    def run(jaxpr: Any, consts: Sequence[Any], given: Sequence[V]) -> list[V]:
        known: dict[Any, V] = dict(zip(jaxpr.constvars, map(constant, consts), strict=True))
        known.update(zip(jaxpr.invars, given, strict=True))
        get = lambda atom: constant(atom.val) if hasattr(atom, "val") else known[atom]
        for equation in jaxpr.eqns:
            values = [get(atom) for atom in equation.invars]
            made = None if first is None else first(equation, values)
            if made is None:
                called = called_function(equation) if inside else None
                if called is not None:
                    made = run(*called, values)
                else:
                    made = rules.get(equation.primitive.name, default)(equation, values)
            known.update(zip(equation.outvars, made, strict=True))
        return [get(atom) for atom in jaxpr.outvars]

    return run(traced.jaxpr, traced.consts, given)


def called_function(equation: Any) -> tuple[Any, Sequence[Any]] | None:
    """The function that a call runs once, with its constants; None for every other operation."""
    if equation.primitive.name in LOOPS:
        return None
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        found = equation.params.get(name)
        if found is not None:
            jaxpr, consts = getattr(found, "jaxpr", found), getattr(found, "consts", ())
            return (jaxpr, consts) if len(jaxpr.invars) == len(equation.invars) else None
    return None
