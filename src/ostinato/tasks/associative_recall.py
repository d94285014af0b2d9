"""Associative recall: which item came after this one (Graves et al. 2014)."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import PRNGKeyArray

from ostinato.tasks.base import Trial, at_least
from ostinato.tasks.bits import BitTask, check_range, drawn_length


class AssociativeRecall(BitTask):
    """Items of several vectors of bits, each after a mark; then one of them is shown again, and the next one is due.

    Inputs `((n + 2)(1 + vectors) , bits + 2)` for the largest n: a mark on the channel before the last and the vectors
    of an item, n times; a mark on the last channel and the vectors of the query, never the last item; then silence with
    the same mark once, during and after which the answer is due. Targets `(time, bits)`; `vectors` steps count.

    * `items`: the first and the last number of items, drawn uniformly for each trial.

    Raises `SettingsError` for less than 1 bit or vector, or fewer than 2 items.

    ```python
    >>> import jax
    >>> trial = AssociativeRecall(items=(2, 2), vectors=1, bits=3).trial(jax.random.key(0))
    >>> trial.inputs[:, 3:].tolist()[::2], trial.counts.tolist()
    ([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [False, False, False, False, False, False, False, True])

    ```
    """

    items: tuple[int, int] = eqx.field(static=True, default=(2, 6))
    vectors: int = eqx.field(static=True, default=3)
    bits: int = eqx.field(static=True, default=6)

    def __check_init__(self) -> None:
        at_least(self.bits, 1, "bits")
        at_least(self.vectors, 1, "vectors")
        check_range("items", self.items, 2)

    @property
    def input_size(self) -> int:
        return self.bits + 2

    @property
    def time_size(self) -> int:
        return (self.items[1] + 2) * (1 + self.vectors)

    def trial(self, key: PRNGKeyArray) -> Trial:
        k_items, k_bits, k_query = jr.split(key, 3)
        n, block = drawn_length(k_items, self.items), 1 + self.vectors
        drawn = jr.bernoulli(k_bits, 0.5, (self.items[1], self.vectors, self.bits)).astype(jnp.result_type(float))
        query = jr.randint(k_query, (), 0, n - 1)
        # In blocks of a mark and an item: the items, the query, the answer.
        number = jnp.arange(self.items[1] + 2)
        item = jnp.where(number == n, query, jnp.where(number == n + 1, query + 1, jnp.minimum(number, n - 1)))
        content = jnp.pad(drawn[item], ((0, 0), (1, 0), (0, 0)))
        flag = lambda of: of.astype(drawn.dtype)[:, None] * jnp.eye(1, block, dtype=drawn.dtype)
        marks = jnp.stack([flag(number < n), flag((number == n) | (number == n + 1))], axis=-1)
        heard = jnp.where((number <= n)[:, None, None], content, 0)
        inputs = jnp.concatenate([heard, marks], axis=-1).reshape(self.time_size, -1)
        steps = jnp.arange(self.time_size)
        mask = steps < (n + 2) * block
        counts = (steps > (n + 1) * block) & mask
        return Trial(inputs, content.reshape(self.time_size, -1), mask, counts)
