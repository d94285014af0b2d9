"""The scan with the input product hoisted: `W x + b` of all steps at once, before the loop; plain autodiff."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ostinato.kernels.loop import LoopInputs, LoopOutputs, select
from ostinato.types import State


def project_all(cell: Any, loop: LoopInputs) -> Array:
    """The input product of every step, `(time, batch, gates, hidden)`; masked inputs are zeroed first."""
    xs = loop.xs if loop.mask is None else jnp.where(loop.mask[..., None], loop.xs, jnp.zeros_like(loop.xs))
    return jax.vmap(jax.vmap(cell.project))(xs)


def safe_dt(loop: LoopInputs) -> Array | None:
    """Time steps with ones where masked."""
    if loop.dt is None or loop.mask is None:
        return loop.dt
    return jnp.where(loop.mask, loop.dt, jnp.ones_like(loop.dt))


def initial_rows(cell: Any, loop: LoopInputs) -> State | None:
    """What a reset puts in place of the state, unbatched; None where there are no resets."""
    return None if loop.reset is None else cell.init_state()


def product(R: Array, b_h: Array | None, hidden: Array) -> Array:
    """`R h + b_h` for a batch of rows: `(batch, gates, hidden)`."""
    gates, size, inner = R.shape
    flat = (hidden @ R.reshape(gates * size, inner).T).reshape(hidden.shape[0], gates, size)
    return flat if b_h is None else flat + b_h[None]


def hoisted_input(cell: Any, loop: LoopInputs, state: State) -> LoopOutputs:
    """The loop with only the recurrent product and the update inside."""
    recurrent = cell.recurrent()
    start = initial_rows(cell, loop)

    def body(carry: State, inputs: Any) -> tuple[State, Any]:
        from_input, mask, reset, dt = inputs
        if reset is not None:
            carry = select(reset, start, carry)
        from_hidden = None
        if recurrent is not None:
            from_hidden = product(recurrent[0], recurrent[1], jax.vmap(cell.hidden)(carry))
        new, y = jax.vmap(cell.update)(from_input, from_hidden, carry, dt)
        if mask is not None:
            new, y = select(mask, new, carry), jnp.where(mask[:, None], y, jnp.zeros_like(y))
        return new, (y, new if loop.keep_states else None)

    inputs = (project_all(cell, loop), loop.mask, loop.reset, safe_dt(loop))
    final, (ys, states) = jax.lax.scan(body, state, inputs, reverse=loop.reverse)
    return LoopOutputs(ys, final, states)
