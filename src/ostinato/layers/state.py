"""The state of a layer, looked at from outside: its fields by name, and whether a given one is its own."""

from typing import Any

import jax

from ostinato.errors import StateError
from ostinato.types import State


def fields_of(state: State) -> dict[str, Any]:
    """The arrays of a hidden state by name; one inside another, or in a tuple, has a path: `"controller/h"`, `"0/c"`.

    These are the names that `record` takes. A state that is a bare array has none.

    ```python
    >>> import jax
    >>> from ostinato.cells import GRU, LSTM
    >>> from ostinato.layers import Stack
    >>> stack = Stack((LSTM(3, 4, key=jax.random.key(0)), GRU(4, 2, key=jax.random.key(1))))
    >>> {name: field.shape for name, field in fields_of(stack.init_state()).items()}
    {'0/h': (4,), '0/c': (4,), '1/h': (2,)}

    ```
    """
    leaves = jax.tree_util.tree_leaves_with_path(state)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves if path}


def check_state(layer: Any, state: State, lead: tuple[int, ...]) -> State:
    """The state that was given for rows `lead`, where it is one of this layer; raises `StateError` in words otherwise.

    Its structure, the shape of each array `(*lead, ...)` and its type are those of `layer.init_state()`.
    """
    expected = jax.eval_shape(layer.init_state)
    name, wanted = type(layer).__name__, in_words(expected)
    if jax.tree.structure(state) != jax.tree.structure(expected):
        raise StateError(f"state: that of {name} is {wanted}; got {in_words(state)}{_advice(state, expected)}")
    likes = jax.tree.leaves(expected)
    where = [*fields_of(expected)] or [""] * len(likes)  # an array by itself has no name, and no state has no array
    for field, leaf, like in zip(where, jax.tree.leaves(state), likes, strict=True):
        label = f"state, {field} of {wanted}" if field else "state"
        shape = (*lead, *like.shape)
        if leaf.shape != shape:
            hint = "; it has an axis more in front, of layers perhaps" if leaf.shape[1:] == shape else ""
            raise StateError(f"{label}: expected {shape}, the batch first, got {leaf.shape}{hint}")
        if leaf.dtype != like.dtype:
            raise StateError(f"{label}: expected {like.dtype}, the type of the weights, got {leaf.dtype}")
    return state


def in_words(state: State) -> str:
    """A state as it is written: `LSTMState(h, c)`, `(LSTMState(h, c), Hidden(h))`, `a tuple of 2 arrays`."""
    if hasattr(state, "shape"):
        return f"an array of shape {tuple(state.shape)}"
    if hasattr(state, "_fields"):
        inner = zip(state._fields, state, strict=True)
        said = (f if _is_plain(value) else f"{f}={in_words(value)}" for f, value in inner)
        return f"{type(state).__name__}({', '.join(said)})"
    if isinstance(state, tuple | list):
        if state and all(hasattr(part, "shape") for part in state):
            return f"a {type(state).__name__} of {len(state)} array{'s'[: len(state) != 1]}"
        inside = ", ".join(map(in_words, state))
        return f"({inside}{',' * (len(state) == 1)})" if isinstance(state, tuple) else f"[{inside}]"
    return f"a {type(state).__name__}" if jax.tree.leaves(state) else f"{type(state).__name__}()"


def _is_plain(value: Any) -> bool:
    return value is None or hasattr(value, "shape")


def _advice(state: State, expected: State) -> str:
    """How what other libraries give is written here."""
    kind, fields = type(expected).__name__, getattr(expected, "_fields", ())
    if fields and all(map(_is_plain, expected)):
        if hasattr(state, "shape") and len(fields) == 1:
            return f": {kind}(state)"
        if isinstance(state, tuple | list) and not hasattr(state, "_fields") and len(state) == len(fields):
            return f": {kind}(*state)"
    if type(expected) is tuple and expected:
        return ": one state for each layer, in a tuple"
    return ""
