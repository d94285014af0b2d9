r"""The scan whose backward pass takes the gradient of R out of the loop.

Plain reverse mode adds $\delta_t\, h_{t-1}^\top$ to a matrix at every step: a product of tiny batch that reads and
writes all of R. Here the backward loop only gives back $\delta_t$, and one product over all steps and rows makes
$\partial L / \partial R = \sum_t \delta_t h_{t-1}^\top$ afterwards (Appleyard et al. 2016, arXiv:1604.01946, section
3). Holds for any `update`, a user's too.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from ostinato.kernels.loop import LoopInputs, LoopOutputs, select
from ostinato.kernels.scan import initial_rows, product, project_all, safe_dt
from ostinato.tracing.affine import reads
from ostinato.types import State


class Operands(NamedTuple):
    """All that gradients flow to.

    `params` are those that `update` and `hidden` read, `start` is the reset's state; `from_input` an array, or with the
    compiled loop what it is made of.
    """

    params: list[Array]
    from_input: Any
    R: Array | None
    b_h: Array | None
    state: State
    start: State | None
    dt: Array | None


class Given(NamedTuple):
    """What has no gradient."""

    mask: Array | None
    reset: Array | None


def hoisted(cell: Any, loop: LoopInputs, state: State) -> LoopOutputs:
    """The loop of `hoisted_input` with a custom gradient, the batch inside it; needs `cell.recurrent()`."""
    R, b_h = cell.recurrent()
    from_input, dt = project_all(cell, loop), safe_dt(loop)
    rebuild, params, summed = _read_parameters(cell, from_input, state, dt)
    operands = Operands(params, from_input, R, b_h, state, initial_rows(cell, loop), dt)
    run = eqx.filter_custom_vjp(lambda operands, given: forward(rebuild, loop, operands, given)[0])
    run.def_fwd(lambda perturbed, operands, given: forward(rebuild, loop, operands, given))
    run.def_bwd(
        lambda saved, grads, perturbed, operands, given: _backward(rebuild, loop, summed, saved, grads, operands, given)
    )
    return run(operands, Given(loop.mask, loop.reset))


def _read_parameters(cell: Any, from_input: Array, state: State, dt: Array | None) -> tuple[Any, list[Array], bool]:
    """The parameters that the loop reads, a function from them to the cell, whether the products only meet in a sum.

    The others (W, R) must stay out of the custom gradient: their zero gradients would be added at every step.
    """
    leaves, structure = jax.tree.flatten(cell)

    def step(from_input: Array, from_hidden: Array, leaves: list[Array], state: State, dt: Array | None) -> Any:
        built = jax.tree.unflatten(structure, leaves)
        return built.update(from_input, from_hidden, state, dt), built.hidden(state)

    def cut(array: Array, axes: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(array.shape[axes:], array.dtype)

    row = cut(from_input, 2)
    one_row = jax.tree.map(lambda leaf: cut(leaf, 1), state)
    found = reads(step, row, row, leaves, one_row, None if dt is None else cut(dt, 2))
    used = found.used[2 : 2 + len(leaves)]

    def rebuild(params: list[Array]) -> Any:
        kept = iter(params)
        # An unread leaf is never touched, so its shape alone may stand in its place.
        filled = [next(kept) if u else cut(leaf, 0) for u, leaf in zip(used, leaves, strict=True)]
        return jax.tree.unflatten(structure, filled)

    return rebuild, [leaf for u, leaf in zip(used, leaves, strict=True) if u], (0, 1) in found.summed


def _advance(
    cell: Any, from_input: Array, from_hidden: Array | None, state: State, dt: Array | None, mask: Array | None
) -> Any:
    new, y = jax.vmap(cell.update)(from_input, from_hidden, state, dt)
    if mask is None:
        return new, y
    return select(mask, new, state), jnp.where(mask[:, None], y, jnp.zeros_like(y))


def forward(rebuild: Any, loop: LoopInputs, operands: Operands, given: Given) -> tuple[LoopOutputs, Any]:
    """The loop and what its derivative needs; `rebuild` makes the cell from the parameters that it reads."""
    cell = rebuild(operands.params)

    def body(state: State, inputs: Any) -> tuple[State, Any]:
        from_input, dt, mask, reset = inputs
        if reset is not None:
            state = select(reset, operands.start, state)
        from_hidden = None
        if operands.R is not None:
            from_hidden = product(operands.R, operands.b_h, jax.vmap(cell.hidden)(state))
        new, y = _advance(cell, from_input, from_hidden, state, dt, mask)
        return new, (y, new if loop.keep_states else None, state, from_hidden)

    inputs = (operands.from_input, operands.dt, given.mask, given.reset)
    final, (ys, states, before, from_hidden) = jax.lax.scan(body, operands.state, inputs, reverse=loop.reverse)
    return LoopOutputs(ys, final, states), (before, from_hidden)


def _backward(
    rebuild: Any, loop: LoopInputs, summed: bool, saved: Any, grads: LoopOutputs, operands: Operands, given: Given
) -> Operands:
    before, from_hidden_all = saved
    assert operands.R is not None
    gates, size, inner = operands.R.shape
    R_flat = operands.R.reshape(gates * size, inner)
    zeros = Operands(
        *jax.tree.map(jnp.zeros_like, (operands.params, None, None, None, operands.state, operands.start, None))
    )
    final = _fill(grads.final, operands.state)

    def body(carry: Any, inputs: Any) -> tuple[Any, Any]:
        d_state, d_params, d_start = carry
        from_input, dt, mask, reset, state, from_hidden, d_y, d_kept = inputs
        if d_kept is not None:
            d_state = jax.tree.map(jnp.add, d_state, d_kept)

        def advance(params: list[Array], from_input: Array, from_hidden: Array, state: State, dt: Array | None) -> Any:
            return _advance(rebuild(params), from_input, from_hidden, state, dt, mask)

        def hidden(params: list[Array], state: State) -> Array:
            return jax.vmap(rebuild(params).hidden)(state)

        _, pull = jax.vjp(advance, operands.params, from_input, from_hidden, state, dt)
        d_params_1, d_from_input, d_from_hidden, d_state, d_dt = pull((d_state, d_y))
        _, pull_hidden = jax.vjp(hidden, operands.params, state)
        d_params_2, d_state_2 = pull_hidden(d_from_hidden.reshape(-1, gates * size) @ R_flat)
        d_params = jax.tree.map(lambda a, b, c: a + b + c, d_params, d_params_1, d_params_2)
        d_state = jax.tree.map(jnp.add, d_state, d_state_2)
        if reset is not None:
            nothing = jax.tree.map(jnp.zeros_like, d_state)
            to_start = select(reset, d_state, nothing)
            d_start = jax.tree.map(lambda a, b: a + jnp.sum(b, axis=0), d_start, to_start)
            d_state = select(reset, nothing, d_state)
        # Where the products only meet in a sum their gradients are one array: it is written and kept once.
        return (d_state, d_params, d_start), (d_from_input, None if summed else d_from_hidden, d_dt)

    ys_grad = jnp.zeros((*operands.from_input.shape[:2], size), operands.R.dtype) if grads.ys is None else grads.ys
    kept = None if grads.states is None or not loop.keep_states else _fill(grads.states, before)
    inputs = (operands.from_input, operands.dt, given.mask, given.reset, before, from_hidden_all, ys_grad, kept)
    carry = (final, zeros.params, zeros.start)
    carry, (d_from_input, d_from_hidden, d_dt) = jax.lax.scan(body, carry, inputs, reverse=not loop.reverse)
    d_state, d_params, d_start = carry
    d_from_hidden = d_from_input if summed else d_from_hidden
    hidden_all = jax.vmap(jax.vmap(rebuild(operands.params).hidden))(before)
    d_R = jnp.einsum("tbgh,tbk->ghk", d_from_hidden, hidden_all)
    d_b_h = None if operands.b_h is None else jnp.sum(d_from_hidden, axis=(0, 1))
    return Operands(d_params, d_from_input, d_R, d_b_h, d_state, d_start, d_dt)


def _fill(grads: Any, like: Any) -> Any:
    """Zeros where there is no gradient."""
    is_none = lambda leaf: leaf is None
    return jax.tree.map(lambda g, p: jnp.zeros_like(p) if g is None else g, grads, like, is_leaf=is_none)
