"""Searches over weights: what they share, and random weight search, their honest baseline."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.data.batch import Examples
from ostinato.errors import SettingsError
from ostinato.learning.base import Approximate, Exact, Loss, Refusal
from ostinato.learning.direct import Metrics, UpdateRule, as_metric
from ostinato.learning.parameter_vector import evaluate, parameters_to_vector, vector_to_parameters


class Search(UpdateRule):
    """Weights by trying: only the value of the loss is used, so that any network and any loss will do."""

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        if not parameters_to_vector(model).size:
            return Refusal("none of its weights is learned")
        return Approximate("a search: it uses values of the loss alone, and promises no optimum")


class RandomCarry(NamedTuple):
    """The network that was given, and the best weights so far."""

    template: Any
    best: Float[Array, " genes"]


class RandomSearch(Search):
    r"""Weights drawn from one distribution, again and again; the best are kept.

    $$\theta^{(i)} \sim U(-s, s)^n,\qquad \theta \leftarrow \arg\min\{\ell(\theta), \ell(\theta^{(1)}), \ldots,
      \ell(\theta^{(P)})\}$$

    In each step `population` networks are drawn anew and compared on the batch with the best so far. What a search with
    a plan cannot beat is a task for random search (Schmidhuber and Hochreiter, "Guessing can outperform many long time
    lag algorithms", 1996). The loss among the metrics is the best of the step.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> model = ost.RNN("elman", 1, 2, output_size=1, key=jax.random.key(0))
    >>> examples = ost.Examples(ost.SequenceBatch(jnp.ones((1, 3, 1))), jnp.zeros((1, 3, 1)), jnp.full((1, 3), 1 / 3))
    >>> rule = RandomSearch(population=16)
    >>> carry = rule.init(model, jax.random.key(1))
    >>> carry, metrics = rule.step(carry, ost.losses.squared, examples, jax.random.key(2))
    >>> list(metrics)
    ['loss', 'mean']

    ```
    """

    population: int = eqx.field(static=True, default=128)
    span: float = eqx.field(static=True, default=1.0)
    devices: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        if self.population < 1 or self.span <= 0:
            raise SettingsError(
                f"population, span: expected 1 or more and more than 0, got {self.population}, {self.span}"
            )

    def init(self, model: Any, key: PRNGKeyArray) -> RandomCarry:
        del key
        return RandomCarry(model, parameters_to_vector(self.check(model) and model))

    def step(
        self, carry: RandomCarry, loss: Loss, examples: Examples, key: PRNGKeyArray
    ) -> tuple[RandomCarry, Metrics]:
        k_draw, k_noise = jr.split(key)
        best = carry.best
        drawn = jr.uniform(k_draw, (self.population, best.size), best.dtype, -self.span, self.span)
        losses, _ = evaluate(carry.template, drawn, loss, examples, k_noise, devices=self.devices)
        old, _ = evaluate(carry.template, best[None], loss, examples, k_noise)
        i = jnp.argmin(losses)
        best = jnp.where(losses[i] < old[0], drawn[i], best)
        finite = jnp.isfinite(losses)
        mean = jnp.mean(jnp.where(finite, losses, jnp.zeros_like(losses)))
        metrics = {"loss": as_metric(jnp.minimum(losses[i], old[0])), "mean": as_metric(mean)}
        return RandomCarry(carry.template, best), metrics

    def model(self, carry: RandomCarry) -> Any:
        return vector_to_parameters(carry.template, carry.best)
