"""What every kernel is given and gives back: one cell, time-major arrays, one flat batch axis.

The reference: the step of the contract, scanned; nothing is hoisted. It is the meaning that the other kernels must
equal.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int, Key, PRNGKeyArray

from ostinato.types import State

# Folded into a step's key to make the key of the initial state that a reset at this step draws.
INIT = 0x696E6974


class LoopInputs(NamedTuple):
    """One run of one cell through time, time-major with a flat batch.

    * `xs`: `(time, batch, features)`; `mask`, `reset`, `dt`: `(time, batch)` or None.
    * `key` and `start`: step t of row b has the key `fold_in(fold_in(key, start + t), b)`, then folded by `path`,
      which names the layer inside a stack.
    * `reverse`: from the last step to the first; `keep_states`: also give the state after every step.
    """

    xs: Float[Array, "time batch features"]
    mask: Bool[Array, "time batch"] | None = None
    reset: Bool[Array, "time batch"] | None = None
    dt: Float[Array, "time batch"] | None = None
    key: PRNGKeyArray | None = None
    start: Int[Array, ""] | int = 0
    path: tuple[int, ...] = ()
    reverse: bool = False
    keep_states: bool = False

    @property
    def time(self) -> int:
        return self.xs.shape[0]

    @property
    def batch(self) -> int:
        return self.xs.shape[1]


class LoopOutputs(NamedTuple):
    """Outputs `(time, batch, output)`, the final state, and the states after every step where they were asked for."""

    ys: Array
    final: State
    states: State | None


def select(where: Array, new: State, old: State) -> State:
    """`new` where the flag holds, `old` elsewhere, for every leaf; the flag has the leading axes of `old`.

    `new` may lack leading axes: one initial state serves all rows.
    """

    def pick(a: Array, b: Array) -> Array:
        flag = where.reshape(where.shape + (1,) * (jnp.ndim(b) - where.ndim))
        return jnp.where(flag, jnp.broadcast_to(a, jnp.shape(b)), b)

    return jax.tree.map(pick, new, old)


def step(cell: Any, inputs: tuple[Array, Any, Any, Any, Any], state: State) -> tuple[State, Array]:
    """One step of one sequence with its mask and reset.

    It is what the reference scans and every learning rule differentiates. `inputs` is
    `(x, mask, reset, dt, key)`; all but `x` may be None. A reset replaces the state first; a masked step keeps the
    state and gives zero, and its input is zeroed so that a NaN in the padding reaches no gradient.
    """
    x, mask, reset, dt, key = inputs
    if reset is not None:
        state = select(reset, cell.init_state(key=None if key is None else jr.fold_in(key, INIT)), state)
    if mask is None:
        return cell(x, state, dt=dt, key=key)
    x = jnp.where(mask, x, jnp.zeros_like(x))
    dt = None if dt is None else jnp.where(mask, dt, jnp.ones_like(dt))
    new, y = cell(x, state, dt=dt, key=key)
    return select(mask, new, state), jnp.where(mask, y, jnp.zeros_like(y))


def row_keys(loop: LoopInputs, t: Array, init: bool = False) -> Key[Array, " batch"] | None:
    """The keys of step t, one for each row, folded down to this layer."""
    if loop.key is None:
        return None
    step_key = jr.fold_in(loop.key, jnp.asarray(loop.start + t, jnp.uint32))

    def one(row: Array) -> PRNGKeyArray:
        key = jr.fold_in(step_key, row)
        return fold_path(jr.fold_in(key, INIT) if init else key, loop.path)

    return jax.vmap(one)(jnp.arange(loop.batch, dtype=jnp.uint32))


def fold_path(key: PRNGKeyArray, path: tuple[int, ...]) -> PRNGKeyArray:
    """The key of a layer inside a stack."""
    for index in path:
        key = jr.fold_in(key, index)
    return key


def reference(cell: Any, loop: LoopInputs, state: State) -> LoopOutputs:
    """The step, scanned over time and mapped over the batch."""

    def body(carry: State, inputs: Any) -> tuple[State, Any]:
        t, x, mask, reset, dt = inputs
        key = row_keys(loop, t)
        if key is not None and reset is not None:
            # The reset's key is folded by INIT before the layer's path, as a stack's own init_state does.
            start = jax.vmap(lambda k: cell.init_state(key=k))(row_keys(loop, t, init=True))
            carry = select(reset, start, carry)
            reset = None
        carry, y = jax.vmap(lambda i, s: step(cell, i, s))((x, mask, reset, dt, key), carry)
        return carry, (y, carry if loop.keep_states else None)

    inputs = (jnp.arange(loop.time, dtype=jnp.int32), loop.xs, loop.mask, loop.reset, loop.dt)
    final, (ys, states) = jax.lax.scan(body, state, inputs, reverse=loop.reverse)
    return LoopOutputs(ys, final, states)


def pointwise(cell: Any, loop: LoopInputs, state: State) -> LoopOutputs:
    """A cell without memory: all steps at once."""

    def one(t: Array, x: Array, mask: Any, dt: Any) -> Array:
        key = row_keys(loop, t)
        return jax.vmap(lambda i, s: step(cell, i, s)[1])((x, mask, None, dt, key), state)

    ys = jax.vmap(one)(jnp.arange(loop.time, dtype=jnp.int32), loop.xs, loop.mask, loop.dt)
    return LoopOutputs(ys, state, None)
