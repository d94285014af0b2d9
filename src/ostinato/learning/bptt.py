"""Back-propagation through time (Werbos, Proc. IEEE 78, 1990)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from ostinato.data.batch import Examples
from ostinato.kernels import select
from ostinato.learning.base import Approximate, Exact, GradientRule, Loss, Refusal, outputs, start_state, weighted_loss
from ostinato.types import State


class StateCarry(NamedTuple):
    """The state after the chunks so far and the number of their steps."""

    state: State
    step: Int[Array, ""]


class BPTT(GradientRule):
    r"""Reverse-mode differentiation through every step of the chunk it is given.

    $$\nabla_\theta \sum_t w_t\, \ell(y_t, y^*_t),\qquad s_t, y_t = \mathrm{cell}_\theta(x_t, s_{t-1})$$

    Exact on whole sequences, for every model. On chunks the state goes on and errors stop at the chunk's start. It is
    the oracle of every other rule.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> model = ost.RNN("gru", 2, 4, output_size=1, key=jax.random.key(0))
    >>> xs = ost.SequenceBatch(jnp.ones((3, 5, 2)))
    >>> examples = ost.Examples(xs, jnp.zeros((3, 5, 1)), jnp.full((3, 5), 1 / 15))
    >>> rule = BPTT()
    >>> value, grads, carry = rule(model, lambda y, t: jnp.sum((y - t) ** 2), examples, rule.init(model, examples))
    >>> bool(value > 0), int(carry.step)
    (True, 5)

    ```
    """

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        del model
        return Exact("reverse mode through every step of a whole sequence")

    def init(self, model: Any, examples: Examples) -> StateCarry:
        state = start_state(model, examples.inputs.batch_shape, None)
        return StateCarry(jax.tree.map(jax.lax.stop_gradient, state), jnp.asarray(0, jnp.int32))

    def __call__(
        self, model: Any, loss: Loss, examples: Examples, carry: StateCarry, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], PyTree, StateCarry]:
        @eqx.filter_value_and_grad(has_aux=True)
        def value(model: Any) -> tuple[Float[Array, ""], State]:
            # At the first step the state is made from the model again, so that a trainable one gets its gradient.
            fresh = start_state(model, examples.inputs.batch_shape, key)
            state = select(carry.step == 0, fresh, carry.state)
            ys, final = outputs(model, examples.inputs, state, key, carry.step)
            return weighted_loss(loss, ys, examples), final

        (total, final), grads = value(model)
        return total, grads, StateCarry(final, carry.step + examples.inputs.time_size)
