"""The consumer-resource model: species that live on what there is, and on what others make of it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Float

from ostinato.checks import check_finite
from ostinato.communities.equations import consumer_resource
from ostinato.communities.inputs import known_features
from ostinato.communities.samples import consecutive, least_abundance
from ostinato.communities.simulation import simulate
from ostinato.data import Communities
from ostinato.errors import DataError, SettingsError, ShapeError
from ostinato.models.base import Estimator, Weights
from ostinato.models.checks import at_least_0


class ConsumerResource(Estimator):
    r"""Species take up resources, grow on them, and leave others behind (MacArthur 1970; cross-feeding: Marsland 2019).

    $$\frac{dx_i}{dt} = x_i \Big(\sum_k y_{ik} c_{ik} r_k - m_i\Big),\qquad
      \frac{dr_k}{dt} = -\sum_i c_{ik} r_k x_i + \sum_{il} d_{kl}\, c_{il} r_l x_i$$

    * `uptake_` $c$ `(species, resources)`, per hour and unit of x; `yields_` $y$, alike: what a unit of a resource is
      worth in abundance; `maintenance_` $m$ `(species,)`, per hour.
    * `conversion_` $d$ `(resources, resources)` or None: how much of k is left behind of a unit of l that was taken up.
    * `species_`, `resources_`: their names after `fit`, None where the parameters were given.

    Without conversion and maintenance, $\sum_i x_i / y_i + \sum_k r_k$ stays what it is where yields do not depend on
    the resource.

    `from_parameters` takes given numbers. `fit(communities)` takes the metabolites for resources and finds c, y and m,
    without conversion, by least squares with no negative solution (Lawson and Hanson 1974): first c from how fast
    resources vanish, then y and m from how fast species grow,

    $$\frac{r_k(t') - r_k(t)}{t' - t} \approx -\sum_i c_{ik} \overline{r_k x_i},\qquad
      \frac{\ln x_i(t') - \ln x_i(t)}{t' - t} \approx \sum_k y_{ik} c_{ik} \bar r_k - m_i$$

    over pairs of consecutive samples, with means of the two ends for the bars; `ridge` times the sum of squares of what
    is sought is added. `predict`, `simulate`, `save`, `load`.

    Raises `SettingsError`, `DataError` (no metabolites, a species in no two consecutive samples), `NotFitted`.

    ```python
    >>> model = ConsumerResource.from_parameters([[1.0]], [[0.5]], [0.0])
    >>> model.simulate([[0.01]], [[2.0]], [0.0, 12.0, 48.0]).round(4).tolist()
    [[[0.01, 2.0], [1.0094, 0.0011], [1.01, 0.0]]]
    >>> hours = np.arange(0.0, 12.0, 0.25)
    >>> values = model.simulate([[0.01]], [[2.0]], hours)
    >>> found = ConsumerResource().fit(Communities(("a",), ("A",), ("sugar",), hours, values))
    >>> found.uptake_.round(2).tolist(), found.yields_.round(2).tolist()
    ([[1.0]], [[0.5]])

    ```
    """

    kind = "consumer-resource"
    checks = at_least_0("ridge")

    uptake_: Float[np.ndarray, "species resources"]
    yields_: Float[np.ndarray, "species resources"]
    maintenance_: Float[np.ndarray, " species"]
    conversion_: Float[np.ndarray, "made taken"] | None
    species_: tuple[str, ...] | None
    resources_: tuple[str, ...] | None

    def __init__(self, *, ridge: float = 1e-6):
        self.ridge = ridge

    @classmethod
    def from_parameters(cls, uptake: Any, yields: Any, maintenance: Any, conversion: Any = None) -> "ConsumerResource":
        """A model with the given c, y, m and d.

        Raises `ShapeError` where the sizes do not meet, `SettingsError` for negative numbers, `NonFiniteError`.
        """
        model = cls()
        model._set(uptake, yields, maintenance, conversion)
        return model

    def fit(self, communities: Communities) -> "ConsumerResource":
        """From trajectories of species and of their resources, the metabolites; missing samples are stepped over."""
        return self._refit(communities)

    def _fit(self, communities: Communities) -> None:
        for check in self.checks:
            check(self)
        species, resources = communities.species, communities.metabolites
        if not resources:
            raise DataError("communities: expected metabolites, which are the resources, got none")
        some = len(species)
        floor = least_abundance(communities.values[..., :some], species)
        pairs = consecutive(communities.values, communities.hours)
        uptake, yields, maintenance = np.zeros((some, len(resources))), np.zeros((some, len(resources))), np.zeros(some)
        mean = (pairs.before + pairs.after) / 2
        for k in range(len(resources)):
            at = some + k
            lost = (pairs.before[:, at] - pairs.after[:, at]) / pairs.apart
            met = (pairs.before[:, :some] * pairs.before[:, [at]] + pairs.after[:, :some] * pairs.after[:, [at]]) / 2
            uptake[:, k] = self._solved(met, lost)
        for i, name in enumerate(species):
            rows = pairs.holding(i, name)
            given = np.concatenate([uptake[i] * mean[rows, some:], -np.ones((rows.sum(), 1))], axis=1)
            found = self._solved(given, pairs.log_ratios(i, rows, floor))
            yields[i], maintenance[i] = np.where(uptake[i] > 0, found[:-1], 0.0), found[-1]
        self._set(uptake, yields, maintenance, None, species, resources)

    def _solved(self, inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Least squares with no negative solution; the penalty as further rows."""
        width = inputs.shape[1]
        wide = np.concatenate([inputs, np.sqrt(self.ridge) * np.eye(width)])
        from scipy.optimize import nnls  # slow to load, and few commands need it

        return nnls(wide, np.concatenate([targets, np.zeros(width)]))[0]

    def simulate(
        self,
        initial: Any,
        resources: Any,
        hours: Any,
        *,
        passages: Iterable[float] = (),
        dilution: float = 0.05,
        medium: Any = None,
        tolerance: float = 1e-10,
    ) -> Float[np.ndarray, "communities hours species_and_resources"]:
        """Abundances, then resources, at `hours`, from `initial (communities, species)` and `resources` at the first.

        `resources (communities, resources)`. At each of `passages` everything is diluted to the share `dilution`, and
        the rest filled up with `medium (resources,)`, by default nothing. Otherwise as `LotkaVolterra.simulate`.
        """
        self.check_fitted()
        species, count = self.uptake_.shape
        x, r = np.asarray(initial, float), np.asarray(resources, float)
        if x.ndim != 2 or x.shape[1] != species or r.shape != (len(x), count):
            raise ShapeError(
                f"initial, resources: expected (communities, {species}) and (communities, {count}), got {x.shape} "
                f"and {r.shape}"
            )
        fresh = np.zeros(count) if medium is None else np.broadcast_to(np.asarray(medium, float), (count,))
        first, medium = np.concatenate([x, r], axis=1), np.concatenate([np.zeros(species), fresh])
        return self._simulated(first, hours, passages=passages, dilution=dilution, medium=medium, tolerance=tolerance)

    def predict(self, communities: Communities) -> Float[np.ndarray, "n later features"]:
        """Species and resources at the later times of communities, from the first time alone; NaN as in `simulate`.

        Raises `DataError` for other species or metabolites than those of `fit`.
        """
        self.check_fitted()
        if self.species_ is not None and self.resources_ is not None:
            communities = known_features(communities, self.species_, self.resources_)
        return self._simulated(communities.initial, communities.hours, tolerance=1e-6, names=communities.names)[:, 1:]

    def _simulated(self, first: np.ndarray, hours: Any, **options: Any) -> np.ndarray:
        species, count = self.uptake_.shape
        conversion = np.zeros((count, count)) if self.conversion_ is None else self.conversion_
        weights = (self.uptake_, self.yields_, self.maintenance_, conversion)
        return simulate(consumer_resource, weights, first, hours, size=species + count, **options)

    def _set(
        self,
        uptake: Any,
        yields: Any,
        maintenance: Any,
        conversion: Any,
        species: tuple[str, ...] | None = None,
        resources: tuple[str, ...] | None = None,
    ) -> None:
        uptake, yields, maintenance = (np.asarray(a, float) for a in (uptake, yields, maintenance))
        conversion = None if conversion is None else np.asarray(conversion, float)
        if uptake.ndim != 2:
            raise ShapeError(f"uptake: expected (species, resources), got {uptake.shape}")
        count, width = uptake.shape
        if yields.shape != (count, width) or maintenance.shape != (count,):
            raise ShapeError(
                f"yields, maintenance: expected ({count}, {width}) and ({count},), got {yields.shape} "
                f"and {maintenance.shape}"
            )
        if conversion is not None and conversion.shape != (width, width):
            raise ShapeError(f"conversion: expected ({width}, {width}), got {conversion.shape}")
        given = {"uptake": uptake, "yields": yields, "maintenance": maintenance, "conversion": conversion}
        for name, numbers in given.items():
            if numbers is not None:
                check_finite(numbers, name)
                if not (numbers >= 0).all():
                    raise SettingsError(f"{name}: expected numbers of 0 or more, got {numbers.min():g}")
        self.uptake_, self.yields_, self.maintenance_, self.conversion_ = uptake, yields, maintenance, conversion
        self.species_, self.resources_ = species, resources

    def _fitted(self) -> tuple[Any, dict[str, Any]]:
        weights = {"uptake": self.uptake_, "yields": self.yields_, "maintenance": self.maintenance_}
        if self.conversion_ is not None:
            weights["conversion"] = self.conversion_
        names = lambda found: None if found is None else list(found)
        return weights, {
            "shape": list(self.uptake_.shape),
            "conversion": self.conversion_ is not None,
            "species": names(self.species_),
            "resources": names(self.resources_),
        }

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        species, resources = (int(n) for n in numbers["shape"])
        like = {
            "uptake": np.zeros((species, resources)),
            "yields": np.zeros((species, resources)),
            "maintenance": np.zeros(species),
        }
        if numbers["conversion"]:
            like["conversion"] = np.zeros((resources, resources))
        read = weights(like)
        given = (numbers["species"], numbers["resources"])
        names = (None if found is None else tuple(map(str, found)) for found in given)
        self._set(read["uptake"], read["yields"], read["maintenance"], read.get("conversion"), *names)
