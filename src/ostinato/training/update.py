"""One training step, compiled once for each shape of batch: gradients by the rule, update by Optax, all finite.

`DirectUpdate` (direct.py) is the same for rules that change weights themselves.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, PyTree

from ostinato.cells.base import Cell
from ostinato.cells.fixed import without_fixed
from ostinato.data import Examples
from ostinato.kernels import choose
from ostinato.learning import GradientRule

WINDOW = 16
"""Steps that are sent off before their losses are fetched: the host never waits for a single step."""

MOST_SHARED = 16
"""Compiled updates that are kept for the next call with the same model, loss, rule and optimiser."""

_SHARED: dict[Any, Any] = {}


class TrainState(eqx.Module):
    """What changes on the device from step to step. Its buffers are handed over to the next step: never keep them.

    `measured` and `ends` are what a direct rule says of each step of the window; empty for rules that give gradients.
    """

    model: PyTree[Any]
    opt_state: PyTree[Any]
    losses: Float[Array, " window"]
    bad: Bool[Array, " window"]
    live: Bool[Array, ""]
    measured: dict[str, Float[Array, " window"]] = eqx.field(default_factory=dict)
    ends: dict[str, Bool[Array, " window"]] = eqx.field(default_factory=dict)


class Update:
    r"""`moving = update(moving, examples, noise, step, slot)`; the key of a step is `fold_in(noise, step)`.

    `noise` are the bits of the key (`jax.random.key_data`): with the key itself each call would take JAX's slow path.

    $$v, g = \mathrm{rule}(\theta, \text{batch}),\quad u, o = \mathrm{optimizer}(g, o, \theta),\quad
      \theta \leftarrow \mathrm{constrain}(\theta + u)$$

    With `chunk` the batch is cut in time and this is done for each piece, the rule's carry running through. Where the
    value, a gradient or a new weight is not finite, nothing of the batch is taken over and `bad[slot]` is set; with
    `freeze` nothing is taken over from then on, until the host has seen to it. `traces` counts compilations.
    """

    def __init__(
        self,
        model: PyTree[Any],
        opt_state: PyTree[Any],
        *,
        rule: GradientRule,
        loss: Callable[..., Any],
        optimizer: optax.GradientTransformation,
        chunk: int | None,
        constrain: Callable[[Any], Any] | None,
        freeze: bool,
    ):
        self.rule, self.loss, self.chunk, self.constrain = rule, loss, chunk, constrain
        self.optimizer = optax.with_extra_args_support(optimizer)
        self.traces = 0
        self._freeze = freeze
        # The model's own buffers stay its owner's: only copies are handed over.
        self._fixed = eqx.partition((model, opt_state), eqx.is_array)[1]
        self._compiled = jax.jit(self._step, donate_argnums=0)

    def start(self, model: PyTree[Any], opt_state: PyTree[Any]) -> TrainState:
        """The device's side of a state; the arguments stay usable."""
        model, opt_state = copied(eqx.filter((model, opt_state), eqx.is_array))
        return TrainState(model, opt_state, *untold())

    def state(self, moving: TrainState) -> tuple[PyTree[Any], PyTree[Any]]:
        """Model and optimiser state, to be kept as long as one likes."""
        return eqx.combine(copied((moving.model, moving.opt_state)), self._fixed)

    def __call__(self, moving: TrainState, examples: Examples, noise: Any, step: int, slot: int) -> TrainState:
        return self._compiled(moving, examples, noise, np.int32(step), np.int32(slot))

    def carry(self, model: Any, examples: Examples) -> Any:
        """What the pieces of a batch hand on, before the first of them."""
        return self.rule.init(model, examples)

    def piece(
        self, model: Any, opt_state: Any, carry: Any, examples: Examples, key: Any
    ) -> tuple[PyTree[Any], PyTree[Any], Any, Any, PyTree[Any]]:
        """One update: the new model, optimiser state and carry; the value and the gradients."""
        value, grads, carry = self.rule(model, self.loss, examples, carry, key)
        weights, grads = eqx.filter(model, eqx.is_inexact_array), without_fixed(grads, model)
        # Optax counts on numbers of different types meeting; where the program is stricter, that is not for Optax.
        with jax.numpy_dtype_promotion("standard"):
            updates, opt_state = self.optimizer.update(grads, opt_state, weights, value=value)
        # Once more after it: weight decay knows nothing of weights that are kept.
        model = eqx.apply_updates(model, without_fixed(updates, model))
        if self.constrain is not None:
            model = self.constrain(model)
        return model, opt_state, carry, value, grads

    def _step(
        self, moving: TrainState, examples: Examples, noise: Any, step: Int[Array, ""], slot: Int[Array, ""]
    ) -> TrainState:
        self.traces += 1  # runs while JAX traces, and at no other time
        noise = jax.random.wrap_key_data(noise)
        model, _ = eqx.combine((moving.model, moving.opt_state), self._fixed)
        key, carry = jax.random.fold_in(noise, step), self.carry(model, examples)
        done = (moving.model, moving.opt_state, carry, jnp.zeros((), moving.losses.dtype), jnp.ones((), bool))

        def one(done: Any, part: Examples) -> Any:
            arrays, opt_arrays, carry, total, fine = done
            model, opt_state = eqx.combine((arrays, opt_arrays), self._fixed)
            model, opt_state, carry, value, grads = self.piece(model, opt_state, carry, part, key)
            fine &= all_finite((value, grads, eqx.filter(model, eqx.is_inexact_array)))
            arrays, opt_arrays = eqx.filter((model, opt_state), eqx.is_array)
            return arrays, opt_arrays, carry, total + value.astype(total.dtype), fine

        time, size = examples.inputs.time_size, self.chunk
        if size is None or size >= time:
            done = one(done, examples)
        else:
            whole, axis = time - time % size, examples.weight.ndim - 1

            def body(done: Any, start: Any) -> tuple[Any, None]:
                cut = lambda a: jax.lax.dynamic_slice_in_dim(a, start, size, axis=axis)
                return one(done, jax.tree.map(cut, examples)), None

            done, _ = jax.lax.scan(body, done, jnp.arange(0, whole, size, dtype=jnp.int32))
            if whole < time:
                done = one(done, examples.window(whole, time))
        arrays, opt_arrays, _, total, fine = done
        taken = fine & moving.live
        keep = lambda new, old: jnp.where(taken, new, old)
        arrays, opt_arrays = jax.tree.map(keep, (arrays, opt_arrays), (moving.model, moving.opt_state))
        return TrainState(
            arrays,
            opt_arrays,
            moving.losses.at[slot].set(total),
            moving.bad.at[slot].set(~fine),
            moving.live & (fine | (not self._freeze)),
        )


