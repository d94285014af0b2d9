"""The generalised Lotka-Volterra model: fitted to what was measured, drawn at random, simulated."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Float

from ostinato.checks import check_finite
from ostinato.communities.equations import lotka_volterra
from ostinato.communities.inputs import check_species
from ostinato.communities.lotka_volterra_fits import refined, regressed
from ostinato.communities.simulation import simulate
from ostinato.data import Communities
from ostinato.errors import ShapeError
from ostinato.models.base import Estimator, Weights
from ostinato.models.checks import above_0, at_least_0, whole

START = 0.0066
"""Optical density of a whole community when it is put together (Clark et al. 2021), shared out equally."""


class LotkaVolterra(Estimator):
    r"""Species that grow, and change each other's growth, in pairs and, if asked for, in threes.

    $$\frac{dx_i}{dt} = x_i \Big(\mu_i + \sum_j a_{ij} x_j + \sum_{j<k} b_{ijk} x_j x_k\Big)$$

    `fit(communities)` finds the parameters by ridge regression of log-ratios, and with `steps` moves them on by
    gradient through the simulation (`communities.lotka_volterra_fits`). `from_parameters` takes given ones, `random`
    draws some. `predict`, `simulate`, `save`, `load`.

    * `third`: whether there are interactions in threes. `ridge`: the penalty of the regression.
    * `steps` of Adam with `learning_rate`, which falls along a cosine; `max_step`: hours, of the solver that the
      gradient goes through.

    After `fit`: `growth_` $\mu$ `(species,)` per hour; `interactions_` $a$ `(species, species)`; `third_` $b$
    `(species, species, species)` or None, of which only the entries with $j < k$ are read; `species_`, their names,
    None where the parameters were given.

    Raises `SettingsError`, `DataError` (no species, or one that is in no two consecutive samples), `NotFitted`.

    ```python
    >>> model = LotkaVolterra.from_parameters([0.5], [[-0.5]])
    >>> model.simulate([[0.01]], [0.0, 12.0, 100.0]).round(4).tolist()
    [[[0.01], [0.803], [1.0]]]
    >>> hours = np.arange(0.0, 24.0, 0.5)
    >>> logistic = 1 / (1 + 9 * np.exp(-0.5 * hours))
    >>> found = LotkaVolterra(ridge=1e-6).fit(Communities(("a",), ("A",), (), hours, logistic[None, :, None]))
    >>> found.growth_.round(2).tolist(), found.interactions_.round(2).tolist()
    ([0.5], [[-0.5]])

    ```
    """

    kind = "lotka-volterra"
    checks = (*at_least_0("ridge"), *whole("steps", least=0), *above_0("learning_rate", "max_step"))

    growth_: Float[np.ndarray, " species"]
    interactions_: Float[np.ndarray, "species species"]
    third_: Float[np.ndarray, "species species species"] | None
    species_: tuple[str, ...] | None

    def __init__(
        self,
        third: bool = False,
        *,
        ridge: float = 1e-2,
        steps: int = 0,
        learning_rate: float = 3e-3,
        max_step: float = 0.5,
    ):
        self.third = third
        self.ridge = ridge
        self.steps = steps
        self.learning_rate = learning_rate
        self.max_step = max_step

    @classmethod
    def from_parameters(cls, growth: Any, interactions: Any, third: Any = None) -> "LotkaVolterra":
        r"""A model with the given $\mu$, $a$ and $b$. Raises `ShapeError` where sizes do not meet, `NonFiniteError`."""
        model = cls(third is not None)
        model._set((growth, interactions, third), None)
        return model

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
            return cls.from_parameters(growth, a)
        b = -np.abs(rng.normal(0.0, third, (species,) * 3)) * _triples(species)
        return cls.from_parameters(growth, a, b)

    def fit(self, communities: Communities) -> "LotkaVolterra":
        """From trajectories of species; metabolites are not read, samples that are missing are stepped over."""
        return self._refit(communities)

    def _fit(self, communities: Communities) -> None:
        for check in self.checks:
            check(self)
        weights = regressed(communities, third=self.third, ridge=self.ridge)
        if self.steps:
            weights = refined(weights, communities, self.steps, self.learning_rate, self.max_step)
        self._set(weights, communities.species)

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

        Where abundances grow without end, that community is NaN from the first hour that it does not reach, and a
        `RuntimeWarning` lists it; the others are what they are without it.

        Raises `NotFitted`, `ShapeError`, `SettingsError` (hours that do not increase), `DataError` (an abundance that
        is negative or missing).

        ```python
        >>> model = LotkaVolterra.from_parameters([1.0], [[0.0]])
        >>> model.simulate([[1.0]], [0.0, 1.0, 2.0], passages=[1.0], dilution=0.1).round(3)[0, :, 0].tolist()
        [1.0, 2.718, 0.739]

        ```
        """
        return self._simulated(initial, hours, passages=passages, dilution=dilution, tolerance=tolerance)

    def predict(self, communities: Communities) -> Float[np.ndarray, "n later species"]:
        """Abundances at the later times of communities, from the first time alone; NaN as in `simulate`.

        Raises `DataError` for other species than those of `fit`.
        """
        self.check_fitted()
        check_species(communities, self.species_)
        start = communities.initial[:, : len(communities.species)]
        return self._simulated(start, communities.hours, tolerance=1e-6, names=communities.names)[:, 1:]

    def _simulated(self, initial: Any, hours: Any, **options: Any) -> np.ndarray:
        self.check_fitted()
        weights = (self.growth_, self.interactions_, self.third_)
        return simulate(lotka_volterra, weights, initial, hours, size=len(self.growth_), **options)

    def _set(self, weights: tuple[Any, Any, Any], species: tuple[str, ...] | None) -> None:
        growth, interactions = (np.asarray(a, float) for a in weights[:2])
        third = None if weights[2] is None else np.asarray(weights[2], float)
        count = growth.size
        for name, given, axes in (("growth", growth, 1), ("interactions", interactions, 2), ("third", third, 3)):
            if given is not None and given.shape != (count,) * axes:
                raise ShapeError(f"{name}: expected {(count,) * axes}, got {given.shape}")
            if given is not None:
                check_finite(given, name)
        self.growth_, self.interactions_, self.third_, self.species_ = growth, interactions, third, species

    def _fitted(self) -> tuple[Any, dict[str, Any]]:
        weights = {"growth": self.growth_, "interactions": self.interactions_}
        if self.third_ is not None:
            weights["third"] = self.third_
        return weights, {
            "count": len(self.growth_),
            "third": self.third_ is not None,
            "species": None if self.species_ is None else list(self.species_),
        }

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        count, species = int(numbers["count"]), numbers["species"]
        shapes = {"growth": 1, "interactions": 2} | ({"third": 3} if numbers["third"] else {})
        read = weights({name: np.zeros((count,) * axes) for name, axes in shapes.items()})
        names = None if species is None else tuple(map(str, species))
        self._set((read["growth"], read["interactions"], read.get("third")), names)


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
