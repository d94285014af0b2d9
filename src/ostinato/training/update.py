"""One training step: gradients by the rule, update by Optax, all finite.

`DirectUpdate` (direct.py) is the same for rules that change weights themselves.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, PyTree

from ostinato.cells.base import Cell
from ostinato.cells.fixed import without_fixed
from ostinato.data import Examples
from ostinato.data.stored import as_it_is
from ostinato.kernels import choose
from ostinato.learning import GradientRule
from ostinato.training.window import Gathers, TrainState, WindowUpdate, all_finite, copied, untold


class Update(WindowUpdate):
    r"""Steps by gradients: `moving = update(moving, sent, noise, first, slot)` makes a window of them.

    $$v, g = \mathrm{rule}(\theta, \text{batch}),\quad u, o = \mathrm{optimizer}(g, o, \theta),\quad
      \theta \leftarrow \mathrm{constrain}(\theta + u)$$

    With `chunk` the batch is cut in time and this is done for each piece, the rule's carry running through. Where the
    value, a gradient or a new weight is not finite, nothing of the batch is taken over and `bad[slot]` is set; with
    `freeze` nothing is taken over from then on, until the host has seen to it.
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
        gathers: Gathers = (as_it_is,),
    ):
        super().__init__(gathers)
        self.rule, self.loss, self.chunk, self.constrain = rule, loss, chunk, constrain
        self.optimizer = optax.with_extra_args_support(optimizer)
        self._freeze = freeze
        # The model's own buffers stay its owner's: only copies are handed over.
        self._fixed = eqx.partition((model, opt_state), eqx.is_array)[1]

    def start(self, model: PyTree[Any], opt_state: PyTree[Any]) -> TrainState:
        """The device's side of a state; the arguments stay usable."""
        model, opt_state = copied(eqx.filter((model, opt_state), eqx.is_array))
        return TrainState(model, opt_state, *untold())

    def state(self, moving: TrainState) -> tuple[PyTree[Any], PyTree[Any]]:
        """Model and optimiser state, to be kept as long as one likes."""
        return eqx.combine(copied((moving.model, moving.opt_state)), self._fixed)

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

    def step(self, moving: TrainState, examples: Examples, key: Any, slot: Int[Array, ""]) -> TrainState:
        model, _ = eqx.combine((moving.model, moving.opt_state), self._fixed)
        carry = self.carry(model, examples)
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


def kernel_paths(model: Any, rows: int) -> dict[str, str]:
    """Which kernel runs each cell of a model on batches of so many rows, by the cell's name on the tape."""
    layer = getattr(getattr(model, "rnn", model), "stack", model)
    if hasattr(layer, "parts"):
        found = {name: kernel_paths(part, rows) for name, part in layer.parts().items()}
        return {
            f"{name}/{inner}".rstrip("/"): kernel for name, paths in found.items() for inner, kernel in paths.items()
        }
    return {"": choose(layer, batch=rows).kernel} if isinstance(layer, Cell) and not layer.pointwise else {}
