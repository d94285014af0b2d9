"""Several seeds at once: networks of one shape, trained side by side in one compiled step, none seeing another."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, PRNGKeyArray

from ostinato.data import Examples, SequenceBatch, stream
from ostinato.tasks import Task
from ostinato.training import fit
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

    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        """The state of each network before the first step; for networks whose initial state is not trained."""
        return self.member(0).init_state(key=key)

    def __call__(self, xs: SequenceBatch, state: State = None, **options: Any) -> Any:
        run = lambda member, xs, state: member(xs, state, **options)
        return eqx.filter_vmap(run)(self.members, xs, state)


def each(optimizer: optax.GradientTransformation) -> optax.GradientTransformation:
    """The optimiser for each member of an `Ensemble` by itself: norms, moments and counts are its own."""

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        return jax.vmap(optimizer.update)(updates, state, params)

    return optax.GradientTransformation(jax.vmap(optimizer.init), update)


class SeedBatches:
    """Batches of a task for an `Ensemble`: that of seed s in step t is `task.sample(stream(s, "task", t), batch)`."""

    def __init__(self, task: Task, batch: int, seeds: Sequence[int], length: int):
        self.length = length
        keys = jnp.stack([stream(s, "task") for s in seeds])
        self._make = jax.jit(lambda step: jax.vmap(lambda key: task.sample(jr.fold_in(key, step), batch))(keys))

    def __len__(self) -> int:
        return self.length

    def at(self, step: int) -> Examples:
        """The batch of a step."""
        return self._make(np.uint32(step))


class Trained(NamedTuple):
    """What `train` gives.

    * `metrics`: of each member, on fresh trials after the whole budget.
    * `needed`: the training trials after which a member was first right on all of the watched ones; None for never.
    """

    metrics: dict[str, np.ndarray]
    needed: list[int | None]


def train(
    model: Ensemble,
    task: Task,
    seeds: Sequence[int],
    *,
    batch: int,
    steps: int,
    every: int,
    rate: float,
    right: str,
    watched: int = 1000,
    fresh: int = 1000,
) -> Trained:
    """Adam with a cosine schedule to 0, gradients of norm 1 at most, a fixed budget; nothing is chosen on the way.

    `right` names the metric that is 1 where all is right. The watched trials only say how long it took; those of the
    final metrics are others.
    """
    trials = task.sample(stream(0, "watched"), watched)
    needed: list[int | None] = [None] * len(seeds)
    evaluations = 0

    def watch(model: Ensemble) -> dict[str, float]:
        nonlocal evaluations
        evaluations += 1
        shares = measure(model, task, trials)[right]
        for i, share in enumerate(shares):
            if share == 1 and needed[i] is None:
                needed[i] = min(evaluations * every, steps) * batch
        return {"wrong": float(1 - shares.mean())}

    schedule = optax.cosine_decay_schedule(rate, steps)
    optimizer = each(optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule)))
    batches = SeedBatches(task, batch, seeds, every)
    result = fit(model, batches, loss=task.loss, optimizer=optimizer, steps=steps, every=every, validate=watch)
    return Trained(measure(result.last, task, task.sample(stream(0, "fresh"), fresh)), needed)


def measure(model: Ensemble, task: Task, examples: Examples) -> dict[str, np.ndarray]:
    """The task's metrics for each member, `(members,)`, all on the same examples."""
    # Shares of counts: the digits beyond are those of float32.
    return {name: np.round(np.asarray(value, np.float64), 6) for name, value in _measure(model, task, examples).items()}


@eqx.filter_jit
def _measure(model: Ensemble, task: Task, examples: Examples) -> dict[str, Array]:
    return eqx.filter_vmap(lambda member: task.metrics(member(examples.inputs)[0], examples))(model.members)


def mean_needed(needed: Sequence[int | None]) -> float | None:
    """The mean over the members that got there; None where none did."""
    reached = [n for n in needed if n is not None]
    return math.fsum(reached) / len(reached) if reached else None
