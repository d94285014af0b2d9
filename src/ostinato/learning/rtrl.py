"""Exact gradients that go forward with time: real-time recurrent learning, and its cheaper form in blocks.

Williams and Zipser, Neural Computation 1 (1989); the form in blocks: Williams, "Complexity of exact gradient
computation algorithms for recurrent neural networks" (1989), Schmidhuber, Neural Computation 4 (1992).
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from ostinato.cells.local import along, follow
from ostinato.errors import SettingsError
from ostinato.learning.base import Approximate, Exact, Loss, Refusal
from ostinato.learning.dynamics import Dynamics, Item, Locality, differentiable
from ostinato.learning.online import OnlineRule
from ostinato.types import State


class HybridRTRL(OnlineRule):
    r"""Blocks of steps: back-propagation inside a block, forward derivatives from block to block; exact.

    With $P = \partial s_{t_0} / \partial \theta$ at the start of a block and $\delta$ the error that arrives there,

    $$\nabla = \nabla_{\text{block}} + \delta\, P,\qquad
      P' = \frac{\partial s_{t_1}}{\partial \theta}\Big|_{s_{t_0}} + \frac{\partial s_{t_1}}{\partial s_{t_0}} P$$

    where the second line takes one more backward pass through the block for each number of the state. With as many
    steps in a block as there are numbers in the state, which is the default, the cost of a step is that of n³ for n
    units instead of RTRL's n⁴, and storage does not grow with time. A chunk ends a block: chunks of one step cost what
    RTRL costs.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> model = ost.RNN("elman", 2, 4, output_size=1, key=jax.random.key(0))
    >>> examples = ost.Examples(ost.SequenceBatch(jnp.ones((3, 9, 2))), jnp.zeros((3, 9, 1)), jnp.ones((3, 9)))
    >>> HybridRTRL().init(model, examples).traces.shape
    (3, 4, 28)

    ```
    """

    steps: int | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise SettingsError(f"steps: expected 1 or more in a block, got {self.steps}")

    def holds(self, model: Any) -> Exact | Approximate | Refusal:
        del model
        return Exact("back-propagation within blocks, all forward derivatives from block to block")

    def block(self, view: Dynamics) -> int:
        return sum(view.sizes) if self.steps is None else self.steps

    def first(self, view: Dynamics, leaves: list[Array], key: PRNGKeyArray) -> Array:
        del key
        return start_jacobian(view, leaves)

    def advance(
        self,
        view: Dynamics,
        leaves: list[Array],
        loss: Loss,
        items: Item,
        state: State,
        traces: Array,
        key: PRNGKeyArray,
    ) -> tuple[Array, list[Array], State, Array]:
        del key
        return _dense(view, leaves, loss, items, state, traces)


class RTRL(OnlineRule):
    r"""Real-time recurrent learning: the derivatives of the state with respect to all weights go along with it.

    $$P_t = \frac{\partial s_t}{\partial \theta} + \frac{\partial s_t}{\partial s_{t-1}} P_{t-1},\qquad
      \nabla_t = \frac{\partial \ell_t}{\partial \theta} + \frac{\partial \ell_t}{\partial s_{t-1}} P_{t-1}$$

    Exact for every causal network, one step at a time, in storage that does not grow with time. For n fully recurrent
    units P has n³ entries and a step costs n⁴. Where no unit's state depends on another one's (`tracing.unit_axes`
    reads it from the step), P is diagonal: a trace for each weight, and a step costs as much as the forward pass. This
    is so for a single recurrent layer such as IndRNN, the memory of RECOLLECT, or your own. In a deeper stack the lower
    layers' weights move every unit above them, and the dense form is taken. `applies(model).why` says which it is.

    `diagonal`: None takes the diagonal form where it holds; False never; True refuses a network without it.

    ```python
    >>> import jax, ostinato as ost
    >>> RTRL().applies(ost.RNN("indrnn", 2, 4, output_size=1, key=jax.random.key(0))).why
    'forward derivatives, diagonal: one trace for each weight'
    >>> RTRL().applies(ost.RNN("elman", 2, 4, output_size=1, key=jax.random.key(0))).why
    'forward derivatives, dense (units meet in dot_general)'

    ```
    """

    diagonal: bool | None = eqx.field(static=True, default=None)

    def holds(self, model: Any) -> Exact | Approximate | Refusal:
        view = self.view(model)
        found = self._local(view)
        if not view.moving:
            return Exact("no weight moves its state: there are no forward derivatives")
        if isinstance(found, Locality):
            return Exact("forward derivatives, diagonal: one trace for each weight")
        if self.diagonal:
            return Refusal(f"the derivative of its state is not diagonal: {found}")
        return Exact(f"forward derivatives, dense ({found})")

    def first(self, view: Dynamics, leaves: list[Array], key: PRNGKeyArray) -> Any:
        del key
        return no_traces(view, leaves) if isinstance(self._local(view), Locality) else start_jacobian(view, leaves)

    def advance(
        self, view: Dynamics, leaves: list[Array], loss: Loss, items: Item, state: State, traces: Any, key: PRNGKeyArray
    ) -> tuple[Array, list[Array], State, Any]:
        del key
        found = self._local(view)
        if isinstance(found, Locality):
            return local_step(view, found, leaves, loss, items, state, traces)
        return _dense(view, leaves, loss, items, state, traces)

    def _local(self, view: Dynamics) -> Locality | str:
        return "as asked for" if self.diagonal is False else view.local()


def local_step(
    view: Dynamics,
    local: Locality,
    leaves: list[Array],
    loss: Loss,
    items: Item,
    state: State,
    traces: list[list[Array]],
) -> tuple[Array, list[Array], State, list[list[Array]]]:
    """A step with one trace for each moving weight and field of the state."""
    fields, join = differentiable(state)

    def value(leaves: list[Array], fields: list[Array]) -> tuple[Array, State]:
        return view.run(leaves, join(fields), items, loss)

    total, pull, after = jax.vjp(value, leaves, fields, has_aux=True)
    grads, errors = pull(jnp.ones_like(total))
    for error, of_field in zip(errors, traces, strict=True):
        credit = [along(error, e, axis) * e for e, axis in zip(of_field, local.axes, strict=True)]
        grads = view.placed([g + c for g, c in zip(view.moved(grads), credit, strict=True)], grads)

    def new(moving: list[Array], fields: list[Array]) -> list[Array]:
        return differentiable(view.run(view.placed(moving, leaves), join(fields), items, loss)[1])[0]

    moved = follow(new, view.moved(leaves), fields, traces, local.axes)
    return total, grads, after, moved.traces


def no_traces(view: Dynamics, leaves: list[Array]) -> list[list[Array]]:
    """The local traces before the first step: those of a trainable initial state, else zeros."""
    fields, pull = jax.vjp(lambda moving: view.start(view.placed(moving, leaves)), view.moved(leaves))
    ones = [
        [jnp.ones_like(f) if k == l else jnp.zeros_like(f) for l, f in enumerate(fields)] for k in range(len(fields))
    ]
    return [pull(one)[0] for one in ones]


def start_jacobian(view: Dynamics, leaves: list[Array]) -> Array:
    """The derivative of the initial state with respect to the moving weights, `(state, weights)`."""

    def start(flat: Array) -> Array:
        return view.ravel(view.start(view.placed(back(flat), leaves)))[0]

    flat, back = view.ravel(view.moved(leaves))
    if view.starting:
        return jax.jacrev(start)(flat)
    return jnp.zeros((sum(view.sizes), flat.size), flat.dtype)


def _dense(
    view: Dynamics, leaves: list[Array], loss: Loss, items: Item, state: State, P: Array
) -> tuple[Array, list[Array], State, Array]:
    """A block with the whole matrix of derivatives."""
    fields, join = differentiable(state)
    flat, split = view.ravel(fields)

    def run(leaves: list[Array], flat: Array) -> tuple[tuple[Array, Array], State]:
        value, after = view.run(leaves, join(split(flat)), items, loss)
        return (value, view.ravel(differentiable(after)[0])[0]), after

    (total, end), pull, after = jax.vjp(run, leaves, flat, has_aux=True)
    grads, error = pull((jnp.ones_like(total), jnp.zeros_like(end)))
    own, back = view.ravel(view.moved(grads))
    grads = view.placed(back(own + error @ P), grads)

    def row(one: Array) -> tuple[Array, Array]:
        of_weights, of_state = pull((jnp.zeros_like(total), one))
        return view.ravel(view.moved(of_weights))[0], of_state

    immediate, through = jax.vmap(row)(jnp.eye(end.size, dtype=end.dtype))
    return total, grads, after, immediate + through @ P
