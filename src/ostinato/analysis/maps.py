"""One step of a network as a map of its hidden state, written as one vector: what all analyses of dynamics stand on."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.errors import SettingsError, ShapeError, StateError
from ostinato.layers import unroll
from ostinato.layers.state import fields_of
from ostinato.types import State


class StateMap(eqx.Module):
    r"""The map $s \mapsto F(s)$ of a layer's hidden state in one step, on vectors, with the input held or fed back.

    $$F(s) = \mathrm{cell}(x, s)_0,\qquad\text{or in a closed loop}\qquad
      F(s, x) = \big(s',\ \mathrm{feed}(y)\big),\quad s', y = \mathrm{cell}(x, s)$$

    `layer` is a cell, a `Stack`, or anything with their contract; its state may be any PyTree of real arrays. `x`
    `(input_size,)` is the input, zeros where it is not given. With `feed`, the next input is made of the output and
    belongs to the vector, behind the state.

    Raises `StateError` for a state that is not of real numbers (a counter, a stack pointer), `ShapeError` for an input
    of another size.

    ```python
    >>> import jax
    >>> from ostinato.cells import LSTM
    >>> step = StateMap(LSTM(2, 3, key=jax.random.key(0)))
    >>> step.size, step(jnp.zeros(6)).shape, step.state(jnp.arange(6.0)).c.tolist()
    (6, (6,), [3.0, 4.0, 5.0])

    ```
    """

    layer: Any
    x: Array
    feed: Callable[[Array], Array] | None = eqx.field(static=True)

    def __init__(self, layer: Any, x: Any = None, *, feed: Callable[[Array], Array] | None = None):
        first = layer.init_state()
        for name, leaf in (fields_of(first) or {"": first}).items():
            if not jnp.issubdtype(jnp.asarray(leaf).dtype, jnp.floating):
                raise StateError(
                    f"{type(layer).__name__}: {name or 'the state'} is of {jnp.asarray(leaf).dtype}; the analysis of "
                    f"dynamics needs a state of real numbers"
                )
        self.layer, self.feed = layer, feed
        kind = ravel_pytree(first)[0].dtype
        self.x = jnp.zeros(layer.input_size, kind) if x is None else jnp.asarray(x, kind)
        if self.x.shape != (layer.input_size,):
            raise ShapeError(f"x: expected ({layer.input_size},), the input of one step, got {self.x.shape}")

    @property
    def size(self) -> int:
        """How many numbers the vector has."""
        inner = jax.eval_shape(lambda: ravel_pytree(self.layer.init_state())[0]).shape[0]
        return inner + (0 if self.feed is None else self.layer.input_size)

    def state(self, vector: Float[Array, " n"]) -> State:
        """The state that a vector stands for, without the input that may be behind it."""
        flat, unravel = ravel_pytree(self.layer.init_state())
        return unravel(jnp.asarray(vector, flat.dtype)[: len(flat)])

    def vector(self, state: State) -> Float[Array, " n"]:
        """The vector of a state; in a closed loop with `x` behind it."""
        flat = ravel_pytree(state)[0]
        return flat if self.feed is None else jnp.concatenate([flat, self.x])

    def at(self, x: Array) -> "StateMap":
        """The same map with another input."""
        return eqx.tree_at(lambda step: step.x, self, jnp.asarray(x, self.x.dtype))

    def __call__(self, vector: Float[Array, " n"]) -> Float[Array, " n"]:
        if self.feed is None:
            return ravel_pytree(self.layer(self.x, self.state(vector))[0])[0]
        inner = vector.shape[0] - self.layer.input_size
        state, y = self.layer(vector[inner:], self.state(vector))
        return jnp.concatenate([ravel_pytree(state)[0], self.feed(y)])


def as_map(layer: Any, x: Any = None) -> Callable[[Array], Array]:
    """A layer as `StateMap`; a function from vector to vector as it is.

    Raises `SettingsError` where an input is given with a function.
    """
    if hasattr(layer, "init_state"):
        return StateMap(layer, x)
    if x is not None and not isinstance(layer, StateMap):
        raise SettingsError("x: a function from vector to vector takes no input; hold it in the function")
    return layer if x is None else layer.at(x)


def as_vectors(step: Callable[[Array], Array], states: Any) -> Float[np.ndarray, "rows n"]:
    """States with leading axes as rows of vectors in float64; arrays of vectors as they are.

    Raises `ShapeError`, `StateError`.
    """
    if isinstance(step, StateMap) and not hasattr(states, "ndim"):
        like = jax.tree.structure(step.layer.init_state())
        if jax.tree.structure(states) != like:
            raise StateError(f"states: expected the structure {like}, got {jax.tree.structure(states)}")
        ends = jax.tree.leaves(step.layer.init_state())
        parts = [
            np.asarray(leaf, np.float64).reshape(-1, max(1, end.size))
            for leaf, end in zip(jax.tree.leaves(states), ends, strict=True)
        ]
        rows = np.concatenate(parts, axis=1)
    else:
        rows = np.asarray(states, np.float64)
    if rows.ndim != 2 or rows.shape[0] < 1:
        raise ShapeError(f"states: expected (rows, n) vectors of states, got {rows.shape}")
    if isinstance(step, StateMap) and rows.shape[1] != step.size:
        raise ShapeError(f"states: expected vectors of {step.size} numbers, got {rows.shape[1]}")
    return rows


def visited_states(
    layer: Any, xs: Any, count: int, *, noise: float = 0.0, key: PRNGKeyArray
) -> Float[np.ndarray, "count n"]:
    """Hidden states that a network visits on sequences `xs` `(*batch, time, features)`, drawn, as rows of vectors.

    `noise` is the standard deviation of what is added to each number: starts of a search for fixed points lie near the
    visited states, not on them. Drawn without replacement where there are enough. Raises `SettingsError`.

    ```python
    >>> import jax
    >>> from ostinato.cells import GRU
    >>> cell = GRU(1, 4, key=jax.random.key(0))
    >>> visited_states(cell, jnp.ones((3, 5, 1)), 10, key=jax.random.key(1)).shape
    (10, 4)

    ```
    """
    if count < 1 or noise < 0:
        raise SettingsError(f"count, noise: expected 1 or more and 0 or more, got {count} and {noise}")
    names = tuple(fields_of(layer.init_state()))
    if not names:
        raise StateError(f"{type(layer).__name__}: its state has no named fields to record")
    tape = unroll(layer, xs, record=names)[2]
    first = fields_of(layer.init_state())
    rows = np.concatenate([np.asarray(tape[name], np.float64).reshape(-1, first[name].size) for name in names], axis=1)
    choose, blur = jr.split(key)
    chosen = np.asarray(jr.choice(choose, len(rows), (count,), replace=count > len(rows)))
    return rows[chosen] + noise * np.asarray(jr.normal(blur, (count, rows.shape[1])), np.float64)


def in_float64(tree: Any) -> Any:
    """The tree with its real arrays in float64; to be called where JAX may use it (`precision.float64`)."""
    real = lambda leaf: eqx.is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.floating)
    return jax.tree.map(lambda leaf: leaf.astype("float64") if real(leaf) else leaf, tree)
