"""Pairs of consecutive samples, and how species grew between them: what equations of ecology are regressed on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ostinato.errors import DataError


class Pairs(NamedTuple):
    """Consecutive samples of all communities: hours between the two, amounts before and after."""

    apart: Float[np.ndarray, " pairs"]
    before: Float[np.ndarray, "pairs features"]
    after: Float[np.ndarray, "pairs features"]

    def log_ratios(self, species: int, rows: np.ndarray, floor: float) -> Float[np.ndarray, " rows"]:
        r"""$(\ln x(t') - \ln x(t)) / (t' - t)$ of a species, per hour; less than `floor` counts as that."""
        before, after = (np.maximum(part[rows, species], floor) for part in (self.before, self.after))
        return np.log(after / before) / self.apart[rows]

    def holding(self, species: int, name: str) -> np.ndarray:
        """Which pairs begin with the species. Raises `DataError` where fewer than two do."""
        rows = self.before[:, species] > 0
        if rows.sum() < 2:
            raise DataError(f"communities: species '{name}' is in fewer than two pairs of consecutive samples")
        return rows


def consecutive(values: Float[np.ndarray, "communities times features"], hours: Float[np.ndarray, "times"]) -> Pairs:
    """Pairs of samples of the same community; those in which something is missing are stepped over."""
    apart, before, after = [], [], []
    for row in values:
        there = ~np.isnan(row).any(-1)
        found, at = row[there], hours[there]
        apart.append(np.diff(at))
        before.append(found[:-1])
        after.append(found[1:])
    return Pairs(*map(np.concatenate, (apart, before, after)))


def least_abundance(x: np.ndarray, species: Sequence[str]) -> float:
    """Half of the least abundance above 0, which stands in for 0 in logarithms. Raises `DataError` where all are 0."""
    if not (x > 0).any():
        raise DataError(f"communities: no abundance above 0 of any of {', '.join(species)}")
    return float(x[x > 0].min() / 2)
