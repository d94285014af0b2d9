"""One step of a rule that changes the weights itself: the loop's other half."""

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from ostinato.data import Examples
from ostinato.data.stored import as_it_is
from ostinato.learning import UpdateRule
from ostinato.training.window import WINDOW, Gathers, Sent, TrainState, WindowUpdate, all_finite, copied, untold


class DirectUpdate(WindowUpdate):
    r"""Steps of a rule of their own, as `Update` makes its own; the carry is the optimiser's state.

    $$c, m = \mathrm{rule.step}(c, \text{batch}),\qquad \theta = \mathrm{rule.model}(c)$$

    Where the loss or a weight of the network is not finite, nothing of the step is taken over. After a step in which
    one of the rule's `ends` holds nothing changes any more.
    """

    def __init__(
        self,
        model: PyTree[Any],
        opt_state: PyTree[Any],
        *,
        rule: UpdateRule,
        loss: Callable[..., Any],
        freeze: bool,
        gathers: Gathers = (as_it_is,),
    ):
        super().__init__(gathers)
        del model
        self.rule, self.loss = rule, loss
        self._freeze = freeze
        self._fixed = eqx.partition(opt_state, eqx.is_array)[1]
        self._model = eqx.filter_jit(rule.model)

    def start(self, model: PyTree[Any], opt_state: PyTree[Any]) -> TrainState:
        """The device's side of a carry; the argument stays usable."""
        del model
        return TrainState(None, copied(eqx.filter(opt_state, eqx.is_array)), *untold())

    def state(self, moving: TrainState) -> tuple[PyTree[Any], PyTree[Any]]:
        """Model and carry, to be kept as long as one likes."""
        carry = eqx.combine(copied(moving.opt_state), self._fixed)
        return self._model(carry), carry

    def __call__(self, moving: TrainState, sent: Sent, noise: Any, first: int, slot: int) -> TrainState:
        if not moving.measured:
            moving = self._named(moving, sent, noise)
        return super().__call__(moving, sent, noise, first, slot)

    def carry(self, model: Any, examples: Examples) -> None:
        """Nothing: a batch is one piece."""
        del model, examples

    def piece(
        self, model: Any, opt_state: Any, carry: Any, examples: Examples, key: Any
    ) -> tuple[PyTree[Any], PyTree[Any], Any, Any, PyTree[Any]]:
        """One step: the new model and carry, and the loss; there are no gradients."""
        del model
        opt_state, metrics = self.rule.step(opt_state, self.loss, examples, key)
        return self.rule.model(opt_state), opt_state, carry, next(iter(metrics.values())), {}

    def step(self, moving: TrainState, examples: Examples, key: Any, slot: Int[Array, ""]) -> TrainState:
        before = eqx.combine(moving.opt_state, self._fixed)
        after, metrics = self.rule.step(before, self.loss, examples, key)
        value = next(iter(metrics.values()))
        fine = all_finite((value, eqx.filter(self.rule.model(after), eqx.is_inexact_array)))
        taken = fine & moving.live
        keep = lambda new, old: jnp.where(taken, new, old)
        arrays = jax.tree.map(keep, eqx.filter(after, eqx.is_array), moving.opt_state)
        ends = self.rule.ends(metrics)
        ended = taken & jnp.any(jnp.stack(list(ends.values()))) if ends else jnp.zeros((), bool)
        return TrainState(
            None,
            arrays,
            moving.losses.at[slot].set(value.astype(moving.losses.dtype)),
            moving.bad.at[slot].set(~fine),
            moving.live & (fine | (not self._freeze)) & ~ended,
            {name: a.at[slot].set(metrics[name]) for name, a in moving.measured.items()},
            {name: a.at[slot].set(ends[name]) for name, a in moving.ends.items()},
        )

    def _named(self, moving: TrainState, sent: Sent, noise: Any) -> TrainState:
        """With room for what the rule measures, so that the first step and the others are one program."""

        def found(arrays: Any, data: Any, rows: Any, key: Any) -> Any:
            before, key = eqx.combine(arrays, self._fixed), jax.random.wrap_key_data(key)
            examples = self.gathers[0](data, jax.tree.map(lambda a: a[0], rows))
            _, metrics = self.rule.step(before, self.loss, examples, key)
            return metrics, self.rule.ends(metrics)

        shapes = jax.eval_shape(found, moving.opt_state, sent.data, sent.rows, noise)
        measured, ends = ({name: jnp.zeros(WINDOW, a.dtype) for name, a in part.items()} for part in shapes)
        return dataclasses.replace(moving, measured=measured, ends=ends)
