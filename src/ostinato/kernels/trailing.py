"""A map over many small things at once, with the axis of the things at the end.

`jax.vmap` puts the mapped axis first. Where each thing is a handful of numbers (a network of seven units), a processor
then works through rows of a few numbers; with the axis at the end it works through rows as long as there are things.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ostinato.tracing.walk import called_function, walk

# Operations on entries alone, by the names of their primitives.
ENTRYWISE = frozenset(
    [
        "abs",
        "add",
        "add_any",
        "and",
        "atan2",
        "cbrt",
        "ceil",
        "clamp",
        "convert_element_type",
        "copy",
        "cos",
        "cosh",
        "div",
        "eq",
        "erf",
        "exp",
        "exp2",
        "expm1",
        "floor",
        "ge",
        "gt",
        "integer_pow",
        "is_finite",
        "le",
        "log",
        "log1p",
        "logistic",
        "lt",
        "max",
        "min",
        "mul",
        "ne",
        "neg",
        "nextafter",
        "not",
        "or",
        "population_count",
        "pow",
        "rem",
        "round",
        "rsqrt",
        "select_n",
        "shift_left",
        "shift_right_arithmetic",
        "shift_right_logical",
        "sign",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "stop_gradient",
        "sub",
        "tan",
        "tanh",
        "xor",
    ]
)
# Operations that name axes from the front, which an axis at the end leaves as they are.
SAME = frozenset(
    [
        "argmax",
        "argmin",
        "cumlogsumexp",
        "cummax",
        "cummin",
        "cumprod",
        "cumsum",
        "reduce_and",
        "reduce_max",
        "reduce_min",
        "reduce_or",
        "reduce_prod",
        "reduce_sum",
        "rev",
        "squeeze",
    ]
)
LONGEST = 128
"""Products with longer vectors are not written out."""
CALLS = frozenset(["pjit", "jit", "closed_call", "custom_jvp_call"])
"""Calls that are walked through."""


def trailing_map(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jax.vmap(function, -1, -1)`: every array of arguments and results has the mapped axis at its end.

    The same numbers up to rounding, in an order of the axes that suits small things. What this module does not know it
    leaves to `jax.vmap`.

    ```python
    >>> import jax.numpy as jnp
    >>> total = trailing_map(lambda a, b: a @ b)
    >>> total(jnp.ones((2, 3, 5)), jnp.ones((3, 5))).shape
    (2, 5)

    ```
    """

    def mapped(*args: Any) -> Any:
        leaves, structure = jax.tree.flatten(args)
        size = leaves[0].shape[-1]
        one = jax.tree.unflatten(structure, [jax.ShapeDtypeStruct(a.shape[:-1], a.dtype) for a in leaves])
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*one)

        def operation(eqn: Any, given: list[tuple[Any, bool]]) -> list[tuple[Any, bool]]:
            values, flags = [value for value, _ in given], [flag for _, flag in given]
            results = _mapped(eqn, values, flags, size) if any(flags) else _bind(eqn, values, eqn.params)
            return [(result, any(flags)) for result in results]

        def as_a_whole(eqn: Any, given: list[tuple[Any, bool]]) -> list[tuple[Any, bool]] | None:
            # Functions with a derivative of their own for the way back, and checkpoints, stay what they are.
            call = called_function(eqn) is not None and eqn.primitive.name not in CALLS
            return operation(eqn, given) if call else None

        found = walk(
            closed,
            [(leaf, True) for leaf in leaves],
            constant=lambda value: (value, False),
            first=as_a_whole,
            default=operation,
        )
        out = [v if b else _spread(v, jnp.ndim(v), size) for v, b in found]
        return jax.tree.unflatten(jax.tree.structure(shape), out)

    return mapped


def _mapped(eqn: Any, values: list[Any], flags: list[bool], size: int) -> list[Any]:
    """One operation of which at least one operand has the further axis."""
    name, params = eqn.primitive.name, eqn.params
    if name in ENTRYWISE:
        ndim = max(len(v.aval.shape) for v in eqn.invars)
        return _bind(
            eqn,
            [_wide(v, b, ndim, eqn.outvars[0].aval.shape, size) for v, b in zip(values, flags, strict=True)],
            params,
        )
    if name in SAME:
        return _bind(eqn, values, params)
    shape = eqn.outvars[0].aval.shape
    if name == "broadcast_in_dim":
        dims = (*params["broadcast_dimensions"], len(shape))
        return _bind(eqn, values, {**params, "shape": (*shape, size), "broadcast_dimensions": dims})
    if name == "reshape" and params.get("dimensions") is None:
        return _bind(eqn, values, {**params, "new_sizes": (*shape, size)})
    if name == "transpose":
        return _bind(eqn, values, {**params, "permutation": (*params["permutation"], len(shape))})
    if name == "slice":
        strides = params["strides"]
        ends = {
            "start_indices": (*params["start_indices"], 0),
            "limit_indices": (*params["limit_indices"], size),
            "strides": None if strides is None else (*strides, 1),
        }
        return _bind(eqn, values, {**params, **ends})
    if name == "concatenate":
        return _bind(
            eqn, [v if b else _spread(v, jnp.ndim(v), size) for v, b in zip(values, flags, strict=True)], params
        )
    if name == "dot_general" and _is_product(eqn):
        left, right = (v if b else _spread(v, jnp.ndim(v), size) for v, b in zip(values, flags, strict=True))
        if not 0 < right.shape[0] <= LONGEST:
            return [jnp.sum(left * jnp.broadcast_to(right, left.shape), axis=-2)]
        # Written out, the sum is part of one entry-wise kernel; as a reduction it is a call of its own, and slower.
        shape = (*left.shape[:-2], size)
        total = left[..., 0, :] * jnp.broadcast_to(right[0], shape)
        for i in range(1, right.shape[0]):
            total = total + left[..., i, :] * jnp.broadcast_to(right[i], shape)
        return [total]
    axes = [-1 if b else None for b in flags]
    found = jax.vmap(lambda *a: eqn.primitive.bind(*a, **params), in_axes=axes, out_axes=-1)(*values)
    return list(found) if eqn.primitive.multiple_results else [found]


def _is_product(eqn: Any) -> bool:
    """Whether this is a matrix times a vector."""
    (left, right), (batch, _) = eqn.params["dimension_numbers"]
    a, b = (v.aval for v in eqn.invars)
    return not batch and b.ndim == 1 and tuple(left) == (a.ndim - 1,) and tuple(right) == (0,) and a.dtype == b.dtype


def _bind(eqn: Any, values: list[Any], params: dict[str, Any]) -> list[Any]:
    found = eqn.primitive.bind(*values, **params)
    return list(found) if eqn.primitive.multiple_results else [found]


def _wide(value: Any, mapped: bool, ndim: int, shape: tuple[int, ...], size: int) -> Array:
    """An operand in the shape of the result with the further axis; a scalar stands for all entries."""
    value = jnp.asarray(value)
    if not mapped:
        return jnp.broadcast_to(value[..., None] if value.ndim == ndim else value, (*shape, size))
    if value.ndim == 1 and ndim > 0:
        value = value.reshape(*(1,) * ndim, size)
    return jnp.broadcast_to(value, (*shape, size))


def _spread(value: Any, ndim: int, size: int) -> Array:
    """An operand without the further axis, with it."""
    del ndim
    value = jnp.asarray(value)
    return jnp.broadcast_to(value[..., None], (*value.shape, size))
