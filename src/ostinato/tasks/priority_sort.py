"""Priority sort: vectors in the order of numbers that came with them (Graves et al. 2014)."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import PRNGKeyArray

from ostinato.errors import SettingsError
from ostinato.tasks.base import Trial, at_least
from ostinato.tasks.bits import BitTask


class PrioritySort(BitTask):
    """Vectors of random bits with a priority in -1..1 each; after a mark those of highest priority are due, in order.

    Inputs `(items + 1 + wanted, bits + 2)`: bits, priority, mark. Targets `(time, bits)`; the last `wanted` steps
    count.

    Raises `SettingsError` for less than 1 bit or item, or where more are wanted than there are.

    ```python
    >>> import jax
    >>> trial = PrioritySort(items=3, wanted=2, bits=4).trial(jax.random.key(0))
    >>> first = int(trial.inputs[:3, 4].argmax())
    >>> trial.inputs.shape, bool((trial.targets[4] == trial.inputs[first, :4]).all())
    ((6, 6), True)

    ```
    """

    items: int = eqx.field(static=True, default=20)
    wanted: int = eqx.field(static=True, default=16)
    bits: int = eqx.field(static=True, default=8)

    def __check_init__(self) -> None:
        at_least(self.bits, 1, "bits")
        at_least(self.wanted, 1, "wanted")
        if self.wanted > self.items:
            raise SettingsError(f"wanted: expected at most the {self.items} items, got {self.wanted}")

    @property
    def input_size(self) -> int:
        return self.bits + 2

    @property
    def time_size(self) -> int:
        return self.items + 1 + self.wanted

    def trial(self, key: PRNGKeyArray) -> Trial:
        k_bits, k_priority = jr.split(key)
        vectors = jr.bernoulli(k_bits, 0.5, (self.items, self.bits)).astype(jnp.result_type(float))
        priority = jr.uniform(k_priority, (self.items, 1), vectors.dtype, -1, 1)
        heard = jnp.pad(jnp.concatenate([vectors, priority], axis=1), ((0, 1 + self.wanted), (0, 0)))
        mark = jnp.zeros((self.time_size, 1), vectors.dtype).at[self.items].set(1)
        wanted = vectors[jnp.argsort(-priority[:, 0])[: self.wanted]]
        targets = jnp.pad(wanted, ((self.items + 1, 0), (0, 0)))
        counts = jnp.arange(self.time_size) > self.items
        return Trial(jnp.concatenate([heard, mark], axis=1), targets, counts=counts)
