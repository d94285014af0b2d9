"""Dyck words: brackets of several kinds, well nested to a given depth (Chomsky and Schützenberger 1963)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.data import Examples
from ostinato.errors import SettingsError
from ostinato.losses import cross_entropy
from ostinato.tasks.base import Task, Trial, at_least
from ostinato.tasks.bits import check_range
from ostinato.tasks.reversal import symbol_metrics


class Dyck(Task):
    """A well-nested word; after each bracket, which kind may be closed next, or that none is open.

    Inputs `(length, 2 kinds)`, one-hot: opening brackets, then closing ones. Targets are labels `(length,)`: the kind
    of the innermost open bracket, or `kinds` where all are closed. Every step counts.

    A word of depth d reaches d and no more: the depth goes up or down with equal chance where it may, to a peak drawn
    from `depths`, at a time drawn uniformly among those that allow it.

    * `metrics`: `accuracy` of steps; `whole`, the share of words without a wrong one.

    Raises `SettingsError` for no kind of bracket, an odd length, or depths that do not fit.

    ```python
    >>> import jax
    >>> trial = Dyck(length=6, depths=(3, 3), kinds=1).trial(jax.random.key(0))
    >>> trial.inputs.argmax(-1).tolist(), trial.targets.tolist()
    ([0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1])

    ```
    """

    length: int = eqx.field(static=True, default=20)
    depths: tuple[int, int] = eqx.field(static=True, default=(1, 6))
    kinds: int = eqx.field(static=True, default=2)

    def __check_init__(self) -> None:
        at_least(self.kinds, 1, "kinds")
        check_range("depths", self.depths)
        at_least(self.length, 2 * self.depths[1], "length")
        if self.length % 2:
            raise SettingsError(f"length: expected an even number, got {self.length}")

    @property
    def input_size(self) -> int:
        return 2 * self.kinds

    @property
    def output_size(self) -> int:
        return self.kinds + 1

    @property
    def time_size(self) -> int:
        return self.length

    @property
    def chance(self) -> dict[str, float]:
        return {}

    def trial(self, key: PRNGKeyArray) -> Trial:
        k_depth, k_peak, k_walk, k_kinds = jr.split(key, 4)
        depth = jr.randint(k_depth, (), self.depths[0], self.depths[1] + 1)
        # The step after which the walk is at the peak: it has the parity of the depth, and leaves time to come down.
        peak = depth + 2 * jr.randint(k_peak, (), 0, (self.length - 2 * depth) // 2 + 1)
        kinds = jr.randint(k_kinds, (self.length,), 0, self.kinds)

        def step(carry: tuple[Array, Array], at: tuple[Array, Array, Array]) -> tuple[tuple[Array, Array], Array]:
            height, open_kinds = carry
            now, uniform, kind = at
            goal, left = jnp.where(now < peak, depth, 0), jnp.where(now < peak, peak, self.length) - now
            must_rise, must_fall = goal - height >= left, height - goal >= left
            up = (uniform < 0.5) & (height < depth) & ~must_fall | must_rise | (height == 0)
            place = jnp.where(up, height, height - 1)
            kind = jnp.where(up, kind, open_kinds[place])
            open_kinds = jnp.where(up, open_kinds.at[place].set(kind), open_kinds)
            height = height + jnp.where(up, 1, -1)
            target = jnp.where(height > 0, open_kinds[jnp.maximum(height - 1, 0)], self.kinds)
            return (height, open_kinds), jnp.stack([jnp.where(up, kind, kind + self.kinds), target])

        start = jnp.zeros((), kinds.dtype), jnp.zeros(self.depths[1], kinds.dtype)
        walk = (jnp.arange(self.length), jr.uniform(k_walk, (self.length,)), kinds)
        _, shown = jax.lax.scan(step, start, walk)
        return Trial(jax.nn.one_hot(shown[:, 0], self.input_size), shown[:, 1])

    def loss(self, y: Array, target: Int[Array, ""]) -> Float[Array, ""]:
        return cross_entropy(y, target)

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        return symbol_metrics(ys, examples)
