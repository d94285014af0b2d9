"""Dynamic N-grams: learn the probabilities of a sequence while it is heard (Graves et al. 2014)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.data import Examples
from ostinato.tasks.base import Trial, at_least
from ostinato.tasks.bits import BitTask


class DynamicNGram(BitTask):
    r"""A stream of bits whose next one depends on the last `order`, by a table drawn anew for each trial.

    The probability of a 1 after each of the $2^n$ contexts is drawn from Beta(1/2, 1/2). Inputs `(length, 1)`, targets
    `(length, 1)`: the next bit; steps with a full context count. No predictor does better on average than

    $$P(1 \mid c) = \frac{N_1 + \frac12}{N_0 + N_1 + 1}$$

    with the counts of what followed this context so far (Murphy 2012, section 3.3), which `optimal_bits` measures.

    Raises `SettingsError` for an order below 1 or a length of not more than the order.

    ```python
    >>> import jax
    >>> task = DynamicNGram(order=2, length=60)
    >>> trial = task.trial(jax.random.key(0))
    >>> bool((trial.targets[:-1] == trial.inputs[1:]).all()), int(trial.counts.sum())
    (True, 59)

    ```
    """

    order: int = eqx.field(static=True, default=5)
    length: int = eqx.field(static=True, default=200)

    def __check_init__(self) -> None:
        at_least(self.order, 1, "order")
        at_least(self.length, self.order + 1, "length")

    @property
    def bits(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - a number of its own
        return 1

    @property
    def input_size(self) -> int:
        return 1

    @property
    def time_size(self) -> int:
        return self.length

    def trial(self, key: PRNGKeyArray) -> Trial:
        k_table, k_first, k_bits = jr.split(key, 3)
        table = jr.beta(k_table, 0.5, 0.5, (2**self.order,))
        first = jr.bernoulli(k_first, 0.5, (self.order,))

        def following(context: Array, uniform: Array) -> tuple[Array, Array]:
            bit = uniform < table[_number(context)]
            return jnp.append(context[1:], bit), bit

        _, rest = jax.lax.scan(following, first, jr.uniform(k_bits, (self.length + 1 - self.order,), table.dtype))
        bits = jnp.concatenate([first, rest]).astype(jnp.result_type(float))[:, None]
        return Trial(bits[:-1], bits[1:], counts=jnp.arange(self.length) >= self.order - 1)

    def optimal_bits(self, examples: Examples) -> Float[Array, ""]:
        """The cross-entropy in bits per sequence of the estimator above, on the steps that count."""

        def one(inputs: Array, targets: Array) -> Array:
            bits = jnp.append(inputs[:, 0], targets[-1, 0]) > 0.5

            def step(counts: Array, start: Array) -> tuple[Array, Array]:
                context = _number(jax.lax.dynamic_slice(bits, (start,), (self.order,)))
                bit = bits[start + self.order].astype(int)
                n = counts[context]
                return counts.at[context, bit].add(1), -jnp.log2((n[bit] + 0.5) / (n[0] + n[1] + 1))

            counts = jnp.zeros((2**self.order, 2), inputs.dtype)
            return jnp.sum(jax.lax.scan(step, counts, jnp.arange(self.length + 1 - self.order))[1])

        return jnp.mean(jax.vmap(one)(examples.inputs.values, examples.targets))


def _number(context: Array) -> Any:
    """The bits as a binary number, the oldest first."""
    return jnp.sum(context.astype(int) * 2 ** jnp.arange(context.shape[0])[::-1])
