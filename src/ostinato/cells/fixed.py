"""Which weights of a model are learned: all, but for those that a cell says are drawn once and kept."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from ostinato.cells.base import Cell


def free_parameters(model: Any) -> PyTree[bool]:
    """True at the floating-point arrays that are learned: the form that `eqx.partition` takes.

    A cell names those that it keeps in `fixed`, such as the matrices of a reservoir. Gradients exist for them too, but
    training leaves them as they are.

    ```python
    >>> import jax
    >>> from ostinato.cells import EchoState, count_parameters
    >>> cell = EchoState(1, 10, key=jax.random.key(0))
    >>> count_parameters(cell), count_parameters(eqx.filter(cell, free_parameters(cell)))
    (120, 0)

    ```
    """

    def of(node: Any) -> Any:
        spec = jax.tree.map(eqx.is_inexact_array, node)
        names = getattr(node, "fixed", ()) if isinstance(node, Cell) else ()
        for name in names:
            spec = eqx.tree_at(lambda cell, n=name: getattr(cell, n), spec, False)
        return spec

    return jax.tree.map(of, model, is_leaf=lambda node: isinstance(node, Cell) and bool(node.fixed))


def without_fixed(tree: PyTree[Any], model: Any) -> PyTree[Any]:
    """Gradients or updates in the structure of the model's weights, with zeros where nothing is learned."""
    spec = jax.tree.leaves(free_parameters(model))
    weights = [eqx.is_inexact_array(leaf) for leaf in jax.tree.leaves(model)]
    free = [f for f, w in zip(spec, weights, strict=True) if w]
    leaves, structure = jax.tree.flatten(tree)
    return structure.unflatten(a if f else jnp.zeros_like(a) for a, f in zip(leaves, free, strict=True))
