"""A tree cell through a batch of trees: from the leaves to the roots, one loop for trees of every shape."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ostinato.checks import check_features
from ostinato.data import SequenceBatch
from ostinato.errors import SettingsError

from .cells import TreeCell

POOLS = ("root", "mean", "sum", "max")


def unroll_tree(cell: TreeCell, batch: SequenceBatch) -> Float[Array, "*batch nodes output"]:
    r"""What the cell gives at every node, $s_n, y_n = \mathrm{cell}(x_n, s_{c_1(n)}, \ldots, s_{c_k(n)})$.

    `batch` is what `tree_batch` makes: the last `cell.arity` columns of its values are places of children. Nodes come
    in the order of the sequence, all trees side by side; a missing child has the state `cell.init_state()`. Nodes that
    do not exist give zeros. Where children do not stand before their parents, the result means nothing: `Tree` checks.
    It is differentiated backwards (`jax.grad`, `jax.vjp`), not forwards.

    Raises `ShapeError`.

    ```python
    >>> import numpy as np
    >>> from ostinato.trees import Recursive, Tree, tree_batch
    >>> cell = Recursive(2, 5, arity=2, key=jax.random.key(0))
    >>> unroll_tree(cell, tree_batch([Tree(np.ones((3, 2)), ((), (), (0, 1)))])).shape
    (1, 3, 5)

    ```
    """
    check_features(batch.values.shape, cell.input_size + cell.arity)
    return _climb(cell, batch.check())


@eqx.filter_jit
def _climb(cell: TreeCell, batch: SequenceBatch) -> Array:
    *lead, nodes, columns = batch.values.shape
    time_major = jnp.moveaxis(batch.values.reshape(-1, nodes, columns), 1, 0)
    xs, places = time_major[..., : -cell.arity], time_major[..., -cell.arity :].astype(jnp.int32)
    ys = _loop((cell, xs), places=places)
    ys = jnp.moveaxis(ys, 0, 1).reshape(*lead, nodes, ys.shape[-1])
    return ys if batch.mask is None else jnp.where(batch.mask[..., None], ys, jnp.zeros_like(ys))


# With a gradient of its own: that of a scan which writes to the states of all nodes copies them all at every node.
@eqx.filter_custom_vjp
def _loop(given: tuple[TreeCell, Array], *, places: Array) -> Array:
    return _forward(*given, places)[1]


@_loop.def_fwd
def _loop_forward(perturbed: Any, given: tuple[TreeCell, Array], *, places: Array) -> tuple[Array, Any]:
    del perturbed
    states, ys = _forward(*given, places)
    return ys, states


@_loop.def_bwd
def _loop_backward(states: Any, d_ys: Array, perturbed: Any, given: tuple[TreeCell, Array], *, places: Array) -> Any:
    """From the roots to the leaves; each step is computed once more, and a node takes what its parent left for it."""
    del perturbed
    (cell, xs), column = given, jnp.arange(places.shape[1])
    nodes, rows, arity = places.shape
    none, of_none = eqx.filter_vjp(lambda cell: cell.init_state(), cell)
    zeros = lambda tree: jax.tree.map(jnp.zeros_like, eqx.filter(tree, eqx.is_inexact_array))
    # Who is the parent of each place, and which of its children it is; 0 for a root. Asked for, as adding to rows that
    # lie anywhere copies the whole array.
    numbers = jnp.broadcast_to(jnp.arange(1, nodes + 1, dtype=jnp.int32)[:, None, None], places.shape)
    nobody = jnp.zeros((nodes + 1, rows), jnp.int32)
    parent = nobody.at[places, column[None, :, None]].set(numbers)
    child = nobody.at[places, column[None, :, None]].set(
        jnp.broadcast_to(jnp.arange(arity, dtype=jnp.int32), places.shape)
    )

    def one(carry: tuple[Any, Any], at: tuple[Array, ...]) -> tuple[tuple[Any, Any], Array]:
        (left, d_cell), (t, x, where, d_y, by, which) = carry, at
        below = jax.tree.map(lambda s: s[where, column[:, None]], states)
        d_new = jax.tree.map(lambda d: d[by, column, which], left)
        step = lambda cell, x, below: jax.vmap(cell)(x, below, where > 0)
        _, pull = eqx.filter_vjp(step, cell, x, below)
        more, d_x, d_below = pull((d_new, d_y))
        left = jax.tree.map(lambda d, b: jax.lax.dynamic_update_index_in_dim(d, b, t + 1, 0), left, d_below)
        return (left, jax.tree.map(jnp.add, d_cell, more)), d_x

    start = jax.tree.map(lambda s: jnp.zeros((nodes + 1, rows, arity, *s.shape), s.dtype), zeros(none)), zeros(cell)
    along = jnp.arange(nodes, dtype=jnp.int32), xs, places, d_ys, parent[1:], child[1:]
    (left, d_cell), d_xs = jax.lax.scan(one, start, along, reverse=True)
    missing = jax.tree.map(lambda d: jnp.einsum("trk...,trk->...", d[1:], (places == 0).astype(d.dtype)), left)
    return jax.tree.map(jnp.add, d_cell, of_none(missing)[0]), d_xs


def _forward(cell: TreeCell, xs: Array, places: Array) -> tuple[Any, Array]:
    """The states of all nodes, `(1 + nodes, rows, ...)`, those of a missing child first; and the outputs."""
    nodes, rows = xs.shape[:2]
    states = jax.tree.map(
        lambda s: jnp.zeros((nodes + 1, rows, *s.shape), s.dtype).at[0].set(s[None]), cell.init_state()
    )
    column = jnp.arange(rows)[:, None]

    def one(states: Any, at: tuple[Array, Array, Array]) -> tuple[Any, Array]:
        t, x, where = at
        below = jax.tree.map(lambda s: s[where, column], states)
        new, y = jax.vmap(cell)(x, below, where > 0)
        put = lambda s, n: jax.lax.dynamic_update_index_in_dim(s, n, t + 1, 0)
        return jax.tree.map(put, states, new), y

    return jax.lax.scan(one, states, (jnp.arange(nodes, dtype=jnp.int32), xs, places))


def pool_nodes(
    ys: Float[Array, "*batch nodes output"], mask: Bool[Array, "*batch nodes"] | None, pool: str
) -> Float[Array, "*batch output"]:
    """One vector for each tree: that of the root (the last node), or the mean, sum or maximum over the nodes."""
    if pool not in POOLS:
        raise SettingsError(f"pool: expected one of {', '.join(POOLS)}, got {pool!r}")
    mask = jnp.ones(ys.shape[:-1], bool) if mask is None else mask
    count = jnp.sum(mask, axis=-1)
    if pool == "root":
        last = jnp.maximum(count - 1, 0)[..., None, None]
        return jnp.take_along_axis(ys, last, axis=-2)[..., 0, :]
    if pool == "max":
        return jnp.max(jnp.where(mask[..., None], ys, jnp.full_like(ys, -jnp.inf)), axis=-2)
    total = jnp.sum(jnp.where(mask[..., None], ys, jnp.zeros_like(ys)), axis=-2)
    return total if pool == "sum" else total / jnp.maximum(count, 1).astype(ys.dtype)[..., None]
