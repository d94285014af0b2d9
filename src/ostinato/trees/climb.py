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


def climb(cell: TreeCell, batch: SequenceBatch) -> Float[Array, "*batch nodes output"]:
    r"""What the cell gives at every node, $s_n, y_n = \mathrm{cell}(x_n, s_{c_1(n)}, \ldots, s_{c_k(n)})$.

    `batch` is what `tree_batch` makes: the last `cell.arity` columns of its values are places of children. Nodes come
    in the order of the sequence, all trees side by side; a missing child has the state `cell.init_state()`. Nodes that
    do not exist give zeros. Where children do not stand before their parents, the result means nothing: `Tree` checks.

    Raises `ShapeError`.

    ```python
    >>> import numpy as np
    >>> from ostinato.trees import Recursive, Tree, tree_batch
    >>> cell = Recursive(2, 5, arity=2, key=jax.random.key(0))
    >>> climb(cell, tree_batch([Tree(np.ones((3, 2)), ((), (), (0, 1)))])).shape
    (1, 3, 5)

    ```
    """
    check_features(batch.values.shape, cell.input_size + cell.arity)
    return _climb(cell, batch.check())


@eqx.filter_jit
def _climb(cell: TreeCell, batch: SequenceBatch) -> Array:
    *lead, nodes, columns = batch.values.shape
    time_major = jnp.moveaxis(batch.values.reshape(-1, nodes, columns), 1, 0)
    rows = time_major.shape[1]
    xs, places = time_major[..., : -cell.arity], time_major[..., -cell.arity :].astype(jnp.int32)
    # The first place is the missing child; node t is written to place t + 1.
    none = cell.init_state()
    states = jax.tree.map(lambda s: jnp.zeros((nodes + 1, rows, *s.shape), s.dtype).at[0].set(s[None]), none)
    column = jnp.arange(rows)[:, None]

    def one(states: Any, at: tuple[Array, Array, Array]) -> tuple[Any, Array]:
        t, x, where = at
        below = jax.tree.map(lambda s: s[where, column], states)
        new, y = jax.vmap(cell)(x, below, where > 0)
        put = lambda s, n: jax.lax.dynamic_update_index_in_dim(s, n, t + 1, 0)
        return jax.tree.map(put, states, new), y

    _, ys = jax.lax.scan(one, states, (jnp.arange(nodes, dtype=jnp.int32), xs, places))
    ys = jnp.moveaxis(ys, 0, 1).reshape(*lead, nodes, ys.shape[-1])
    return ys if batch.mask is None else jnp.where(batch.mask[..., None], ys, jnp.zeros_like(ys))


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
