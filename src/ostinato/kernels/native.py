"""The compiled loop: whether it is there, how a run is given to it, and its derivative."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from ostinato.kernels import opcodes as o
from ostinato.kernels.call import Call, mappable
from ostinato.kernels.emit import Code
from ostinato.kernels.graph import Unsupported
from ostinato.kernels.hoist import Given, Operands, forward
from ostinato.kernels.loop import LoopInputs, LoopOutputs
from ostinato.kernels.program import Program, program_of
from ostinato.kernels.scan import hoisted_input, initial_rows, project_all, safe_dt
from ostinato.types import State

HEADER_BACKWARD = 13


@lru_cache(maxsize=1)
def library() -> tuple[Any, str]:
    """The compiled module, or None and the reason why it cannot run here; registers it with JAX the first time."""
    try:
        from ostinato.kernels import _native  # pyright: ignore[reportAttributeAccessIssue] - compiled
    except ImportError as error:
        return None, f"the compiled kernels are not installed ({error})"
    # JAX's own platform is up before anything is registered with it, so that a handler that does not fit cannot
    # keep it from starting.
    if jax.default_backend() != "cpu":
        return None, f"the compiled kernels are for CPU, this is {jax.default_backend()}"
    try:
        for name, handler in _native.handlers().items():
            jax.ffi.register_ffi_target(name, handler, platform="cpu")
    # Whatever a JAX that does not fit raises: the library then runs without the compiled loop.
    except Exception as error:
        return None, f"this JAX does not take the compiled kernels ({error})"
    return _native, f"compiled for {_native.build()}, {_native.threads()} threads"


def refusal(cell: Any, timed: bool = False) -> str | None:
    """Why the compiled loop cannot run a gated cell; None where it can."""
    found, why = library()
    if found is None:
        return why
    try:
        program_of(cell, timed)
    except Unsupported as unsupported:
        return f"{type(cell).__name__} has no vector program: {unsupported}"
    return None


class Projection(NamedTuple):
    """In the place of `from_input`, where the loop makes it: `W x + b` of `xs` `(time, batch, features)`."""

    xs: Array
    W: Array
    b: Array

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Those of what it makes: time, batch, gates, units."""
        return self.xs.shape[0], self.xs.shape[1], self.b.shape[0], self.b.shape[1]


def native(cell: Any, loop: LoopInputs, state: State) -> LoopOutputs:
    """The loop of `hoisted_input`, compiled; its derivative too. Derivatives of that derivative are the reference's."""
    program = program_of(cell, loop.dt is not None)
    arrays, static = eqx.partition(cell, eqx.is_array)
    all_leaves, shape_of_cell = jax.tree.flatten(arrays)
    dt = safe_dt(loop)
    if program.matrix is None:
        from_input = project_all(cell, loop)
    else:
        W = all_leaves[program.matrix]
        # W is held still in what is left of the projection at 0, so that its gradient comes from the loop alone.
        held = [*all_leaves[: program.matrix], jax.lax.stop_gradient(W), *all_leaves[program.matrix + 1 :]]
        rest = eqx.combine(jax.tree.unflatten(shape_of_cell, held), static)
        from_input = Projection(loop.xs, W, rest.project(jnp.zeros(loop.xs.shape[-1:], loop.xs.dtype)))
    if any(leaf.dtype != program.dtype for leaf in jax.tree.leaves((from_input, dt, state))):
        return hoisted_input(cell, loop, state)
    R, b_h = cell.recurrent() or (None, None)

    def rebuild(params: list[Array]) -> Any:
        kept = dict(zip(program.leaves, params, strict=True))
        # A leaf that nothing reads is never touched, so its shape alone may stand in its place.
        filled = [kept.get(i, jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)) for i, leaf in enumerate(all_leaves)]
        return eqx.combine(jax.tree.unflatten(shape_of_cell, filled), static)

    operands = Operands(
        [all_leaves[i] for i in program.leaves], from_input, R, b_h, state, initial_rows(cell, loop), dt
    )
    return _differentiable(program, rebuild, loop)(operands, Given(loop.mask, loop.reset))


