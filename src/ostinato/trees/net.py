"""A recursive network as a model that `training.fit` takes: an embedding, a tree cell, a read-out."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.data import SequenceBatch
from ostinato.errors import SettingsError
from ostinato.layers import Readout, unroll

from .cells import TreeCell
from .loop import POOLS, pool_nodes, unroll_tree


class RecursiveNet(eqx.Module):
    """A tree cell and a read-out on top: an output for each tree, or with `pool=None` one for each node.

    `model(batch) -> (y, None)` with `batch` from `tree_batch` or `Batches(tree_source(...))`; y is `(*batch, output)`,
    or `(*batch, nodes, output)`. `pool`: `"root"`, `"mean"`, `"sum"`, `"max"`.

    With `vocabulary`, nodes have one feature, the number of a symbol from 0, for which a vector is learned.

    ```python
    >>> import jax, numpy as np, ostinato as ost
    >>> from ostinato.trees import Tree, TreeLSTM, tree_batch
    >>> cell = TreeLSTM(8, 16, arity=2, key=jax.random.key(0))
    >>> model = RecursiveNet(cell, 3, vocabulary=10, key=jax.random.key(1))
    >>> y, _ = model(tree_batch([Tree([[4.0], [7.0], [1.0]], ((), (), (0, 1)))]))
    >>> y.shape
    (1, 3)

    ```
    """

    cell: TreeCell
    readout: Readout
    embedding: Float[Array, "symbols features"] | None
    pool: str | None = eqx.field(static=True)

    def __init__(
        self,
        cell: TreeCell,
        output_size: int,
        *,
        pool: str | None = "root",
        vocabulary: int | None = None,
        key: PRNGKeyArray,
    ):
        if pool is not None and pool not in POOLS:
            raise SettingsError(f"pool: expected one of {', '.join(POOLS)} or None, got {pool!r}")
        if vocabulary is not None and vocabulary < 1:
            raise SettingsError(f"vocabulary: expected 1 or more symbols, got {vocabulary}")
        k_read, k_embed = jr.split(key)
        dtype = cell.b.dtype if hasattr(cell, "b") else None  # pyright: ignore[reportAttributeAccessIssue]
        self.cell, self.pool = cell, pool
        self.readout = Readout(cell.hidden_size, output_size, dtype=dtype, key=k_read)
        self.embedding = None
        if vocabulary is not None:
            self.embedding = 0.1 * jr.normal(k_embed, (vocabulary, cell.input_size), self.readout.V.dtype)

    @property
    def input_size(self) -> int:
        return (self.cell.input_size if self.embedding is None else 1) + self.cell.arity

    @property
    def output_size(self) -> int:
        return self.readout.output_size

    @property
    def per_sequence(self) -> bool:
        """Whether there is one output for each tree."""
        return self.pool is not None

    def init_state(self, *, key: PRNGKeyArray | None = None) -> None:
        """None: nothing is carried from batch to batch."""
        del key

    def __call__(self, xs: SequenceBatch, state: Any = None, **options: Any) -> tuple[Array, None]:
        del state, options
        values = xs.values
        if self.embedding is not None:
            vectors = self.embedding[values[..., 0].astype(jnp.int32)]
            values = jnp.concatenate([vectors, values[..., 1:].astype(vectors.dtype)], axis=-1)
        ys = unroll_tree(self.cell, eqx.tree_at(lambda b: b.values, xs, values))
        if self.pool is not None:
            ys = pool_nodes(ys, xs.mask, self.pool)[..., None, :]
        ys, _ = unroll(self.readout, ys)
        return (ys if self.pool is None else ys[..., 0, :]), None
