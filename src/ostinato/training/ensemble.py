"""Networks of one shape, trained side by side in one compiled step, none seeing another: seeds, folds, ensembles."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import PRNGKeyArray

from ostinato.data import SequenceBatch, stream
from ostinato.learning.base import start_state
from ostinato.types import State


class Ensemble(eqx.Module):
    """Networks of one shape with weights of their own: `(members, *batch, time, features)` in, `(members, ...)` out.

    `members` is one network whose arrays have a leading axis. The loss over all of them is a sum, so each gets the
    gradient that it would get alone; with `each(optimizer)` it gets the same update too.

    ```python
    >>> import jax.numpy as jnp, ostinato as ost
    >>> model = Ensemble.make(lambda key: ost.RNN("elman", 2, 3, key=key), [0, 1])
    >>> ys, state = model(ost.SequenceBatch(jnp.ones((2, 4, 5, 2))))
    >>> ys.shape, bool((ys[0] == ys[1]).all())
    ((2, 4, 5, 3), False)

    ```
    """

    members: Any

    @classmethod
    def make(cls, make: Callable[[PRNGKeyArray], Any], seeds: Sequence[int]) -> "Ensemble":
        """One network for each seed s, `make(stream(s, "init"))`."""
        return cls(eqx.filter_vmap(make)(jnp.stack([stream(s, "init") for s in seeds])))

    @property
    def per_sequence(self) -> bool:
        return bool(getattr(self.members, "per_sequence", False))

    def member(self, index: int) -> Any:
        """One of the networks."""
        return jax.tree.map(lambda leaf: leaf[index] if eqx.is_array(leaf) else leaf, self.members)

    def start_state(self, batch_shape: tuple[int, ...], key: PRNGKeyArray | None) -> State:
        """The state of each network before the first step, `(members, *batch, ...)`."""
        rows = batch_shape[1:]
        if key is None:
            return eqx.filter_vmap(lambda member: start_state(member, rows, None))(self.members)
        keys = jr.split(key, batch_shape[0])
        return eqx.filter_vmap(lambda member, key: start_state(member, rows, key))(self.members, keys)

    def __call__(self, xs: SequenceBatch, state: State = None, **options: Any) -> Any:
        run = lambda member, xs, state: member(xs, state, **options)
        return eqx.filter_vmap(run)(self.members, xs, state)


def each(optimizer: optax.GradientTransformation) -> optax.GradientTransformation:
    """The optimiser for each member of an `Ensemble` by itself: norms, moments and counts are its own."""
    change = optimizer.update  # alone: a program does not hang on how the state began

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        return jax.vmap(change)(updates, state, params)

    return optax.GradientTransformation(jax.vmap(optimizer.init), update)
