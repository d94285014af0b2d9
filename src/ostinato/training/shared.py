"""Compiled updates are kept for later fits in the same process: where all but numbers in arrays is the same."""

import dataclasses
import functools
import sys
import types
import weakref
from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.core import Tracer
from jaxtyping import PyTree

MOST_SHARED = 32
"""Compiled updates that are kept for the next call with the same kind of model, loss, rule and optimiser."""

LARGEST_CONSTANT = 1 << 20
"""Bytes of an array inside a function up to which it is compared by its numbers; a larger one equals only itself."""

_SHARED: dict[Any, Any] = {}
_SEEN: weakref.WeakKeyDictionary[Any, Hashable] = weakref.WeakKeyDictionary()


def shared_update(kind: Callable[..., Any], model: PyTree[Any], opt_state: PyTree[Any], **options: Any) -> Any:
    """An update of that kind for a model and options: one that has been compiled before where everything is equal.

    Equal is said of what is no array in model and optimiser state, and of what losses, optimisers and other functions
    are made of (see `made_of`).
    """
    leaves, structure = jax.tree.flatten(eqx.partition((model, opt_state), eqx.is_array)[1])
    told = tuple((name, made_of(option)) for name, option in sorted(options.items()))
    key = (kind, structure, made_of(leaves), told)
    update = _SHARED.pop(key, None) or kind(model, opt_state, **options)
    _SHARED[key] = update
    while len(_SHARED) > MOST_SHARED:
        del _SHARED[next(iter(_SHARED))]
    return update


def made_of(value: Any) -> Hashable:
    """What a value is made of, such that values with equal answers give equal programs when they are traced.

    A function that stands in a module is itself. One that was made inside another, such as an Optax optimiser or a
    loss with settings, is its code with its defaults, what it closes over, and the globals that it names: two that
    were made in the same way are equal. Small arrays are their numbers. Of an optimiser, how its state began is left
    out: that is in the state. Anything else is equal to what it says it is equal to, or to itself alone.

    ```python
    >>> import optax
    >>> made_of(optax.adam(0.1).update) == made_of(optax.adam(0.1).update)
    True
    >>> made_of(optax.adam(0.1).update) == made_of(optax.adam(0.2).update)
    False

    ```
    """
    if isinstance(value, optax.GradientTransformation):
        return type(value), made_of(value.update)
    return _made_of(value, _Walk({}, [0]))


class _Itself:
    """Something that is equal to nothing else; it is kept, so that no other can take its address."""

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


class _Walk(NamedTuple):
    """Where each value stands that the walk is inside of, and how far up a function named itself."""

    places: dict[int, int]
    named: list[int]


def _made_of(value: Any, walk: _Walk) -> Hashable:
    if value is None or isinstance(value, bool | int | str | bytes):
        return type(value), value
    if isinstance(value, float | complex | np.generic):
        return type(value), repr(value)
    if isinstance(value, type | types.ModuleType | Tracer):
        return _Itself(value)
    depth = len(walk.places)
    if id(value) in walk.places:  # a function that names itself
        walk.named[0] = min(walk.named[0], walk.places[id(value)])
        return "again", depth - walk.places[id(value)]
    places = walk.places | {id(value): depth}
    inner = lambda part: _made_of(part, _Walk(places, walk.named))
    if isinstance(value, np.ndarray | jax.Array):
        return _array(value)
    if isinstance(value, tuple | list | set | frozenset):
        parts = map(inner, value)
        return type(value), (frozenset if isinstance(value, set | frozenset) else tuple)(parts)
    if isinstance(value, Mapping):
        return type(value), tuple((inner(name), inner(part)) for name, part in value.items())
    if isinstance(value, functools.partial):
        return type(value), inner((value.func, value.args, value.keywords))
    if isinstance(value, types.MethodType):
        return type(value), inner((value.__func__, value.__self__))
    if isinstance(value, types.FunctionType):
        if _stands_in_a_module(value):
            return _Itself(value)
        if value in _SEEN:
            return _SEEN[value]
        named = [depth]
        found = _function(value, lambda part: _made_of(part, _Walk(places, named)))
        if named[0] == depth:  # kept: some functions change what they close over when they run
            _SEEN[value] = found
        walk.named[0] = min(walk.named[0], named[0])
        return found
    if dataclasses.is_dataclass(value):
        return type(value), inner({f.name: getattr(value, f.name, None) for f in dataclasses.fields(value)})
    try:
        hash(value)
    except TypeError:
        return _Itself(value)
    return type(value), value


def _array(value: Any) -> Hashable:
    if value.nbytes > LARGEST_CONSTANT:
        return _Itself(value)
    extended = isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key)
    numbers = np.asarray(jax.random.key_data(value) if extended else value)
    return (
        (type(value), str(value.dtype), numbers.shape, numbers.tobytes()) if numbers.dtype != object else _Itself(value)
    )


def _stands_in_a_module(function: types.FunctionType) -> bool:
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is function


def _function(function: types.FunctionType, inner: Callable[[Any], Hashable]) -> Hashable:
    """The code and all that it reads: while it is traced, a function can see no more than that."""
    cells = [_content(cell) for cell in function.__closure__ or ()]
    read = {name: function.__globals__[name] for name in sorted(_names(function.__code__) & set(function.__globals__))}
    own = {k: v for k, v in vars(function).items() if k != "__wrapped__"}
    parts = (function.__defaults__, function.__kwdefaults__, cells, read, own)
    return function.__code__, function.__module__, inner(parts)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return "empty"


def _names(code: types.CodeType) -> set[str]:
    """The names that code uses, those of functions inside it too."""
    inside = [_names(part) for part in code.co_consts if isinstance(part, types.CodeType)]
    return set(code.co_names).union(*inside)
