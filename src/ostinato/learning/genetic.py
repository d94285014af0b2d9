"""The genetic algorithm on the weights of a network: one gene per weight, one chromosome per network."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ostinato.data.batch import Examples
from ostinato.errors import SettingsError
from ostinato.learning.base import Loss
from ostinato.learning.direct import Metrics, as_metric
from ostinato.learning.parameter_vector import evaluate, parameters_to_vector, vector_to_parameters
from ostinato.learning.search import Search


class Generation(NamedTuple):
    """The chromosomes that are evaluated next, and the best of the generation before."""

    template: Any
    population: Float[Array, "networks genes"]
    best: Float[Array, " genes"]
    number: Int[Array, ""]


class GeneticAlgorithm(Search):
    r"""A population of networks; the fitter have more children, children are mixed and mutated.

    One gene per weight, one chromosome per network. The fitness of a network is the reciprocal of its loss, the mean
    squared error with `losses.squared`. In a generation (one step):

    1. every network is evaluated on the batch;
    2. the `elite` best go on as they are;
    3. parents are drawn by linear ranking, the best with an expected number of `pressure` children, the worst with
       $2 - $ `pressure`, without chance beyond rounding (stochastic universal sampling; Baker 1987);
    4. with the probability `crossover` a child takes each gene from either parent, otherwise all from one;
    5. each gene is mutated with the probability `rate`: it gets a normal number with the deviation `mutation`.

    Training ends as soon as the best network has learned a `share` of the examples (`learned(y, target)` holds; by
    default every output is within `tolerance`), its loss is at most `error`, or after `generations`; the reason is
    `FitResult.stopped`. Each of them is off where it is None. Generation 0 is uniform in ±`span`, its first network
    the one that was given. The loss among the metrics is the best of the generation.

    `devices` share the population. Linear ranking: Whitley, ICGA 1989.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> from ostinato.data import FunctionBatches
    >>> def make(key):
    ...     xs = jax.random.normal(key, (8, 4, 1))
    ...     return ost.Examples(ost.SequenceBatch(xs), -xs, jnp.full((8, 4), 1 / 32))
    >>> model = ost.Readout(1, 1, key=jax.random.key(0))
    >>> rule = GeneticAlgorithm(population=32, error=0.01)
    >>> ost.fit(model, FunctionBatches(make, 10), loss=ost.losses.squared, rule=rule, steps=200).stopped
    'error'

    ```
    """

    population: int = eqx.field(static=True, default=128)
    elite: int = eqx.field(static=True, default=2)
    pressure: float = eqx.field(static=True, default=1.8)
    crossover: float = eqx.field(static=True, default=0.6)
    rate: float = eqx.field(static=True, default=0.3)
    mutation: float = eqx.field(static=True, default=0.3)
    span: float = eqx.field(static=True, default=1.0)
    share: float | None = eqx.field(static=True, default=None)
    error: float | None = eqx.field(static=True, default=None)
    generations: int | None = eqx.field(static=True, default=None)
    tolerance: float = eqx.field(static=True, default=0.5)
    learned: Callable[[Array, Any], Bool[Array, ""]] | None = eqx.field(static=True, default=None)
    devices: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        if not 0 <= self.elite < self.population or self.population < 2:
            raise SettingsError(
                f"population, elite: expected 2 or more, and fewer, got {self.population}, {self.elite}"
            )
        if not 1 <= self.pressure <= 2:
            raise SettingsError(f"pressure: expected 1 to 2, got {self.pressure}")
        if not (0 <= self.crossover <= 1 and 0 <= self.rate <= 1):
            raise SettingsError(f"crossover, rate: expected probabilities, got {self.crossover}, {self.rate}")
        if self.mutation < 0 or self.span <= 0:
            raise SettingsError(f"mutation, span: expected 0 or more, more than 0, got {self.mutation}, {self.span}")
        if self.share is not None and not 0 < self.share <= 1:
            raise SettingsError(f"share: expected more than 0, at most 1, got {self.share}")

    def init(self, model: Any, key: PRNGKeyArray) -> Generation:
        own = parameters_to_vector(self.check(model) and model)
        drawn = jr.uniform(key, (self.population, own.size), own.dtype, -self.span, self.span)
        return Generation(model, drawn.at[0].set(own), own, jnp.zeros((), jnp.int32))

    def step(self, carry: Generation, loss: Loss, examples: Examples, key: PRNGKeyArray) -> tuple[Generation, Metrics]:
        k_noise, k_next = jr.split(key)
        losses, shares = evaluate(
            carry.template,
            carry.population,
            loss,
            examples,
            k_noise,
            learned=self._is_learned if self.share is not None else None,
            devices=self.devices,
        )
        order = jnp.argsort(losses)
        ranked, best = carry.population[order], order[0]
        tiny = jnp.finfo(losses.dtype).tiny
        number = carry.number + 1
        metrics = {
            "loss": as_metric(losses[best]),
            "fitness": as_metric(1 / jnp.maximum(losses[best], tiny)),
            "mean_fitness": as_metric(jnp.mean(1 / jnp.maximum(losses, tiny))),
            "share": as_metric(shares[best]),
            "generation": as_metric(number),
        }
        return Generation(carry.template, self.next_generation(ranked, k_next), ranked[0], number), metrics

    def model(self, carry: Generation) -> Any:
        return vector_to_parameters(carry.template, carry.best)

    def ends(self, metrics: Metrics) -> dict[str, Bool[Array, ""]]:
        limits = {
            "share": None if self.share is None else metrics["share"] >= self.share,
            "error": None if self.error is None else metrics["loss"] <= self.error,
            "generations": None if self.generations is None else metrics["generation"] >= self.generations,
        }
        return {name: flag for name, flag in limits.items() if flag is not None}

    def next_generation(
        self, ranked: Float[Array, "networks genes"], key: PRNGKeyArray
    ) -> Float[Array, "networks genes"]:
        """Children of a population that is sorted, the best first."""
        k_select, k_pairs, k_cross, k_genes = jr.split(key, 4)
        parents = rank_selection(k_select, ranked.shape[0], self.pressure)
        mothers = ranked[jr.permutation(k_pairs, parents)]
        fathers = ranked[parents]
        shape, dtype = ranked.shape, ranked.dtype
        # One random word for each gene, since drawing is the dearest part of a generation: its lowest bit chooses the
        # parent; the others are a uniform number u, and where u is below the rate, u / rate is uniform once more.
        words = jr.bits(k_genes, shape, "uint32")
        mixed = (jr.uniform(k_cross, (shape[0], 1)) < self.crossover) & ((words & 1) == 1)
        children = jnp.where(mixed, mothers, fathers)
        u = (words >> 1).astype(dtype) * 2.0**-31
        mutated = u < self.rate
        again = jnp.where(mutated, u / (self.rate or 1.0), jnp.full((), 0.5, dtype))
        edge = jnp.finfo(dtype).eps
        normal = jnp.sqrt(2.0).astype(dtype) * jax.lax.erf_inv(jnp.clip(2 * again - 1, edge - 1, 1 - edge))
        children = children + jnp.where(mutated, self.mutation * normal, jnp.zeros((), dtype))
        return jnp.concatenate([ranked[: self.elite], children[self.elite :]])

    def _is_learned(self, y: Array, target: Any) -> Bool[Array, ""]:
        if self.learned is not None:
            return self.learned(y, target)
        return jnp.all(jnp.abs(y - target) <= self.tolerance)


def rank_selection(key: PRNGKeyArray, size: int, pressure: float) -> Int[Array, " size"]:
    r"""The ranks of `size` parents, rank r with the expected number $p - 2 (p - 1) r / (n - 1)$, in random order.

    Stochastic universal sampling: each rank is taken that number of times, rounded up or down.
    """
    k_start, k_order = jr.split(key)
    expected = pressure - 2 * (pressure - 1) * np.arange(size) / max(size - 1, 1)
    edges = jnp.asarray(np.cumsum(expected), jnp.result_type(float))
    pointers = jr.uniform(k_start) + jnp.arange(size, dtype=edges.dtype)
    chosen = jnp.searchsorted(edges, pointers, side="right")
    return jr.permutation(k_order, jnp.minimum(chosen, size - 1).astype(jnp.int32))