def _differentiable(
    program: Program, rebuild: Callable[[list[Array]], Any], loop: LoopInputs
) -> Callable[..., LoopOutputs]:
    """The loop with its derivative; three rules, so that a derivative of the derivative finds plain JAX."""

    def plain(operands: Operands, given: Given) -> LoopOutputs:
        made = operands.from_input
        if isinstance(made, Projection):
            xs = made.xs if given.mask is None else jnp.where(given.mask[..., None], made.xs, jnp.zeros_like(made.xs))
            operands = operands._replace(from_input=jnp.einsum("ghi,tbi->tbgh", made.W, xs) + made.b[None, None])
        return forward(rebuild, loop, operands, given)[0]

    @jax.custom_vjp
    def run(operands: Operands, given: Given) -> LoopOutputs:
        return _forward(program, rebuild, loop, operands, given, train=False)[0]

    @jax.custom_vjp
    def run_saving(operands: Operands, given: Given) -> tuple[LoopOutputs, tuple[Array, ...]]:
        return _forward(program, rebuild, loop, operands, given, train=True)

    @jax.custom_vjp
    def pull(operands: Operands, given: Given, result: LoopOutputs, saved: Any, grads: LoopOutputs) -> Operands:
        return _backward(program, rebuild, loop, operands, given, result, saved, grads)

    def plain_pull(operands: Operands, given: Given, grads: LoopOutputs) -> Operands:
        return jax.vjp(lambda ops: plain(ops, given), operands)[1](grads)[0]

    def second(args: tuple[Any, ...], grads: Operands) -> tuple[Any, ...]:
        operands, given, _, _, upstream = args
        d_operands, d_upstream = jax.vjp(lambda ops, up: plain_pull(ops, given, up), operands, upstream)[1](grads)
        return d_operands, None, None, None, d_upstream

    run_saving.defvjp(
        lambda operands, given: (run_saving(operands, given), (operands, given)),
        lambda args, grads: (plain_pull(*args, grads[0]), None),  # pyright: ignore[reportCallIssue] - two in `args`
    )
    pull.defvjp(lambda *args: (pull(*args), args), second)

    def first(operands: Operands, given: Given) -> tuple[LoopOutputs, Any]:
        result, saved = run_saving(operands, given)
        return result, (operands, given, result, saved)

    run.defvjp(first, lambda args, grads: (pull(*args, grads), None))
    return run


def _forward(
    program: Program, rebuild: Any, loop: LoopInputs, operands: Operands, given: Given, train: bool
) -> tuple[LoopOutputs, tuple[Array, ...]]:
    made_here = isinstance(operands.from_input, Projection)
    time, batch, gates_in, units = _sizes(operands)
    states = sum(program.states)
    code = (program.saving if train else program.forward)[loop.keep_states]
    arguments: list[tuple[Array, int | None]] = [
        (array, 1 if i == 0 else None) for i, array in enumerate(jax.tree.leaves(operands.from_input))
    ]
    if operands.R is not None:
        arguments += [(operands.R, None), (_hidden(rebuild, operands), 0)]
    if operands.b_h is not None:
        arguments.append((operands.b_h, None))
    arguments += [(_stack(operands.state, 1, units), 0), (_rows(program, operands.params, units), None)]
    arguments += _marks(program, rebuild, loop, operands, given, start=True)
    wide = (time, batch, states, units)
    results = [((time, batch, units), 1), ((batch, states, units), 0)]
    if train:
        results += [((time, batch, gates_in, units), 1), ((time, batch, program.extra, units), 1)]
        results += [((time, batch, units), 1)] if program.gates and not program.y_is_hidden else []
    results += [(wide, 1)] if loop.keep_states else []
    spec = [gates_in, program.gates, states, program.params, program.extra, code.slots, len(code.constants)]
    spec += [_flags(program, loop, given, operands, code, train=train), len(code.instructions)]
    spec += code.instructions.ravel().tolist()
    axes, aliases = tuple(axis for _, axis in arguments), ((0, 2),) if train and not made_here else ()
    call = Call("ostinato_forward", tuple(spec), code.constants, axes, tuple(results), aliases, program.dtype.name)
    made = mappable(call)(*(array for array, _ in arguments))
    kept = _unstack(made[-1], program.states, operands.state) if loop.keep_states else None
    saved = tuple(made[2 : len(made) - (1 if loop.keep_states else 0)]) if train else ()
    return LoopOutputs(made[0], _unstack(made[1], program.states, operands.state), kept), saved


def _backward(
    program: Program,
    rebuild: Any,
    loop: LoopInputs,
    operands: Operands,
    given: Given,
    result: LoopOutputs,
    saved: Any,
    grads: LoopOutputs,
) -> Operands:
    time, batch, gates_in, units = _sizes(operands)
    states = sum(program.states)
    before, after = program.before[loop.keep_states], program.after
    arguments: list[tuple[Array, int | None]] = [(saved[0], 1), (saved[1], 1)]
    if operands.R is not None:
        seen = result.ys if program.y_is_hidden else saved[2]
        arguments += [(seen, 1), (_hidden(rebuild, operands), 0), (operands.R, None)]
    arguments += [(grads.ys, 1), (_stack(grads.final, 1, units), 0)]
    if loop.keep_states:
        arguments.append((_stack(grads.states, 2, units), 1))
    arguments.append((_rows(program, operands.params, units), None))
    arguments += _marks(program, rebuild, loop, operands, given, start=False)
    projection = operands.from_input if isinstance(operands.from_input, Projection) else None
    arguments += [] if projection is None else [(projection.xs, 1)]
    results = [((time, batch, gates_in, units), 1), ((time, batch, program.extra, units), 1)]
    results += [((program.gates, units, units), None)] if program.gates else []
    results += [((program.sums, units), None), ((batch, states, units), 0)]
    results += [((states, units), None)] if loop.reset is not None else []
    results += [((time, batch), 1)] if loop.dt is not None else []
    results += [] if projection is None else [(projection.W.shape, None), (projection.b.shape, None)]
    spec = [gates_in, program.gates, states, program.params, program.extra, program.sums, before.slots]
    spec += [len(before.constants), after.slots, len(after.constants)]
    spec += [_flags(program, loop, given, operands, before, after), len(before.instructions), len(after.instructions)]
    spec += [*program.source, *before.instructions.ravel().tolist(), *after.instructions.ravel().tolist()]
    call = Call(
        "ostinato_backward", tuple(spec), (*before.constants, *after.constants), tuple(axis for _, axis in arguments),
        tuple(results), ((0, 0), (1, 1)), program.dtype.name,
    )  # fmt: skip
    made = list(mappable(call)(*(array for array, _ in arguments)))
    d_input, _ = made.pop(0), made.pop(0)
    d_R = made.pop(0) if program.gates else None
    sums, d_state = made.pop(0), _unstack(made.pop(0), program.states, operands.state)
    d_start = _unstack(made.pop(0), program.states, operands.state) if loop.reset is not None else None
    d_dt = made.pop(0) if loop.dt is not None else None
    if projection is not None:
        # The gradient of x is left to XLA, which drops it where nobody asks for it.
        d_input = Projection(jnp.einsum("tbgh,ghi->tbi", d_input, projection.W), made.pop(0), made.pop(0))
    d_b_h = sums[program.params :] if program.biased else None
    return Operands(_unrows(program, sums, operands.params), d_input, d_R, d_b_h, d_state, d_start, d_dt)


