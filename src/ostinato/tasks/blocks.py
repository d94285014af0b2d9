"""Blocks that begin alike or not and go on alike: a long time lag in a stream that is mostly predictable.

Schmidhuber, "Learning complex, extended sequences using the principle of history compression", Neural Computation 4,
1992: the task of 22 symbols.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.data import Examples
from ostinato.losses import cross_entropy
from ostinato.tasks.base import Task, Trial, at_least, is_right, mean_of


class Blocks(Task):
    r"""At the end of each block, say with which of two symbols it began; blocks follow each other without a sign.

    A block is a or x, at random, then $b_1, \ldots, b_r$ with r = `run`; with `parts` above 1 that run comes as many
    times, from the second time on behind a symbol of its own ($c_2, \ldots, c_n$), or behind nothing where `marked` is
    False. The default is the task of 22 symbols: $a\,b_1 \ldots b_{20}$ or $x\,b_1 \ldots b_{20}$.

    Inputs `(length, symbols)`, one-hot: a, x, the b, the c. Targets are labels `(length,)`, 0 for a and 1 for x; the
    last step of each block counts. Of what comes next, a network can know all but one bit a block (`bits`).

    Raises `SettingsError` for fewer than 1 block, step or part.

    ```python
    >>> task = Blocks(blocks=2, run=3)
    >>> trial = task.trial(jax.random.key(1))
    >>> trial.inputs.argmax(-1).tolist(), trial.targets.tolist(), trial.counts.astype(int).tolist()
    ([0, 2, 3, 4, 1, 2, 3, 4], [0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 0, 0, 0, 1])

    ```
    """

    blocks: int = eqx.field(static=True, default=5)
    run: int = eqx.field(static=True, default=20)
    parts: int = eqx.field(static=True, default=1)
    marked: bool = eqx.field(static=True, default=True)

    def __check_init__(self) -> None:
        at_least(self.blocks, 1, "blocks")
        at_least(self.run, 1, "run")
        at_least(self.parts, 1, "parts")

    @property
    def input_size(self) -> int:
        return 2 + self.run + (self.parts - 1 if self.marked else 0)

    @property
    def output_size(self) -> int:
        return 2

    @property
    def block_size(self) -> int:
        """Steps of one block."""
        return self.parts * (self.run + self.marked) + (not self.marked)

    @property
    def time_size(self) -> int:
        return self.blocks * self.block_size

    @property
    def chance(self) -> dict[str, float]:
        return {"accuracy": 0.5}

    @property
    def bits(self) -> float:
        """The information of a trial: one bit for each block."""
        return float(self.blocks)

    def trial(self, key: PRNGKeyArray) -> Trial:
        kinds = jr.randint(key, (self.blocks, 1), 0, 2)
        within = jnp.arange(self.block_size - 1)
        if self.marked:
            part, place = jnp.divmod(within, self.run + 1)
            follows = jnp.where(place < self.run, 2 + place, 2 + self.run + part)
        else:
            follows = 2 + within % self.run
        symbols = jnp.concatenate(
            [kinds, jnp.broadcast_to(follows, (self.blocks, follows.size)).astype(kinds.dtype)], axis=1
        ).reshape(-1)
        counts = jnp.arange(self.time_size) % self.block_size == self.block_size - 1
        return Trial(jax.nn.one_hot(symbols, self.input_size), jnp.repeat(kinds[:, 0], self.block_size), counts=counts)

    def loss(self, y: Array, target: Int[Array, ""]) -> Float[Array, ""]:
        return cross_entropy(y, target)

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        return {"accuracy": mean_of(is_right(ys, examples.targets), examples.weight)}
