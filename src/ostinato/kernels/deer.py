r"""All steps at once by Newton's method (Lim et al., "Parallelizing non-linear sequential models", ICLR 2024).

The states are the solution of $s_t = f_t(s_{t-1})$ for all t. From a guess $\bar s$, Newton's method solves

$$s_t = J_t s_{t-1} + f_t(\bar s_{t-1}) - J_t \bar s_{t-1},\qquad J_t = f_t'(\bar s_{t-1})$$

by an associative scan, until nothing changes; where a value is not finite, a plain step stands in for it. Where the
network forgets, a few rounds do; where differences grow along the sequence, products of Jacobians overflow, and it says
so instead of giving a wrong answer. A round has products of matrices as large as the state for each step (vectors,
where no unit sees another one), so this is for small states, long sequences and machines that do many products at once.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ostinato.kernels.loop import LoopInputs, LoopOutputs, row_keys, step
from ostinato.kernels.parallel import before, recurrence
from ostinato.tracing.units import Mixed, unit_axes
from ostinato.types import State

ROUNDS = 100
WARM = 16
"""So many plain steps from the first state make the guess: Jacobians are then those of states that occur."""
DIVERGED = (
    "kernel='deer': Newton's method did not converge, because differences grow along this sequence instead of fading; "
    "use another kernel"
)


def deer(cell: Any, loop: LoopInputs, state: State) -> LoopOutputs:
    """The loop of `reference`, side by side. Raises in the compiled code where it does not converge."""
    if not loop.time:
        return LoopOutputs(jnp.zeros((0, loop.batch, cell.output_size), loop.xs.dtype), state, None)
    turn = lambda tree: jax.tree.map(lambda a: a[::-1], tree) if loop.reverse else tree
    steps = jnp.arange(loop.time, dtype=jnp.int32)
    keys = None if loop.key is None else jax.vmap(lambda t: row_keys(loop, t))(steps)
    inputs = turn((loop.xs, loop.mask, loop.reset, loop.dt, keys))
    unravel = ravel_pytree(jax.tree.map(lambda leaf: leaf[0], state))[1]
    start = jax.vmap(lambda row: ravel_pytree(row)[0])(state)

    diagonal = _alone(cell, state)
    held = lambda tree: jax.tree.map(lambda a: jax.lax.stop_gradient(a) if eqx.is_inexact_array(a) else a, tree)

    def steps_of(operands: Any) -> Any:
        """The step of a row as a function of what is given to it and of its flat state."""

        def one(i: Any, flat: Array) -> tuple[Array, Array]:
            new, y = step(operands[0], i, unravel(flat))
            return ravel_pytree(new)[0], y

        return one

    def plain(operands: Any, states: Array) -> tuple[Array, Array]:
        """Each step once, from where the one before it ended."""
        return jax.vmap(jax.vmap(steps_of(operands)))(operands[1], before(states, operands[2]))

    def newton(operands: Any, states: Array) -> Array:
        """A round; the derivative of its value, at the solution, is that of the solution."""
        one = steps_of(held(operands))

        def slope(i: Any, flat: Array) -> Array:
            new = lambda s: one(i, s)[0]
            return jax.jvp(new, (flat,), (jnp.ones_like(flat),))[1] if diagonal else jax.jacfwd(new)(flat)

        fixed = before(states, held(operands[2]))
        J = jax.vmap(jax.vmap(slope))(held(operands[1]), fixed)
        back = J * fixed if diagonal else jnp.einsum("tbij,tbj->tbi", J, fixed)
        there = jax.vmap(jax.vmap(steps_of(operands)))(operands[1], fixed)[0]
        return recurrence(J, there - back, operands[2])

    def going(at: tuple[Array, Array, Array]) -> Array:
        return (at[2] < ROUNDS) & ~_settled(at[0], at[1])

    def again(at: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        _, states, number = at
        new = newton(frozen, states)
        return states, jnp.where(jnp.isfinite(new), new, plain(frozen, states)[0]), number + 1

    operands = cell, inputs, start
    frozen = held(operands)
    guess = jnp.broadcast_to(frozen[2], (loop.time, *start.shape))
    guess = jax.lax.fori_loop(0, WARM, lambda _, states: plain(frozen, states)[0], guess)
    first = guess, plain(frozen, guess)[0], jnp.zeros((), jnp.int32)
    last, states, _ = jax.lax.while_loop(going, again, first)
    states = eqx.error_if(states, ~_settled(last, states), DIVERGED)
    states, ys = plain(operands, newton(operands, states))
    kept = turn(jax.vmap(jax.vmap(unravel))(states)) if loop.keep_states else None
    return LoopOutputs(turn(ys), jax.vmap(unravel)(states[-1]), kept)


def _settled(last: Float[Array, "time batch n"], now: Float[Array, "time batch n"]) -> Array:
    """Whether the last round changed nothing beyond rounding; False where anything is not finite."""
    near = 512 * jnp.finfo(now.dtype).eps * jnp.maximum(jnp.max(jnp.abs(now)), 1)
    # The largest of some numbers need not be NaN where one of them is.
    return jnp.all(jnp.isfinite(now)) & (jnp.max(jnp.abs(now - last)) <= near)


def _alone(cell: Any, state: State) -> bool:
    """Whether the state is one array whose units do not see one another: the Jacobian of a step is then diagonal."""
    leaves, structure = jax.tree.flatten(jax.tree.map(lambda leaf: leaf[0], state))
    if len(leaves) != 1 or leaves[0].ndim != 1 or getattr(cell, "recurrent", lambda: 0)() is not None:
        return False
    x = jnp.zeros(cell.input_size, leaves[0].dtype)
    try:
        traced = jax.make_jaxpr(lambda h: jax.tree.leaves(cell(x, jax.tree.unflatten(structure, [h]))[0])[0])(leaves[0])
        return unit_axes(traced, (0,)) == [0]
    except Mixed:
        return False
