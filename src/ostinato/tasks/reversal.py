"""Reversal: say the symbols again from the last to the first (Grefenstette et al. 2015)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.data import Examples
from ostinato.losses import cross_entropy
from ostinato.tasks.base import Task, Trial, at_least, is_right, mean_of
from ostinato.tasks.bits import check_range, drawn_length


class Reversal(Task):
    """Symbols, a cue, then the symbols are asked for in the reverse order.

    Inputs `(2 n + 1, symbols + 2)`, one-hot, for the longest n: the symbols, the cue (the last), then blanks. Targets
    are labels `(time,)`; the n steps after the cue count.

    * `lengths`: the first and the last number of symbols, drawn uniformly for each trial.
    * `metrics`: `accuracy` of symbols; `whole`, the share of sequences without a wrong one.

    Raises `SettingsError` for fewer than 2 symbols or an empty range of lengths.

    ```python
    >>> import jax
    >>> trial = Reversal(lengths=(3, 3), symbols=5).trial(jax.random.key(0))
    >>> shown = trial.inputs.argmax(-1)
    >>> bool((trial.targets[4:] == shown[2::-1]).all()), shown[3:].tolist()
    (True, [6, 5, 5, 5])

    ```
    """

    lengths: tuple[int, int] = eqx.field(static=True, default=(1, 12))
    symbols: int = eqx.field(static=True, default=2)

    def __check_init__(self) -> None:
        at_least(self.symbols, 2, "symbols")
        check_range("lengths", self.lengths)

    @property
    def input_size(self) -> int:
        return self.symbols + 2

    @property
    def output_size(self) -> int:
        return self.symbols

    @property
    def time_size(self) -> int:
        return 2 * self.lengths[1] + 1

    @property
    def chance(self) -> dict[str, float]:
        return {"accuracy": 1 / self.symbols}

    def trial(self, key: PRNGKeyArray) -> Trial:
        k_length, k_symbols = jr.split(key)
        n, steps = drawn_length(k_length, self.lengths), jnp.arange(self.time_size)
        heard = jr.randint(k_symbols, (self.time_size,), 0, self.symbols)
        shown = jnp.where(steps < n, heard, jnp.where(steps == n, self.symbols + 1, self.symbols))
        targets = heard[jnp.clip(2 * n - steps, 0, self.time_size - 1)]
        return Trial(jax.nn.one_hot(shown, self.input_size), targets, steps <= 2 * n, (steps > n) & (steps <= 2 * n))

    def loss(self, y: Array, target: Int[Array, ""]) -> Float[Array, ""]:
        return cross_entropy(y, target)

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        return symbol_metrics(ys, examples)


def symbol_metrics(ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
    """`accuracy` of the steps that count, and `whole`, the share of sequences in which all of them are right."""
    right = is_right(ys, examples.targets)
    whole = jnp.all(right | (examples.weight == 0), axis=-1)
    return {"accuracy": mean_of(right, examples.weight), "whole": jnp.mean(whole.astype(ys.dtype))}
