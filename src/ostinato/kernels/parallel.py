r"""Steps side by side, where each is an affine function of the state: an associative scan instead of a loop.

$$s_t = J_t s_{t-1} + m_t\quad\Rightarrow\quad
  (J_2, m_2) \circ (J_1, m_1) = (J_2 J_1,\; J_2 m_1 + m_2)$$

Pairs are joined in a tree (Blelloch 1990), about $2 \log_2 T$ rounds for T steps. On a machine with a few cores that is
more work than the loop; it is for machines that do many products at once. Whether a cell is of this form is found from
its traced step, and never by a name.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ostinato.kernels.loop import LoopInputs, LoopOutputs, select
from ostinato.kernels.scan import project_all, safe_dt
from ostinato.tracing.units import Mixed, influences, unit_axes
from ostinato.types import State


def not_affine(cell: Any, timed: bool = False) -> str | None:
    """Why the steps of a gated cell are no affine functions of its state, unit by unit; None where they are."""
    name = type(cell).__name__
    if cell.recurrent() is not None:
        return f"{name} has a recurrent product"
    state = cell.init_state()
    leaves, structure = jax.tree.flatten(state)
    if len(leaves) != 1:
        return f"the state of {name} has {len(leaves)} arrays"

    def moved(x: Array, h: Array, dt: Array) -> Array:
        from_input = cell.project(x)
        new, _ = cell.update(from_input, None, jax.tree.unflatten(structure, [h]), dt if timed else None)
        return jax.tree.leaves(new)[0]

    x, dt = jnp.zeros(cell.input_size, leaves[0].dtype), jnp.ones((), leaves[0].dtype)
    try:
        unit_axes(jax.make_jaxpr(lambda h: moved(x, h, dt))(leaves[0]), (0,))
    except Mixed as mixed:
        return f"units of {name} see one another ({mixed})"
    # A function is affine where its derivative does not depend on where it is taken.
    slope = jax.make_jaxpr(lambda h, to: jax.jvp(lambda h: moved(x, h, dt), (h,), (to,))[1])(leaves[0], leaves[0])
    return f"the state of {name} goes through a non-linear function" if 0 in influences(slope)[0] else None


def recurrence(
    slopes: Float[Array, "time *rest"], added: Float[Array, "time batch units"], start: Float[Array, "batch units"]
) -> Float[Array, "time batch units"]:
    r"""All states of $s_t = J_t s_{t-1} + m_t$, by an associative scan.

    `slopes` are matrices `(time, batch, units, units)`, or `(time, batch, units)` where each is diagonal.
    """
    diagonal = slopes.ndim == added.ndim

    def through(slope: Array, state: Array) -> Array:
        return slope * state if diagonal else jnp.einsum("...ij,...j->...i", slope, state)

    def join(first: tuple[Array, Array], then: tuple[Array, Array]) -> tuple[Array, Array]:
        both = then[0] * first[0] if diagonal else then[0] @ first[0]
        return both, through(then[0], first[1]) + then[1]

    if not len(added):
        return added
    # The first step takes the start in, so that nothing has to be added afterwards.
    added = added.at[0].add(through(slopes[0], start))
    return jax.lax.associative_scan(join, (slopes, added))[1]


def before(states: Float[Array, "time *rest"], start: Float[Array, "*rest"]) -> Float[Array, "time *rest"]:
    """The state that each step begins with, from those that steps end with."""
    return jnp.concatenate([start[None], states])[: len(states)]


def parallel(cell: Any, loop: LoopInputs, state: State) -> LoopOutputs:
    """The loop of `hoisted_input` for a cell without `not_affine`, side by side; every derivative is JAX's own."""
    turn = lambda tree: jax.tree.map(lambda a: a[::-1], tree) if loop.reverse else tree
    from_input, mask, reset, dt = turn((project_all(cell, loop), loop.mask, loop.reset, safe_dt(loop)))
    (start,), structure = jax.tree.flatten(state)
    fresh = jax.tree.leaves(cell.init_state())[0]

    def step(a: Array, h: Array, dt: Any) -> tuple[Array, Array]:
        new, y = cell.update(a, None, jax.tree.unflatten(structure, [h]), dt)
        return jax.tree.leaves(new)[0], y

    def affine(a: Array, dt: Any) -> tuple[Array, Array]:
        zero = jnp.zeros_like(fresh)
        added, kept = jax.jvp(lambda h: step(a, h, dt)[0], (zero,), (jnp.ones_like(zero),))
        return kept, added

    each = lambda f: jax.vmap(jax.vmap(f))
    kept, added = each(affine)(from_input, dt)
    begin = jnp.broadcast_to(fresh, kept.shape)
    if mask is not None:
        kept, added = select(mask, (kept, added), (jnp.ones_like(kept), jnp.zeros_like(added)))
    if reset is not None:
        kept, added = select(reset, (jnp.zeros_like(kept), kept * begin + added), (kept, added))
    states = recurrence(kept, added, start)
    begun = before(states, start)
    if reset is not None:
        begun = select(reset, begin, begun)
    ys = each(lambda a, h, dt: step(a, h, dt)[1])(from_input, begun, dt)
    if mask is not None:
        ys = jnp.where(mask[..., None], ys, jnp.zeros_like(ys))
    final = jax.tree.unflatten(structure, [states[-1] if loop.time else start])
    return LoopOutputs(turn(ys), final, turn(jax.tree.unflatten(structure, [states])) if loop.keep_states else None)
