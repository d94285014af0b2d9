"""Batches of the studies: a task's for several seeds side by side, one over and over, and others changed on the way."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ostinato.data import Examples, stream
from ostinato.data.stored import Stored, as_it_is
from ostinato.tasks import Task
from ostinato.training.loop import BatchSource


class SeedBatches:
    """Batches of a task for an `Ensemble`: that of seed s in step t is `task.sample(stream(s, "task", t), batch)`."""

    def __init__(self, task: Task, batch: int, seeds: Sequence[int], length: int):
        self.length = length
        self._keys = jax.random.key_data(jnp.stack([stream(s, "task") for s in seeds]))
        self._gather = partial(_trials, task=task, batch=batch)
        self._make = jax.jit(self._gather)

    def __len__(self) -> int:
        return self.length

    def at(self, step: int) -> Examples:
        """The batch of a step."""
        return self._make(self._keys, np.uint32(step))

    def stored(self) -> Stored:
        """The keys of the seeds: trials are made inside the training step."""
        return Stored(self._keys, (self._gather,), lambda step: (0, np.uint32(step)))


def _trials(data: Any, step: Any, *, task: Task, batch: int) -> Examples:
    return jax.vmap(lambda key: task.sample(jr.fold_in(key, step), batch))(jax.random.wrap_key_data(data))


class Same:
    """One batch, over and over."""

    def __init__(self, examples: Examples):
        self.examples = examples

    def __len__(self) -> int:
        return 1

    def at(self, step: int) -> Examples:
        """The batch."""
        del step
        return self.examples

    def stored(self) -> Stored:
        """The batch, once."""
        return Stored(self.examples, (as_it_is,), lambda step: (0, ()))


class Changed:
    """Other batches, each changed by a pure function of the batch and the step: a curriculum, noise, another weight."""

    def __init__(self, batches: BatchSource, change: Callable[[Examples, int], Examples]):
        self.batches, self.change = batches, change

    def __len__(self) -> int:
        return len(self.batches)

    def at(self, step: int) -> Examples:
        """The batch of a step."""
        return self.change(self.batches.at(step), step)
