"""A cell in a closed loop: what it gives is what it gets next."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from ostinato.checks import as_flags, check_same
from ostinato.errors import ShapeError
from ostinato.kernels.loop import LoopInputs, row_keys, step
from ostinato.layers.run import initial_state
from ostinato.layers.state import check_state
from ostinato.types import State


@eqx.filter_jit
def rollout(
    cell: Any,
    x0: Array,
    steps: int,
    feed: Callable[[Array, Array], Array],
    *,
    teacher: Any = None,
    use_teacher: Any = None,
    state: State = None,
    key: PRNGKeyArray | None = None,
    start: Any = 0,
) -> tuple[Array, State]:
    r"""Run a cell on its own outputs: generation, recursive forecasts, scheduled sampling, one-to-many.

    $$s_t, y_t = \mathrm{cell}(x_t, s_{t-1}),\qquad x_{t+1} = \mathrm{feed}(y_t, t)$$

    * `x0`: `(*batch, input)`, the first input; `feed(y, t)` makes the next one from one output `(output,)` and the
      step's number.
    * `teacher`: `(*batch, steps, input)`; where `use_teacher` `(*batch, steps)` is True, its step t replaces the fed
      input (Bengio et al. 2015); without `use_teacher` it always does.
    * Gives `(ys, final)` with `ys (*batch, steps, output)`.

    Raises `ShapeError`, `StateError`.
    """
    lead = x0.shape[:-1]
    rows = 1
    for size in lead:
        rows *= size
    x = x0.reshape(rows, x0.shape[-1])
    if x0.shape[-1] != cell.input_size:
        raise ShapeError(f"x0: expected (*batch, {cell.input_size}), got {x0.shape}")
    if teacher is not None:
        teacher = jnp.asarray(teacher)
        check_same(teacher.shape, (*lead, steps, cell.input_size), "teacher", "(*batch, steps, input)")
        use = as_flags(jnp.ones((*lead, steps), bool) if use_teacher is None else use_teacher, "use_teacher")
        assert use is not None
        check_same(use.shape, (*lead, steps), "use_teacher", "(*batch, steps)")
        forced = (
            jnp.moveaxis(teacher.reshape(rows, steps, -1), 1, 0),
            jnp.moveaxis(use.reshape(rows, steps), 1, 0),
        )
    else:
        forced = None
    if state is None:
        flat = initial_state(cell, rows, key)
    else:
        state = check_state(cell, state, lead)
        flat = jax.tree.map(lambda leaf: leaf.reshape(rows, *leaf.shape[len(lead) :]), state)
    loop = LoopInputs(jnp.zeros((0, rows, 0), x.dtype), key=key, start=jnp.asarray(start, jnp.int32))

    def body(carry: tuple[State, Array], inputs: Any) -> tuple[tuple[State, Array], Array]:
        state, x = carry
        t, given = inputs
        if given is not None:
            x = jnp.where(given[1][:, None], given[0], x)
        state, y = jax.vmap(lambda i, s: step(cell, i, s))((x, None, None, None, row_keys(loop, t)), state)
        fed = jax.vmap(lambda row: feed(row, loop.start + t))(y)
        return (state, fed), y

    (final, _), ys = jax.lax.scan(body, (flat, x), (jnp.arange(steps, dtype=jnp.int32), forced))
    out = jnp.moveaxis(ys, 0, 1)
    unflat = jax.tree.map(lambda leaf: leaf.reshape(*lead, *leaf.shape[1:]), final)
    return out.reshape(*lead, *out.shape[1:]), unflat
