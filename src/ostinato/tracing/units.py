"""Which unit a number belongs to, read from what JAX traced: whether the units of a step see one another.

An axis of units is followed through every operation of the step. Where it is summed over, cut, or meets another axis,
the units mix; an operation that is not known counts as mixing. What is proved here is what rules with a trace for each
synapse stand on. It is said of derivatives: behind a `stop_gradient` an array depends on no unit.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ostinato.tracing.walk import walk

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
    found = walk(traced, list(axes), constant=lambda value: FREE, first=_settled, default=_operation)
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

    def union(equation: Any, given: list[set[int]]) -> list[set[int]]:
        found = set() if equation.primitive.name == "stop_gradient" else set().union(*given)
        return [found] * len(equation.outvars)

    places: list[set[int]] = [{i} for i in range(len(traced.jaxpr.invars))]
    return walk(traced, places, constant=lambda value: set(), default=union, inside=False)


def _settled(equation: Any, given: list[int | Mixed]) -> Sequence[int | Mixed] | None:
    """What needs no rule: where units have met, what is made of it is marked with where; what none is in stays free.

    Only what is given back counts in the end.
    """
    if equation.primitive.name == "stop_gradient" or all(axis == FREE for axis in given):
        return [FREE] * len(equation.outvars)
    met = next((axis for axis in given if isinstance(axis, Mixed)), None)
    return None if met is None else [met] * len(equation.outvars)


def _operation(equation: Any, given: list[int | Mixed]) -> list[int | Mixed]:
    name, axes = equation.primitive.name, [axis for axis in given if isinstance(axis, int)]
    try:
        if name in _RULES:
            made: int | Mixed = _RULES[name](equation, axes)
        else:
            made = _same(name, axes) if name in _ELEMENTWISE else Mixed(name)
    except Mixed as error:
        made = error
    return [made] * len(equation.outvars)


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
