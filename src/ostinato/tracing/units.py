"""Which unit a number belongs to, read from what JAX traced: whether the units of a step see one another.

An axis of units is followed through every operation of the step. Where it is summed over, cut, or meets another axis,
the units mix; an operation that is not known counts as mixing. What is proved here is what rules with a trace for each
synapse stand on. It is said of derivatives: behind a `stop_gradient` an array depends on no unit.
"""

from collections.abc import Callable, Sequence
from typing import Any

FREE = -1
"""The axis of an array that depends on no unit."""


class Mixed(Exception):
    """Units meet; the message names the operation."""


def unit_axes(traced: Any, axes: Sequence[int]) -> list[int]:
    """The axis of the units in each array that a traced function gives, from theirs in the arrays that it takes.

    `traced` is what `jax.make_jaxpr(function)(*args)` gives. An axis is counted from the front; `FREE` is an array that
    no unit has a part in. Raises `Mixed`.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> W, h = jnp.ones((2, 3)), jnp.ones(3)
    >>> unit_axes(jax.make_jaxpr(lambda W, h: jnp.tanh(W * h[None]))(W, h), (1, 0))
    [1]
    >>> unit_axes(jax.make_jaxpr(lambda W, h: W @ h)(W, h), (1, 0))
    Traceback (most recent call last):
    ostinato.tracing.units.Mixed: dot_general

    ```
    """
    found = _follow(traced.jaxpr, list(axes))
    for axis in found:
        if isinstance(axis, Mixed):
            raise axis
    return [axis for axis in found if isinstance(axis, int)]


def influences(traced: Any) -> list[set[int]]:
    """For each array that a traced function gives, which of those that it takes it may depend on, by their places.

    Behind a `stop_gradient` there is no dependence.

    ```python
    >>> import jax
    >>> influences(jax.make_jaxpr(lambda a, b, c: (a + b, c))(1.0, 2.0, 3.0))
    [{0, 1}, {2}]

    ```
    """
    jaxpr = traced.jaxpr
    known: dict[Any, set[int]] = {v: {i} for i, v in enumerate(jaxpr.invars)}
    get = lambda atom: set() if hasattr(atom, "val") else known.get(atom, set())
    for equation in jaxpr.eqns:
        behind = equation.primitive.name == "stop_gradient"
        found = set() if behind else set().union(*(get(v) for v in equation.invars))
        known |= dict.fromkeys(equation.outvars, found)
    return [get(v) for v in jaxpr.outvars]


def _follow(jaxpr: Any, axes: list[int | Mixed]) -> list[int | Mixed]:
    """Where units have met, what is made of it is marked with where; only what is given back counts in the end."""
    known: dict[Any, int | Mixed] = dict(zip(jaxpr.invars, axes, strict=True))
    get = lambda atom: FREE if hasattr(atom, "val") else known.get(atom, FREE)
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        given = [get(v) for v in equation.invars]
        places = [axis for axis in given if isinstance(axis, int)]
        inner = _inner(equation)
        met = [axis for axis in given if isinstance(axis, Mixed)]
        made: list[int | Mixed] = []
        if name == "stop_gradient" or all(axis == FREE for axis in given):
            made = [FREE] * len(equation.outvars)
        elif met:
            made = [met[0]] * len(equation.outvars)
        elif inner is not None:
            made = _follow(inner, given)
        else:
            made = [_operation(name, equation, places)] * len(equation.outvars)
        known |= dict(zip(equation.outvars, made, strict=True))
    return [get(v) for v in jaxpr.outvars]


def _operation(name: str, equation: Any, given: list[int]) -> int | Mixed:
    try:
        if name in _RULES:
            return _RULES[name](equation, given)
        return _same(name, given) if name in _ELEMENTWISE else Mixed(name)
    except Mixed as error:
        return error


def _inner(equation: Any) -> Any:
    """The function inside a call; loops and branches are not followed."""
    if equation.primitive.name in ("scan", "while", "cond"):
        return None
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        found = equation.params.get(name)
        if found is not None:
            found = getattr(found, "jaxpr", found)
            return found if len(found.invars) == len(equation.invars) else None
    return None


