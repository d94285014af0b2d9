"""Parity of a stream of bits: of all so far, or of some steps ago, with two bits XOR in time (after Elman 1990)."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.data import Examples
from ostinato.losses import cross_entropy
from ostinato.tasks.base import Task, Trial, at_least, is_right, mean_of


class _OfBits(Task):
    """One bit in and one bit out at every step."""

    length: eqx.AbstractVar[int]

    @property
    def input_size(self) -> int:
        return 1

    @property
    def output_size(self) -> int:
        return 2

    @property
    def time_size(self) -> int:
        return self.length

    @property
    def chance(self) -> dict[str, float]:
        return {"accuracy": 0.5}

    def loss(self, y: Array, target: Int[Array, ""]) -> Float[Array, ""]:
        return cross_entropy(y, target)


class DelayedParity(_OfBits):
    r"""At every step, the parity of the `order` bits that end `delay` steps ago.

    $$y^*_t = b_{t-d} \oplus b_{t-d-1} \oplus \cdots \oplus b_{t-d-n+1}$$

    Inputs `(length, 1)` are the bits as 0 and 1, targets labels `(length,)`; steps that lack a bit do not count. Each
    bit alone says nothing of the answer.

    Raises `SettingsError` for an `order` below 1, a negative `delay`, or a `length` in which no step counts.

    ```python
    >>> import jax
    >>> trial = DelayedParity(order=2, delay=0, length=6).trial(jax.random.key(1))
    >>> bits = trial.inputs[:, 0].astype(int)
    >>> bool((trial.targets[1:] == bits[1:] ^ bits[:-1]).all()), trial.counts.tolist()
    (True, [False, True, True, True, True, True])

    ```
    """

    order: int = eqx.field(static=True, default=2)
    delay: int = eqx.field(static=True, default=0)
    length: int = eqx.field(static=True, default=50)

    def __check_init__(self) -> None:
        at_least(self.order, 1, "order")
        at_least(self.delay, 0, "delay")
        at_least(self.length, self.order + self.delay, "length")

    def trial(self, key: PRNGKeyArray) -> Trial:
        bits = jr.randint(key, (self.length,), 0, 2)
        before = jnp.concatenate([jnp.zeros(self.order + self.delay, bits.dtype), jnp.cumsum(bits, dtype=bits.dtype)])
        ones = before[self.order : self.order + self.length] - before[: self.length]
        counts = jnp.arange(self.length) >= self.order + self.delay - 1
        return Trial(bits.astype(jnp.result_type(float))[:, None], ones % 2, counts=counts)

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        return {"accuracy": mean_of(is_right(ys, examples.targets), examples.weight)}


class Parity(_OfBits):
    r"""At every step, whether the number of ones so far is odd: the smallest task of keeping a state for ever.

    $$y^*_t = b_0 \oplus b_1 \oplus \cdots \oplus b_t$$

    Inputs `(length, 1)` are the bits as 0 and 1, targets labels `(length,)`; every step counts. `all_right` is the
    share of sequences that are right at every step: a network that is right to the end of long sequences has found
    the two states.

    Raises `SettingsError` for a `length` below 1.

    ```python
    >>> import jax
    >>> trial = Parity(length=6).trial(jax.random.key(1))
    >>> bits = trial.inputs[:, 0].astype(int)
    >>> bool((trial.targets[1:] == trial.targets[:-1] ^ bits[1:]).all())
    True

    ```
    """

    length: int = eqx.field(static=True, default=40)

    def __check_init__(self) -> None:
        at_least(self.length, 1, "length")

    def trial(self, key: PRNGKeyArray) -> Trial:
        bits = jr.randint(key, (self.length,), 0, 2)
        return Trial(bits.astype(jnp.result_type(float))[:, None], jnp.cumsum(bits, dtype=bits.dtype) % 2)

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        right = is_right(ys, examples.targets)
        return {
            "accuracy": mean_of(right, examples.weight),
            "last": jnp.mean(right[..., -1].astype(ys.dtype)),
            "all_right": jnp.mean(jnp.all(right, axis=-1).astype(ys.dtype)),
        }
