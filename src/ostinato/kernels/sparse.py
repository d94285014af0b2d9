"""A matrix of few entries times several vectors: compiled where the library is, otherwise by plain JAX."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ostinato.kernels.native import library

BLOCK = 1024
"""Columns that are done with before the next: what they meet of 16 float64 vectors stays in the second cache."""


class Packed(NamedTuple):
    """The entries that are not 0, by blocks of columns, then row by row.

    Those of row i in block b stand at `starts[b * rows + i]` to the next of the starts.
    """

    values: Float[Array, " entries"]
    columns: Int[Array, " entries"]
    starts: Int[Array, " edges"]


def pack(matrix: Any) -> Packed:
    """A matrix that is at hand (not traced) as its entries.

    ```python
    >>> import numpy as np
    >>> packed = pack(np.array([[0.0, 2.0], [0.0, 0.0], [1.0, 3.0]]))
    >>> packed.values.tolist(), packed.columns.tolist(), packed.starts.tolist()
    ([2.0, 1.0, 3.0], [1, 0, 1], [0, 1, 1, 3])

    ```
    """
    host = np.asarray(matrix)
    count = host.shape[0]
    rows, columns = np.nonzero(host)
    line = columns // BLOCK * count + rows
    order = np.argsort(line, kind="stable")
    lines = max(-(-host.shape[1] // BLOCK), 1) * count
    starts = np.concatenate([[0], np.cumsum(np.bincount(line, minlength=lines))])
    entries = host[rows, columns][order], columns[order].astype(np.int32), starts.astype(np.int32)
    return Packed(*(jnp.asarray(a) for a in entries))


def sparse_product(packed: Packed, x: Float[Array, "columns width"], rows: int) -> Float[Array, "rows width"]:
    """`A x` for A with so many rows, without a derivative where it is compiled.

    Each entry meets a row of x, so several vectors cost little more than one.
    """
    values, columns, starts = packed
    found, _ = library()
    if found is None or values.dtype not in (jnp.float32, jnp.float64):
        lines = jnp.repeat(jnp.arange(starts.shape[0] - 1), jnp.diff(starts), total_repeat_length=values.shape[0])
        return jax.ops.segment_sum(values[:, None] * x[columns], lines % rows, rows)
    shape = jax.ShapeDtypeStruct((rows, x.shape[1]), values.dtype)
    return jax.ffi.ffi_call("ostinato_sparse", shape, vmap_method="sequential")(values, columns, starts, x)
