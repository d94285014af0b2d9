"""Where the carbon goes: the balance over what a community ferments to."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ostinato.errors import DataError
from ostinato.models.measures import pearson

CARBON = {"acetate": 2, "butyrate": 4, "lactate": 3, "succinate": 4, "propionate": 3, "formate": 1, "ethanol": 2}
"""Atoms of carbon in a molecule of what gut bacteria ferment to."""


class Carbon(NamedTuple):
    """Carbon in what was fermented to.

    `total (n,)` in mM of carbon; `net (n,)`: what is new since the start; `trade_offs (products, products)`: the
    correlations between products over the communities.
    """

    products: tuple[str, ...]
    total: Float[np.ndarray, "n"]
    net: Float[np.ndarray, "n"]
    trade_offs: Float[np.ndarray, "products products"]


def carbon(
    metabolites: tuple[str, ...],
    final: Float[np.ndarray, "n metabolites"],
    initial: Float[np.ndarray, "n metabolites"],
    *,
    atoms: Mapping[str, int] | None = None,
) -> Carbon:
    """The balance of carbon over the metabolites whose number of carbon atoms is known (`CARBON`, or `atoms`).

    Raises `DataError` where none of them is known.

    ```python
    >>> found = carbon(("Acetate", "Lactate"), np.array([[40.0, 10.0], [20.0, 30.0]]), np.array([[0.0, 28.0]] * 2))
    >>> found.total.tolist(), found.net.tolist(), found.trade_offs.round(6).tolist()
    ([110.0, 130.0], [26.0, 46.0], [[1.0, -1.0], [-1.0, 1.0]])

    ```
    """
    known = {**CARBON, **{name.lower(): count for name, count in (atoms or {}).items()}}
    there = [i for i, name in enumerate(metabolites) if name.lower() in known]
    if not there:
        raise DataError(f"carbon: the atoms of none of {', '.join(metabolites)} are known; give them as `atoms`")
    names = tuple(metabolites[i] for i in there)
    count = np.array([known[name.lower()] for name in names], float)
    total, before = final[:, there] @ count, initial[:, there] @ count
    pairs = [[pearson(final[:, i], final[:, j]) for j in there] for i in there]
    return Carbon(names, total, total - before, np.array(pairs))
