"""What tasks share whose answers are vectors of bits, and the copy task in that form (Graves et al. 2014)."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.data import Examples
from ostinato.errors import SettingsError
from ostinato.losses import binary_cross_entropy
from ostinato.tasks.base import Task, Trial, at_least, mean_of


class BitTask(Task):
    """A task whose answer at a step is `bits` bits; the network gives their log-odds.

    * `loss`: the mean over the bits of their cross-entropy, in nats.
    * `metrics`: `wrong_bits`, the share of bits that fall on the wrong side; `bits_per_sequence`, the cross-entropy in
      bits summed over a sequence.
    """

    bits: eqx.AbstractVar[int]

    @property
    def output_size(self) -> int:
        return self.bits

    @property
    def chance(self) -> dict[str, float]:
        return {"wrong_bits": 0.5}

    def loss(self, y: Array, target: Float[Array, " bits"]) -> Float[Array, ""]:
        return binary_cross_entropy(y, target)

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        counted, targets = examples.weight > 0, examples.targets
        wrong = jnp.mean(((ys > 0) != (targets > 0.5)).astype(ys.dtype), axis=-1)
        # log(1 + e^-|a|) + max(a, 0) - a y, without a large number beside a small one.
        losses = jnp.log1p(jnp.exp(-jnp.abs(ys))) + jnp.maximum(ys, 0) - ys * targets
        losses = jnp.sum(losses, axis=-1) * counted.astype(ys.dtype)
        per_sequence = jnp.sum(losses, axis=-1) / jnp.log(2.0).astype(ys.dtype)
        return {"wrong_bits": mean_of(wrong, examples.weight), "bits_per_sequence": jnp.mean(per_sequence)}


def drawn_length(key: PRNGKeyArray, lengths: tuple[int, int]) -> Array:
    """A number from the first to the last, both included."""
    return jr.randint(key, (), lengths[0], lengths[1] + 1)


def check_range(name: str, numbers: tuple[int, int], least: int = 1) -> None:
    """Raise `SettingsError` for a range that is empty or begins below the least."""
    if not least <= numbers[0] <= numbers[1]:
        raise SettingsError(f"{name}: expected {least} <= first <= last, got {numbers}")


class BitCopy(BitTask):
    """A mark, vectors of random bits, another mark, then the same vectors are asked for while the input is silent.

    Inputs `(2 n + 2, bits + 2)` for the longest n: the vectors on the first channels, the marks on the last two. The
    first mark is needed: a vector may be 0 in every bit, and nothing else would say that the sequence began with it.
    Targets `(time, bits)`; the n steps after the second mark count.

    * `lengths`: the first and the last number of vectors, drawn uniformly for each trial.

    Raises `SettingsError` for less than 1 bit or an empty range of lengths.

    ```python
    >>> import jax
    >>> trial = BitCopy(lengths=(2, 2), bits=3).trial(jax.random.key(0))
    >>> trial.inputs.shape, bool((trial.targets[4:] == trial.inputs[1:3, :3]).all()), trial.counts.tolist()
    ((6, 5), True, [False, False, False, False, True, True])

    ```
    """

    lengths: tuple[int, int] = eqx.field(static=True, default=(1, 20))
    bits: int = eqx.field(static=True, default=8)

    def __check_init__(self) -> None:
        at_least(self.bits, 1, "bits")
        check_range("lengths", self.lengths)

    @property
    def input_size(self) -> int:
        return self.bits + 2

    @property
    def time_size(self) -> int:
        return 2 * self.lengths[1] + 2

    def trial(self, key: PRNGKeyArray) -> Trial:
        k_length, k_bits = jr.split(key)
        n, steps = drawn_length(k_length, self.lengths), jnp.arange(self.time_size)
        vectors = jr.bernoulli(k_bits, 0.5, (self.lengths[1], self.bits)).astype(jnp.result_type(float))
        heard = jnp.pad(vectors, ((1, self.lengths[1] + 1), (0, 0))) * (steps <= n)[:, None].astype(vectors.dtype)
        wanted = vectors[jnp.clip(steps - n - 2, 0, self.lengths[1] - 1)]
        marks = jnp.stack([steps == 0, steps == n + 1], axis=1).astype(vectors.dtype)
        inputs = jnp.concatenate([heard, marks], axis=1)
        return Trial(inputs, wanted, steps <= 2 * n + 1, (steps > n + 1) & (steps <= 2 * n + 1))
