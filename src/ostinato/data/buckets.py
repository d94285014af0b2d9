"""Length buckets: which few padded lengths waste the least, so that a compiled step serves each of them once."""

from typing import Any

import numpy as np

from ostinato.errors import LengthError


def bucket_edges(lengths: Any, count: int, batch_size: int = 1) -> tuple[int, ...]:
    """At most `count` padded lengths that need the fewest padded steps in all; the last is the longest length.

    A sequence goes into the first bucket whose edge is not below its length. With `batch_size` the rows that fill up
    the last batch of a bucket count too, so that small data sets get few buckets. Exact, by dynamic programming over
    the distinct lengths: `cost(j, k) = min over i < j of cost(i, k - 1) + edge_j * rows(i, j)`.

    ```python
    >>> bucket_edges([1, 2, 2, 9, 10], 2)
    (2, 10)
    >>> bucket_edges([1, 2, 2, 9, 10], 2, batch_size=8)
    (10,)

    ```
    """
    lengths = np.asarray(lengths)
    if lengths.size == 0 or count < 1 or batch_size < 1:
        got = f"{lengths.size}, {count}, {batch_size}"
        raise LengthError(f"buckets: expected lengths, count and batch_size of at least 1, got {got}")
    edges, sizes = np.unique(lengths, return_counts=True)
    before = np.concatenate([[0], np.cumsum(sizes)])
    # best[k, j]: the least cost of the j shortest distinct lengths in k buckets; cut[k, j]: where the last begins.
    best = np.full((count + 1, len(edges) + 1), np.inf)
    cut = np.zeros((count + 1, len(edges) + 1), int)
    best[0, 0] = 0
    for k in range(1, count + 1):
        for j in range(1, len(edges) + 1):
            rows = before[j] - before[:j]
            cost = best[k - 1, :j] + edges[j - 1] * batch_size * -(-rows // batch_size)
            cut[k, j] = int(np.argmin(cost))
            best[k, j] = cost[cut[k, j]]
    k, j, chosen = int(np.argmin(best[:, -1])), len(edges), []
    while j:
        chosen.append(int(edges[j - 1]))
        k, j = k - 1, int(cut[k, j])
    return tuple(reversed(chosen))