def _sizes(operands: Operands) -> tuple[int, int, int, int]:
    made = operands.from_input
    return made.sizes if isinstance(made, Projection) else made.shape


def _hidden(rebuild: Any, operands: Operands) -> Array:
    return jax.vmap(rebuild(operands.params).hidden)(operands.state)


def _marks(
    program: Program, rebuild: Any, loop: LoopInputs, operands: Operands, given: Given, start: bool
) -> list[tuple[Array, int | None]]:
    """Resets with what they put in, uneven steps, masks: what the loop is given of them, in its order."""
    units = _sizes(operands)[-1]
    found: list[tuple[Array, int | None]] = []
    if given.reset is not None:
        found += [(_stack(operands.start, 0, units), None)] if start else []
        found += [(rebuild(operands.params).hidden(operands.start), None)] if program.gates else []
        found.append((given.reset, 1))
    found += [] if operands.dt is None else [(operands.dt, 1)]
    return found + ([] if given.mask is None else [(given.mask, 1)])


def _flags(
    program: Program, loop: LoopInputs, given: Given, operands: Operands, *codes: Code, train: bool = False
) -> int:
    flags = {
        o.REVERSE: loop.reverse,
        o.Y_IS_HIDDEN: program.y_is_hidden,
        o.REDUCES: any(code.reduces for code in codes),
        o.BY_ROWS: any(code.sums_rows for code in codes),
        o.TRAIN: train,
        o.KEEP: loop.keep_states,
        o.BIAS: program.biased and len(codes) == 1,
        o.MASK: given.mask is not None,
        o.RESET: given.reset is not None,
        o.HAS_DT: operands.dt is not None,
        o.DIRECT: program.direct and len(codes) == 2,
        o.PROJECTS: isinstance(operands.from_input, Projection),
    }
    return sum(flag for flag, holds in flags.items() if holds)


def _stack(state: State, axes: int, units: int) -> Array:
    """The vectors of a state behind one another: `(..., vectors, units)`, with so many axes before them."""
    leaves = jax.tree.leaves(state)
    return jnp.concatenate(
        [leaf.reshape(*leaf.shape[:axes], math.prod(leaf.shape[axes:-1]), units) for leaf in leaves], axes
    )


def _unstack(stacked: Array, rows: tuple[int, ...], like: State) -> State:
    """The opposite; `like` has the leaves' shapes without further axes in front."""
    axes, at, made = stacked.ndim - 2, 0, []
    leaves, structure = jax.tree.flatten(like)
    for leaf, count in zip(leaves, rows, strict=True):
        part = jax.lax.slice_in_dim(stacked, at, at + count, axis=axes)
        made.append(part.reshape(*stacked.shape[:axes], *leaf.shape[1:]))
        at += count
    return structure.unflatten(made)


def _rows(program: Program, params: list[Array], units: int) -> Array:
    """The parameters that the program reads, a vector for each row; numbers are repeated for every unit."""
    if not params:
        return jnp.zeros((0, units), program.dtype)
    rows = []
    for leaf in params:
        over_units = leaf.shape[-1:] == (units,)
        rows.append(
            leaf.reshape(-1, units) if over_units else jnp.broadcast_to(leaf.reshape(-1, 1), (leaf.size, units))
        )
    return jnp.concatenate(rows)


def _unrows(program: Program, sums: Array, params: list[Array]) -> list[Array]:
    made, at = [], 0
    for leaf, count in zip(params, program.rows, strict=True):
        part = sums[at : at + count]
        over_units = leaf.shape[-1:] == sums.shape[-1:]
        made.append((part if over_units else jnp.sum(part, axis=1)).reshape(leaf.shape))
        at += count
    return made
