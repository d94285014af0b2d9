"""Generalised Lotka-Volterra models: simulated, drawn at random, fitted to what was measured."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.communities.ecology import simulate
from ostinato.data import Communities
from ostinato.errors import ShapeError

START = 0.0066
"""Optical density of a whole community when it is put together (Clark et al. 2021), shared out equally."""


@dataclass(frozen=True)
class LotkaVolterra:
    r"""Species that grow, and change each other's growth, in pairs and, if asked for, in threes.

    $$\frac{dx_i}{dt} = x_i \Big(\mu_i + \sum_j a_{ij} x_j + \sum_{j<k} b_{ijk} x_j x_k\Big)$$

    `growth` $\mu$ `(species,)` per hour, `interactions` $a$ `(species, species)`, `third` $b$ `(species, species,
    species)` or None; of $b$ only the entries with $j < k$ are read.

    Raises `ShapeError` where the sizes do not meet.

    ```python
    >>> model = LotkaVolterra(np.array([0.5]), np.array([[-0.5]]))
    >>> model.simulate([[0.01]], [0.0, 12.0, 100.0]).round(4).tolist()
    [[[0.01], [0.803], [1.0]]]

    ```
    """

    growth: Float[np.ndarray, "species"]
    interactions: Float[np.ndarray, "rows columns"]
    third: Float[np.ndarray, "rows columns more"] | None = None

    def __post_init__(self) -> None:
        count = len(self.growth)
        if self.interactions.shape != (count, count):
            raise ShapeError(f"interactions: expected ({count}, {count}), got {self.interactions.shape}")
        if self.third is not None and self.third.shape != (count, count, count):
            raise ShapeError(f"third: expected ({count}, {count}, {count}), got {self.third.shape}")

    @classmethod
    def random(cls, species: int, *, third: float = 0.0, seed: int = 0) -> "LotkaVolterra":
        r"""A random community that stays bounded, in the ranges that were found for 25 gut species (Clark et al. 2021).

        $\mu \sim U(0.1, 0.7)$, $a_{ii} \sim -U(0.2, 1)$, $a_{ij} \sim N(-0.06, 0.11)$, $b_{ijk} \sim -|N(0, s)|$ with
        $s$ = `third`. Where species help each other so much that abundances could grow without end, all positive
        $a_{ij}$ are made smaller until $x^\top a x < 0$ for all $x \ge 0$: enough is that the symmetric part of $a$,
        with its negative entries outside the diagonal left out, is negative definite.
        """
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, species])))
        growth = rng.uniform(0.1, 0.7, species)
        a = rng.normal(-0.06, 0.11, (species, species))
        np.fill_diagonal(a, -rng.uniform(0.2, 1.0, species))
        while _growing(a) > -0.01:
            a = np.where(a > 0, 0.9 * a, a)
        if not third:
            return cls(growth, a)
        b = -np.abs(rng.normal(0.0, third, (species,) * 3)) * _triples(species)
        return cls(growth, a, b)

    def simulate(
        self,
        initial: Any,
        hours: Any,
        *,
        passages: Iterable[float] = (),
        dilution: float = 0.05,
        tolerance: float = 1e-10,
    ) -> Float[np.ndarray, "communities hours species"]:
        """Abundances at `hours`, the first of which is when `initial` `(communities, species)` was put together.

        At each of the hours in `passages` everything is diluted to the share `dilution`; a sample at such an hour is
        taken before it. In float64, by the fifth-order method of Tsitouras with steps that keep the error of each
        below `tolerance`, relative to the abundance.

        Raises `ShapeError`, `SettingsError` (hours that do not increase), `DataError` (a negative abundance) and
        `NonFiniteError` (abundances that grow without end).

        ```python
        >>> model = LotkaVolterra(np.array([1.0]), np.array([[0.0]]))
        >>> model.simulate([[1.0]], [0.0, 1.0, 2.0], passages=[1.0], dilution=0.1).round(3)[0, :, 0].tolist()
        [1.0, 2.718, 0.739]

        ```
        """
        weights = (self.growth, self.interactions, self.third)
        return simulate(
            slope,
            weights,
            initial,
            hours,
            size=len(self.growth),
            passages=passages,
            dilution=dilution,
            tolerance=tolerance,
        )

    def predict(self, communities: Communities) -> Float[np.ndarray, "n later species"]:
        """Abundances at the later times of communities, from the first time alone."""
        start = communities.initial[:, : len(communities.species)]
        return self.simulate(start, communities.hours, tolerance=1e-6)[:, 1:]


def slope(weights: tuple[Any, Any, Any], x: Float[Array, " species"]) -> Float[Array, " species"]:
    """The right-hand side of the equation."""
    growth, interactions, third = weights
    rate = growth + interactions @ x
    if third is not None:
        upper = jnp.triu(jnp.outer(x, x), 1)
        rate = rate + jnp.einsum("ijk,jk->i", third, upper)
    return x * rate


def _growing(a: np.ndarray) -> float:
    """The largest eigenvalue of the symmetric part without its negative entries outside the diagonal."""
    symmetric = (a + a.T) / 2
    bound = np.maximum(symmetric, 0.0)
    np.fill_diagonal(bound, np.diag(symmetric))
    return float(np.linalg.eigvalsh(bound)[-1])


def _triples(species: int) -> np.ndarray:
    """Where j < k and both differ from i."""
    i, j, k = np.indices((species,) * 3)
    return (j < k) & (i != j) & (i != k)
