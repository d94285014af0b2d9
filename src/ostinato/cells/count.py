"""Number of parameters of any model."""

from typing import Any

import equinox as eqx
import jax


def count_parameters(model: Any) -> int:
    """The number of entries in all floating-point arrays of a cell, layer or model.

    ```python
    >>> import jax
    >>> from ostinato.cells import MGU
    >>> n, m = 5, 3
    >>> count_parameters(MGU(m, n, key=jax.random.key(0))) == 2 * (n * n + n * m + n)
    True

    ```
    """
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array)))
