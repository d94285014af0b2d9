"""The adding problem (Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9, 1997)."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.data import Examples
from ostinato.errors import SettingsError
from ostinato.losses import squared
from ostinato.tasks.base import Task, Trial, at_least, mean_of


class Adding(Task):
    r"""Two of many numbers are marked; after the last step their sum is asked for.

    $$x_t = (v_t, m_t),\quad v_t \sim U(\mathrm{low}, 1),\quad m_t \in \{0, 1\},\quad y^* = \sum_t m_t v_t$$

    One mark falls uniformly in the first half of the sequence, one in the second. The form of Li et al. (IndRNN,
    CVPR 2018) has numbers from `low=0`; the one of 1997 had numbers from -1 to 1.

    Shapes: inputs `(length, 2)`, target `(1,)`. Without memory the best answer is the mean, with a squared error of
    $(1 - \mathrm{low})^2 / 6$: the variance of the sum of two uniform numbers.

    Raises `SettingsError` for `length` below 2 or `low` of 1 and more.

    ```python
    >>> import jax
    >>> task = Adding(length=30)
    >>> trial = task.trial(jax.random.key(0))
    >>> float(trial.inputs[:, 1].sum()), round(task.chance["mse"], 4)
    (2.0, 0.1667)

    ```
    """

    per_sequence: ClassVar[bool] = True
    length: int = eqx.field(static=True, default=100)
    low: float = eqx.field(static=True, default=0.0)

    def __check_init__(self) -> None:
        at_least(self.length, 2, "length")
        if self.low >= 1:
            raise SettingsError(f"low: expected a number below 1, got {self.low}")

    @property
    def input_size(self) -> int:
        return 2

    @property
    def output_size(self) -> int:
        return 1

    @property
    def time_size(self) -> int:
        return self.length

    @property
    def chance(self) -> dict[str, float]:
        return {"mse": (1 - self.low) ** 2 / 6}

    def trial(self, key: PRNGKeyArray) -> Trial:
        k_values, k_first, k_second = jr.split(key, 3)
        values = jr.uniform(k_values, (self.length,), minval=self.low, maxval=1.0)
        half = self.length // 2
        places = jnp.stack([jr.randint(k_first, (), 0, half), jr.randint(k_second, (), half, self.length)])
        marks = jnp.sum(jax.nn.one_hot(places, self.length, dtype=values.dtype), axis=0)
        return Trial(jnp.stack([values, marks], axis=-1), jnp.sum(marks * values)[None])

    def loss(self, y: Array, target: Array) -> Float[Array, ""]:
        return squared(y, target)

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        return {"mse": mean_of(jnp.square(ys - examples.targets)[..., 0], examples.weight)}
