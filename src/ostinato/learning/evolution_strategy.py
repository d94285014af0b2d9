"""Evolution strategies in the form of Salimans et al. ("Evolution strategies as a scalable alternative", 2017)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ostinato.data.batch import Examples
from ostinato.errors import SettingsError
from ostinato.learning.base import Approximate, Exact, GradientRule, Loss, Refusal, start_state, weighted_loss
from ostinato.learning.bptt import StateCarry
from ostinato.learning.parameter_vector import evaluate, parameters_to_vector, run, vector_to_parameters


class OpenAIES(GradientRule):
    r"""The gradient of the loss blurred by normal noise, estimated from values of the loss; Optax follows it.

    $$\nabla_\theta\, \mathbb{E}\, \ell(\theta + \sigma\epsilon) \approx \frac{1}{2 m \sigma} \sum_{i=1}^{m}
      \big(\ell(\theta + \sigma\epsilon_i) - \ell(\theta - \sigma\epsilon_i)\big)\, \epsilon_i,\qquad
      \epsilon_i \sim N(0, I)$$

    `population` is $2m$, mirrored pairs. With `ranks=True`, as in the paper, each loss is replaced by its rank among
    all of them, spread over -1/2 to 1/2: the direction no longer depends on the scale of the loss, and outliers weigh
    no more than others; the length of the "gradient" is then without meaning, and Adam the optimiser to take.

    Unbiased for the blurred loss without ranks, so exact in the mean where blurring changes no gradient: for losses
    linear or quadratic in the weights. On chunks all networks start from the state of the network itself. The value
    is its loss. `devices` share the population.

    ```python
    >>> import jax, jax.numpy as jnp, optax, ostinato as ost
    >>> from ostinato.data import FunctionBatches
    >>> def make(key):
    ...     xs = jax.random.normal(key, (8, 4, 1))
    ...     return ost.Examples(ost.SequenceBatch(xs), -xs, jnp.full((8, 4), 1 / 32))
    >>> model = ost.Readout(1, 1, key=jax.random.key(0))
    >>> batches = FunctionBatches(make, 10)
    >>> result = ost.fit(model, batches, loss=ost.losses.squared, rule=OpenAIES(), optimizer=optax.adam(0.1), steps=60)
    >>> result.history[-1]["loss"] < 0.1 * result.history[0]["loss"]
    True

    ```
    """

    population: int = eqx.field(static=True, default=64)
    sigma: float = eqx.field(static=True, default=0.05)
    ranks: bool = eqx.field(static=True, default=True)
    devices: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        if self.population < 2 or self.population % 2:
            raise SettingsError(f"population: expected an even number from 2 up, got {self.population}")
        if self.sigma <= 0:
            raise SettingsError(f"sigma: expected more than 0, got {self.sigma}")

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        if not parameters_to_vector(model).size:
            return Refusal("none of its weights is learned")
        shaped = "the ranks of losses" if self.ranks else "losses"
        return Approximate(f"the gradient of a blurred loss, estimated from {shaped} of {self.population} networks")

    def init(self, model: Any, examples: Examples) -> StateCarry:
        state = start_state(self.check(model) and model, examples.inputs.batch_shape, None)
        return StateCarry(state, jnp.zeros((), jnp.int32))

    def __call__(
        self, model: Any, loss: Loss, examples: Examples, carry: StateCarry, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], PyTree, StateCarry]:
        if key is None:
            raise SettingsError("key: this rule draws networks at random, it needs a key")
        k_draw, k_noise = jr.split(key)
        genes = parameters_to_vector(model)
        pairs = self.population // 2
        noise = jr.normal(k_draw, (pairs, genes.size), genes.dtype)
        offsets = self.sigma * jnp.concatenate([noise, -noise])
        losses, _ = evaluate(model, genes[None] + offsets, loss, examples, k_noise, devices=self.devices, carry=carry)
        worth = centred_ranks(losses) if self.ranks else losses
        worth = worth.astype(genes.dtype)
        estimate = (worth[:pairs] - worth[pairs:]) @ noise / (2 * pairs * self.sigma)
        ys, final = run(model, examples, k_noise, carry)
        value = weighted_loss(loss, ys, examples)
        blank = jax.tree.map(lambda leaf: jnp.zeros_like(leaf) if eqx.is_inexact_array(leaf) else leaf, model)
        return (
            value,
            eqx.filter(vector_to_parameters(blank, estimate), eqx.is_inexact_array),
            StateCarry(final, carry.step + examples.inputs.time_size),
        )


def centred_ranks(losses: Float[Array, " networks"]) -> Float[Array, " networks"]:
    """-1/2 for the smallest to 1/2 for the largest."""
    ranks = jnp.argsort(jnp.argsort(losses)).astype(losses.dtype)
    return ranks / max(losses.size - 1, 1) - 0.5