def shared_update(kind: Callable[..., Any], model: PyTree[Any], opt_state: PyTree[Any], **options: Any) -> Any:
    """An update of that kind for a model and options: one that has been compiled before where everything is equal.

    Equal is said of what is no array; functions such as the loss and the optimiser are equal only to themselves.
    """
    leaves, structure = jax.tree.flatten(eqx.partition((model, opt_state), eqx.is_array)[1])
    types = tuple((type(leaf), leaf) for leaf in leaves)
    key = (kind, structure, types, *sorted(options.items(), key=lambda item: item[0]))
    try:
        found = _SHARED.pop(key, None)
    except TypeError:  # something cannot be hashed: a rule that holds arrays
        return kind(model, opt_state, **options)
    _SHARED[key] = found or kind(model, opt_state, **options)
    while len(_SHARED) > MOST_SHARED:
        del _SHARED[next(iter(_SHARED))]
    return _SHARED[key]


def copied(arrays: PyTree[Any]) -> PyTree[Any]:
    """The same arrays in buffers of their own; moved and not computed, which would compile a program for each shape."""
    return jax.tree.map(lambda a: jax.device_put(a, a.sharding if a.committed else None, may_alias=False), arrays)


def untold() -> tuple[Array, Array, Array]:
    """`losses`, `bad` and `live` before the first step of a window."""
    losses, bad = np.zeros(WINDOW, jnp.result_type(float)), np.zeros(WINDOW, bool)
    return jax.device_put((losses, bad, np.ones((), bool)))


def kernel_paths(model: Any, rows: int) -> dict[str, str]:
    """Which kernel runs each cell of a model on batches of so many rows, by the cell's name on the tape."""
    layer = getattr(getattr(model, "rnn", model), "stack", model)
    if hasattr(layer, "parts"):
        found = {name: kernel_paths(part, rows) for name, part in layer.parts().items()}
        return {
            f"{name}/{inner}".rstrip("/"): kernel for name, paths in found.items() for inner, kernel in paths.items()
        }
    return {"": choose(layer, batch=rows).kernel} if isinstance(layer, Cell) and not layer.pointwise else {}


def all_finite(tree: PyTree[Any]) -> Bool[Array, ""]:
    """Whether every number in the tree is finite."""
    leaves = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]
    return jnp.all(jnp.stack(leaves)) if leaves else jnp.ones((), bool)
