"""A network as online rules see it: weights that move its state and weights that do not, and whose unit each one is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from ostinato.cells.base import Cell
from ostinato.cells.local import unit_axis
from ostinato.kernels import step
from ostinato.learning.base import Loss
from ostinato.tracing import FREE, Mixed, influences, unit_axes
from ostinato.types import State


class Locality(NamedTuple):
    """No unit's state depends on another unit's: the axis of the units in each weight that moves the state."""

    axes: tuple[int, ...]


class Item(NamedTuple):
    """One step of one sequence; fields may be None, as `kernels.step` has it."""

    x: Array
    mask: Any
    reset: Any
    dt: Any
    key: Any
    target: Any
    weight: Array


class Dynamics:
    """The weights of a network as a list, in the order of `eqx.filter(model, eqx.is_inexact_array)`.

    * `model`: what it is made of; `leaves`: its weights.
    * `moving`: places in this list of the weights that the state depends on.
    * `starting`: whether the state before the first step depends on them.
    * `transform`: what a rule does to the network before it is differentiated; the weights stay what they are.
    """

    def __init__(self, model: Any, transform: Callable[[Any], Any] = lambda cell: cell):
        self.model = model
        params, self._static = eqx.partition(model, eqx.is_inexact_array)
        self.leaves, self._structure = jax.tree.flatten(params)
        self._transform = transform
        n = len(self.leaves)
        x = jax.ShapeDtypeStruct((cell_of(model).input_size,), self.dtype)
        # Traced abstractly: under vmap or jit the weights may be tracers, whose shapes are all that counts here.
        self._shapes = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in self.leaves]
        self._begun, self._fields = jax.make_jaxpr(self.start, return_shape=True)(self._shapes)
        self._stepped = jax.make_jaxpr(self._after)(self._shapes, self._fields, x)
        after, before = influences(self._stepped), influences(self._begun)
        self.moving = tuple(sorted({i for found in after for i in found if i < n} | set().union(set(), *before)))
        self.starting = any(before)

    @property
    def dtype(self) -> Any:
        return self.leaves[0].dtype if self.leaves else jnp.result_type(float)

    @property
    def sizes(self) -> list[int]:
        """The number of entries in each field of the state."""
        return [f.size for f in self._fields]

    def cell(self, leaves: list[Array]) -> Any:
        """The network with these weights, as one cell, transformed."""
        return self._transform(cell_of(eqx.combine(jax.tree.unflatten(self._structure, leaves), self._static)))

    def tree(self, leaves: list[Array]) -> Any:
        """The list as the gradients of the model."""
        return jax.tree.unflatten(self._structure, leaves)

    def moved(self, leaves: list[Array]) -> list[Array]:
        """Those of a list that belong to moving weights."""
        return [leaves[i] for i in self.moving]

    def ravel(self, arrays: list[Array]) -> tuple[Array, Callable[[Array], list[Array]]]:
        """Arrays as one vector, of the weights' type even where there is none of them, and the way back."""
        flat, back = ravel_pytree(arrays)
        return (flat, back) if arrays else (jnp.zeros(0, self.dtype), lambda flat: [])

    def placed(self, moving: list[Array], leaves: list[Array]) -> list[Array]:
        """A list with its moving entries replaced."""
        found = dict(zip(self.moving, moving, strict=True))
        return [found.get(i, leaf) for i, leaf in enumerate(leaves)]

    def start(self, leaves: list[Array]) -> list[Array]:
        """The differentiable fields of the initial state of one sequence."""
        return differentiable(self.cell(leaves).init_state())[0]

    def local(self) -> Locality | str:
        """Whether the units see one another, from one step traced; in words where they do."""
        if not self.moving:
            return Locality(())
        sizes = {tuple(f.shape) for f in self._fields}
        if len(sizes) != 1 or len(next(iter(sizes))) != 1:
            return "fields of its state differ in shape"
        shapes = [self._shapes[i] for i in self.moving]
        if any(not s.shape for s in shapes):
            return "a weight is shared by all units"
        why = ""
        for axes in dict.fromkeys((tuple(unit_axis(len(s.shape)) for s in shapes), tuple(0 for _ in shapes))):
            given = [FREE] * len(self.leaves)
            for i, axis in zip(self.moving, axes, strict=True):
                given[i] = axis
            try:
                found = unit_axes(self._stepped, [*given, *(0 for _ in self._fields), FREE])
                found += unit_axes(self._begun, given)
            except Mixed as error:
                why = why or f"units meet in {error}"
                continue
            if set(found) <= {0, FREE} and self._fits(axes):
                return Locality(axes)
        return why or "units and weights do not correspond"

    def _fits(self, axes: tuple[int, ...]) -> bool:
        n = self._fields[0].size
        return all(self._shapes[i].shape[axis] == n for i, axis in zip(self.moving, axes, strict=True))

    def _after(self, leaves: list[Array], fields: list[Array], x: Array) -> list[Array]:
        cell = self.cell(leaves)
        _, join = differentiable(cell.init_state())
        return differentiable(cell(x, join(fields))[0])[0]

    def run(self, leaves: list[Array], state: State, items: Item, loss: Loss) -> tuple[Array, State]:
        """The summed loss of some steps of one sequence, and the state after them; items have a leading axis."""
        cell = self.cell(leaves)

        def one(state: State, item: Item) -> tuple[State, Array]:
            state, y = step(cell, item[:5], state)
            return state, weighed(loss, y, item.target, item.weight)

        if items.x.shape[0] == 1:
            state, value = one(state, jax.tree.map(lambda a: a[0], items))
            return value, state
        state, values = jax.lax.scan(one, state, items)
        return jnp.sum(values), state


def cell_of(model: Any) -> Any:
    """A cell, or a network of layers, as one cell."""
    return model if isinstance(model, Cell) else model.stack


def differentiable(state: State) -> tuple[list[Array], Callable[[list[Array]], State]]:
    """The arrays of a state that have derivatives, and the way back."""
    given, rest = eqx.partition(state, eqx.is_inexact_array)
    fields, structure = jax.tree.flatten(given)
    return fields, lambda fields: eqx.combine(jax.tree.unflatten(structure, fields), rest)


def weighed(loss: Loss, y: Any, target: Any, weight: Array) -> Array:
    """Weight times loss of one step; with weight 0 the target is never read."""
    counts = weight != 0
    target = jax.tree.map(lambda t: jnp.where(counts, t, jnp.zeros_like(t)), target)
    value = loss(y, target)
    return jnp.where(counts, weight * value, jnp.zeros_like(weight * value))
