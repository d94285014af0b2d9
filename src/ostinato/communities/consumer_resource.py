"""Consumer-resource models: species that live on what there is, and on what others make of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.communities.ecology import simulate
from ostinato.errors import SettingsError, ShapeError


@dataclass(frozen=True)
class ConsumerResource:
    r"""Species take up resources, grow on them, and leave others behind (MacArthur 1970; cross-feeding: Marsland 2019).

    $$\frac{dx_i}{dt} = x_i \Big(\sum_k y_{ik} c_{ik} r_k - m_i\Big),\qquad
      \frac{dr_k}{dt} = -\sum_i c_{ik} r_k x_i + \sum_{il} d_{kl}\, c_{il} r_l x_i$$

    * `uptake` $c$ `(species, resources)`, per hour and unit of x; `yields` $y$, alike: what a unit of a resource is
      worth in abundance; `maintenance` $m$ `(species,)`, per hour.
    * `conversion` $d$ `(resources, resources)` or None: how much of k is left behind of a unit of l that was taken up.

    Without conversion and maintenance, $\sum_i x_i / y_i + \sum_k r_k$ stays what it is where yields do not depend on
    the resource.

    Raises `ShapeError` where the sizes do not meet, `SettingsError` for negative numbers.

    ```python
    >>> model = ConsumerResource(np.array([[1.0]]), np.array([[0.5]]), np.zeros(1))
    >>> model.simulate([[0.01]], [[2.0]], [0.0, 12.0, 48.0]).round(4).tolist()
    [[[0.01, 2.0], [1.0094, 0.0011], [1.01, 0.0]]]

    ```
    """

    uptake: Float[np.ndarray, "species resources"]
    yields: Float[np.ndarray, "rows columns"]
    maintenance: Float[np.ndarray, "rates"]
    conversion: Float[np.ndarray, "made taken"] | None = None

    def __post_init__(self) -> None:
        species, resources = self.uptake.shape
        if self.yields.shape != (species, resources) or self.maintenance.shape != (species,):
            raise ShapeError(
                f"yields, maintenance: expected ({species}, {resources}) and ({species},), got {self.yields.shape} "
                f"and {self.maintenance.shape}"
            )
        if self.conversion is not None and self.conversion.shape != (resources, resources):
            raise ShapeError(f"conversion: expected ({resources}, {resources}), got {self.conversion.shape}")
        for name in ("uptake", "yields", "maintenance", "conversion"):
            numbers = getattr(self, name)
            if numbers is not None and not (numbers >= 0).all():
                raise SettingsError(f"{name}: expected numbers of 0 or more, got {numbers.min():g}")

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
        species, count = self.uptake.shape
        x, r = np.asarray(initial, float), np.asarray(resources, float)
        if x.ndim != 2 or x.shape[1] != species or r.shape != (len(x), count):
            raise ShapeError(
                f"initial, resources: expected (communities, {species}) and (communities, {count}), got {x.shape} "
                f"and {r.shape}"
            )
        fresh = np.zeros(count) if medium is None else np.broadcast_to(np.asarray(medium, float), (count,))
        conversion = np.zeros((count, count)) if self.conversion is None else self.conversion
        return simulate(
            slope,
            (self.uptake, self.yields, self.maintenance, conversion),
            np.concatenate([x, r], axis=1),
            hours,
            size=species + count,
            passages=passages,
            dilution=dilution,
            medium=np.concatenate([np.zeros(species), fresh]),
            tolerance=tolerance,
        )


def slope(weights: tuple[Any, Any, Any, Any], z: Float[Array, " both"]) -> Float[Array, " both"]:
    """The right-hand side of the equations."""
    uptake, yields, maintenance, conversion = weights
    x, r = z[: len(maintenance)], z[len(maintenance) :]
    taken = uptake * r[None, :] * x[:, None]
    total = jnp.sum(taken, axis=0)
    return jnp.concatenate([jnp.sum(yields * taken, axis=1) - maintenance * x, conversion @ total - total])