def _same(name: str, given: list[int]) -> int:
    axes = {axis for axis in given if axis != FREE}
    if len(axes) != 1:
        raise Mixed(name)
    return axes.pop()


def _broadcast(equation: Any, given: list[int]) -> int:
    axis = given[0]
    to = equation.params["broadcast_dimensions"][axis]
    if equation.invars[0].aval.shape[axis] != equation.outvars[0].aval.shape[to]:
        raise Mixed("broadcast_in_dim")
    return to


def _reshape(equation: Any, given: list[int]) -> int:
    before, after, axis = equation.invars[0].aval.shape, equation.outvars[0].aval.shape, given[0]
    product = lambda sizes: 1 if not sizes else sizes[0] * product(sizes[1:])
    for to, size in enumerate(after):
        if size == before[axis] and product(after[:to]) == product(before[:axis]):
            return to
    raise Mixed("reshape")


def _squeeze(equation: Any, given: list[int]) -> int:
    gone = equation.params["dimensions"]
    if given[0] in gone:
        raise Mixed("squeeze")
    return given[0] - sum(d < given[0] for d in gone)


def _reduce(equation: Any, given: list[int]) -> int:
    gone, axis = equation.params["axes"], _same(equation.primitive.name, given)
    if axis in gone:
        raise Mixed(equation.primitive.name)
    return axis - sum(d < axis for d in gone)


def _slice(equation: Any, given: list[int]) -> int:
    if equation.invars[0].aval.shape[given[0]] != equation.outvars[0].aval.shape[given[0]]:
        raise Mixed("slice")
    return given[0]


def _transpose(equation: Any, given: list[int]) -> int:
    return equation.params["permutation"].index(given[0])


def _along(parameter: str) -> Callable[[Any, list[int]], int]:
    def rule(equation: Any, given: list[int]) -> int:
        axis = _same(equation.primitive.name, given)
        if equation.params[parameter] == axis:
            raise Mixed(equation.primitive.name)
        return axis

    return rule


def _dot(equation: Any, given: list[int]) -> int:
    contract, batch = equation.params["dimension_numbers"]
    found = set()
    for side in (0, 1):
        axis = given[side]
        if axis == FREE:
            continue
        if axis in contract[side]:
            raise Mixed("dot_general")
        if axis in batch[side]:
            found.add(batch[side].index(axis))
            continue
        if given[1 - side] != FREE:
            raise Mixed("dot_general")
        used = (*contract[side], *batch[side])
        kept = [d for d in range(equation.invars[side].aval.ndim) if d not in used]
        other = equation.invars[0].aval.ndim - len(contract[0]) - len(batch[0]) if side else 0
        found.add(len(batch[0]) + other + kept.index(axis))
    if len(found) != 1:
        raise Mixed("dot_general")
    return found.pop()


_RULES: dict[str, Callable[[Any, list[int]], int]] = {
    "broadcast_in_dim": _broadcast,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "slice": _slice,
    "transpose": _transpose,
    "dot_general": _dot,
    "concatenate": _along("dimension"),
    "split": _along("axis"),
    "cumsum": _along("axis"),
    **{f"reduce_{name}": _reduce for name in ("sum", "max", "min", "prod", "and", "or")},
}

_ELEMENTWISE = frozenset(
    (
        *("add", "sub", "mul", "div", "rem", "max", "min", "pow", "integer_pow", "neg", "abs", "sign", "square"),
        *("sqrt", "rsqrt", "cbrt", "exp", "exp2", "log", "log1p", "expm1", "tanh", "logistic", "erf", "erfc"),
        *("erf_inv", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "asinh", "acosh", "atanh"),
        *("floor", "ceil", "round", "clamp", "select_n", "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not", "xor"),
        *("is_finite", "convert_element_type", "copy", "add_any", "lgamma", "digamma"),
    )
)
