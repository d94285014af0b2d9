"""The copy task: say again what was heard before a delay (Arjovsky, Shah and Bengio, ICML 2016)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.data import Examples
from ostinato.losses import cross_entropy
from ostinato.tasks.base import Task, Trial, at_least, is_right, mean_of


class Copy(Task):
    r"""`items` symbols, a `delay` of blanks, a cue, then the symbols are asked for in their order.

    Inputs `(2 items + delay + 1, symbols + 2)`, one-hot: the symbols, then blank, then the cue. Targets are labels
    `(time,)`; only the last `items` steps count. Without memory the cross-entropy is at best $\ln n$ there, with n
    symbols.

    Raises `SettingsError` for fewer than 2 symbols, 1 item or a negative delay.

    ```python
    >>> import jax
    >>> task = Copy(items=2, delay=3)
    >>> trial = task.trial(jax.random.key(0))
    >>> trial.inputs[2:].argmax(-1).tolist(), bool((trial.targets[-2:] == trial.inputs[:2].argmax(-1)).all())
    ([8, 8, 8, 9, 8, 8], True)

    ```
    """

    items: int = eqx.field(static=True, default=10)
    delay: int = eqx.field(static=True, default=100)
    symbols: int = eqx.field(static=True, default=8)

    def __check_init__(self) -> None:
        at_least(self.items, 1, "items")
        at_least(self.delay, 0, "delay")
        at_least(self.symbols, 2, "symbols")

    @property
    def input_size(self) -> int:
        return self.symbols + 2

    @property
    def output_size(self) -> int:
        return self.symbols

    @property
    def time_size(self) -> int:
        return 2 * self.items + self.delay + 1

    @property
    def chance(self) -> dict[str, float]:
        return {"accuracy": 1 / self.symbols}

    def trial(self, key: PRNGKeyArray) -> Trial:
        heard = jr.randint(key, (self.items,), 0, self.symbols)
        blank = jnp.full(self.time_size, self.symbols, heard.dtype)
        cue = self.items + self.delay
        symbols = blank.at[: self.items].set(heard).at[cue].set(self.symbols + 1)
        targets = jnp.zeros(self.time_size, heard.dtype).at[cue + 1 :].set(heard)
        return Trial(jax.nn.one_hot(symbols, self.input_size), targets, counts=jnp.arange(self.time_size) > cue)

    def loss(self, y: Array, target: Int[Array, ""]) -> Float[Array, ""]:
        return cross_entropy(y, target)

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        return {"accuracy": mean_of(is_right(ys, examples.targets), examples.weight)}
