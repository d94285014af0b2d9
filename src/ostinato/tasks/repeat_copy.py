"""Repeat copy: say a sequence again so many times, then say that it is over (Graves et al. 2014)."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import PRNGKeyArray

from ostinato.tasks.base import Trial, at_least
from ostinato.tasks.bits import BitTask, check_range, drawn_length


class RepeatCopy(BitTask):
    """Vectors of random bits, then a number; the vectors are due that many times in a row, and at last an end mark.

    Inputs `(n + 1 + n r + 1, bits + 1)` for the largest n and r: the vectors, then the number of repeats on the last
    channel, divided by `scale`. Targets `(time, bits + 1)`, the end mark on the last; all steps after the number count.

    * `lengths`, `repeats`: the first and the last of each, drawn uniformly for each trial.
    * `scale`: what the number is divided by; a fixed one lets a network meet numbers that it was not trained on.

    Raises `SettingsError` for less than 1 bit, an empty range, or a scale below 1.

    ```python
    >>> import jax
    >>> trial = RepeatCopy(lengths=(1, 1), repeats=(2, 2), bits=2, scale=2).trial(jax.random.key(0))
    >>> trial.inputs[:, 2].tolist(), trial.targets[:, 2].tolist()
    ([0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0])

    ```
    """

    lengths: tuple[int, int] = eqx.field(static=True, default=(1, 10))
    repeats: tuple[int, int] = eqx.field(static=True, default=(1, 10))
    bits: int = eqx.field(static=True, default=8)
    scale: int = eqx.field(static=True, default=10)

    def __check_init__(self) -> None:
        at_least(self.bits, 1, "bits")
        at_least(self.scale, 1, "scale")
        check_range("lengths", self.lengths)
        check_range("repeats", self.repeats)

    @property
    def input_size(self) -> int:
        return self.bits + 1

    @property
    def output_size(self) -> int:
        return self.bits + 1

    @property
    def time_size(self) -> int:
        return self.lengths[1] * (1 + self.repeats[1]) + 2

    def trial(self, key: PRNGKeyArray) -> Trial:
        k_length, k_repeats, k_bits = jr.split(key, 3)
        n, times = drawn_length(k_length, self.lengths), drawn_length(k_repeats, self.repeats)
        steps = jnp.arange(self.time_size)
        vectors = jr.bernoulli(k_bits, 0.5, (self.lengths[1], self.bits)).astype(jnp.result_type(float))
        here = lambda flags: flags.astype(vectors.dtype)[:, None]
        heard = vectors[jnp.minimum(steps, self.lengths[1] - 1)] * here(steps < n)
        number = here(steps == n) * (times.astype(vectors.dtype) / self.scale)
        end = (1 + times) * n + 1
        answering = (steps > n) & (steps < end)
        wanted = vectors[(steps - n - 1) % n] * here(answering)
        inputs, targets = (jnp.concatenate(pair, axis=1) for pair in ((heard, number), (wanted, here(steps == end))))
        return Trial(inputs, targets, steps <= end, (steps > n) & (steps <= end))
