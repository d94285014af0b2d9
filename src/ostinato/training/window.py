"""A window of training steps in one compiled call: the loop over steps is on the device, the host sends rows only."""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from ostinato.data import Examples
from ostinato.data.stored import Storable, as_it_is
from ostinato.training.parallel import spread

Gathers = tuple[Callable[[Any, Any], Examples], ...]

WINDOW = 16
"""Steps that are sent off before their losses are fetched: the host never waits for a single step."""


class TrainState(eqx.Module):
    """What changes on the device from step to step. Its buffers are handed over to the next call: never keep them.

    `measured` and `ends` are what a direct rule says of each step of the window; empty for rules that give gradients.
    """

    model: PyTree[Any]
    opt_state: PyTree[Any]
    losses: Float[Array, " window"]
    bad: Bool[Array, " window"]
    live: Bool[Array, ""]
    measured: dict[str, Float[Array, " window"]] = eqx.field(default_factory=dict)
    ends: dict[str, Bool[Array, " window"]] = eqx.field(default_factory=dict)


class Sent(NamedTuple):
    """What is sent for `count` steps: the data, and for each step the shape of its batch and its rows."""

    data: PyTree[Any]
    shapes: Int[np.ndarray, " window"]
    rows: PyTree[Any]
    count: int


class Feed:
    """Where the steps of a training get their examples: batches that are stored on the device, or made one by one.

    `most` is how many steps go in one call: one where each batch is made on the host, or shared by `devices`.
    """

    def __init__(self, batches: Any, devices: int | None):
        self._batches, self._devices = batches, devices
        stored = batches.stored() if isinstance(batches, Storable) and devices is None else None
        self._stored = stored
        self.gathers = (as_it_is,) if stored is None else stored.gathers
        self.most = 1 if stored is None else WINDOW

    def send(self, step: int, count: int) -> Sent:
        """What the steps from that one on need."""
        if self._stored is None:
            return Sent(spread(self._batches.at(step), self._devices), np.zeros(1, np.int32), (), 1)
        found = [self._stored.rows(t) for t in range(step, step + count)]
        # One shape for all windows: what stands behind `count` is never read.
        found += [found[-1]] * (WINDOW - count)
        shapes = np.array([shape for shape, _ in found], np.int32)
        return Sent(
            self._stored.data, shapes, jax.tree.map(lambda *a: np.stack(a), *(rows for _, rows in found)), count
        )


class WindowUpdate(abc.ABC):
    """Base of what makes training steps: `moving = update(moving, sent, noise, first, slot)`.

    Step `first + i` of a window takes the key `fold_in(noise, first + i)`, and writes its loss at `slot + i`. The loop
    ends behind a step after which nothing may change any more. How long a window is changes no bit: the program is
    the same for all lengths. `traces` counts the shapes of batches that were compiled for.

    `noise` are the bits of the key (`jax.random.key_data`): with the key itself each call would take JAX's slow path.
    """

    chunk: int | None = None

    def __init__(self, gathers: Gathers = (as_it_is,)):
        self.gathers, self.traces = gathers, 0
        self._compiled = jax.jit(self._steps, donate_argnums=0)

    @abc.abstractmethod
    def step(self, moving: TrainState, examples: Examples, key: Any, slot: Int[Array, ""]) -> TrainState:
        """One step, as it is traced."""

    def __call__(self, moving: TrainState, sent: Sent, noise: Any, first: int, slot: int) -> TrainState:
        numbers = np.array([first, slot, sent.count], np.int32)
        return self._compiled(moving, sent.data, sent.shapes, sent.rows, noise, numbers)

    def _steps(self, moving: TrainState, data: Any, shapes: Any, rows: Any, noise: Any, numbers: Any) -> TrainState:
        self.traces += len(self.gathers)  # runs while JAX traces, and at no other time
        noise, (first, slot, count) = jax.random.wrap_key_data(noise), numbers

        def one(gather: Any) -> Callable[[Any, TrainState, Any], TrainState]:
            def run(i: Any, moving: TrainState, row: Any) -> TrainState:
                # A batch is a value of its own: what was made for it is not computed again inside the step.
                examples = jax.lax.optimization_barrier(gather(data, row))
                return self.step(moving, examples, jax.random.fold_in(noise, first + i), slot + i)

            return run

        kinds = [one(gather) for gather in self.gathers]

        def body(carry: tuple[Any, TrainState]) -> tuple[Any, TrainState]:
            i, moving = carry
            row = jax.tree.map(lambda a: a[i], rows)
            moving = jax.lax.switch(shapes[i], kinds, i, moving, row) if len(kinds) > 1 else kinds[0](i, moving, row)
            return i + 1, moving

        more = lambda carry: (carry[0] < count) & carry[1].live
        return jax.lax.while_loop(more, body, (jnp.zeros((), jnp.int32), moving))[1]


def copied(arrays: PyTree[Any]) -> PyTree[Any]:
    """The same arrays in buffers of their own; moved and not computed, which would compile a program for each shape."""
    return jax.tree.map(lambda a: jax.device_put(a, a.sharding if a.committed else None, may_alias=False), arrays)


def untold() -> tuple[Array, Array, Array]:
    """`losses`, `bad` and `live` before the first step of a window."""
    losses, bad = np.zeros(WINDOW, jnp.result_type(float)), np.zeros(WINDOW, bool)
    return jax.device_put((losses, bad, np.ones((), bool)))


def all_finite(tree: PyTree[Any]) -> Bool[Array, ""]:
    """Whether every number in the tree is finite."""
    leaves = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]
    return jnp.all(jnp.stack(leaves)) if leaves else jnp.ones((), bool)
