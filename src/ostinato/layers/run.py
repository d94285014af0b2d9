"""One cell through time, and the seam where composite layers split into cells: kernels and checkpointed segments."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PRNGKeyArray

from ostinato.errors import SettingsError
from ostinato.kernels import KERNELS, LoopInputs, LoopOutputs, choose, pointwise, select
from ostinato.kernels.loop import INIT, fold_path
from ostinato.layers.state import fields_of
from ostinato.types import State


class UnrollOptions(NamedTuple):
    """How to run: the kernel, what to record, and the length of checkpointed segments (0: none)."""

    kernel: str = "auto"
    record: tuple[str, ...] = ()
    segment: int = 0


class UnrollResult(NamedTuple):
    """Outputs, final state, and the tape by name; all time-major."""

    ys: Array
    final: State
    tape: dict[str, Array]


@runtime_checkable
class Composite(Protocol):
    """A layer that is made of others: it runs them through time itself, with `run` for each."""

    def through_time(self, loop: LoopInputs, state: State, plan: UnrollOptions) -> UnrollResult: ...


def run(layer: Any, loop: LoopInputs, state: State, plan: UnrollOptions) -> UnrollResult:
    """A layer, simple or composite, through the loop."""
    causal = getattr(layer, "causal", True)
    if plan.segment and causal and not getattr(layer, "pointwise", False):
        return _segments(layer, loop, state, plan)
    if isinstance(layer, Composite):
        return layer.through_time(loop, state, plan)
    return _run_cell(layer, loop, state, plan)


def reversed_resets(loop: LoopInputs) -> LoopInputs:
    """For a run from the end: a reset before step t is one after it, that is, before step t - 1 in running order."""
    if loop.reset is None:
        return loop
    return loop._replace(reset=jnp.concatenate([loop.reset[1:], jnp.zeros_like(loop.reset[:1])]))


def initial_state(layer: Any, batch: int, key: PRNGKeyArray | None, path: tuple[int, ...] = ()) -> State:
    """`init_state` for every row, `(batch, ...)`."""
    if key is None:
        state = layer.init_state()
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (batch, *jnp.shape(leaf))), state)
    rows = jnp.arange(batch, dtype=jnp.uint32)
    init_key = jr.fold_in(key, INIT)
    return jax.vmap(lambda row: layer.init_state(key=fold_path(jr.fold_in(init_key, row), path)))(rows)


def _run_cell(cell: Any, loop: LoopInputs, state: State, plan: UnrollOptions) -> UnrollResult:
    names = fields_of(state)
    fields = [n for n in plan.record if n in names]
    inside = [n for n in plan.record if n not in names]
    if cell.pointwise:
        return UnrollResult(*pointwise(cell, loop, state)[:2], {})
    keyed_reset = loop.key is not None and loop.reset is not None
    choice = choose(cell, batch=loop.batch, kernel=plan.kernel, keyed_reset=keyed_reset, timed=loop.dt is not None)
    initial_loop = loop
    if loop.reverse:
        loop = reversed_resets(loop)
    result: LoopOutputs = KERNELS[choice.kernel].run(cell, loop._replace(keep_states=bool(plan.record)), state)
    recorded = fields_of(result.states) if fields else {}
    tape = {name: recorded[name] for name in fields}
    if inside:
        tape |= _internals(cell, loop, state, result, inside)
    final = result.final
    if loop.reverse and initial_loop.reset is not None and loop.time:
        final = select(initial_loop.reset[0], initial_state(cell, loop.batch, None), final)
    return UnrollResult(result.ys, final, tape)


def _internals(cell: Any, loop: LoopInputs, state: State, result: LoopOutputs, names: list[str]) -> dict[str, Array]:
    """Gates and the like, from the state that each step started with; zero where masked."""

    def shift(first: Array, rest: Array) -> Array:
        pieces = [rest[1:], first[None]] if loop.reverse else [first[None], rest[:-1]]
        return jnp.concatenate(pieces)

    before = jax.tree.map(shift, state, result.states)
    if loop.reset is not None:
        before = select(loop.reset, cell.init_state(), before)
    xs = loop.xs if loop.mask is None else jnp.where(loop.mask[..., None], loop.xs, jnp.zeros_like(loop.xs))
    values = jax.vmap(jax.vmap(cell.internals))(xs, before)
    missing = [n for n in names if n not in values]
    if missing:
        known = ", ".join([*fields_of(state), *values]) or "nothing"
        raise SettingsError(f"record: {type(cell).__name__} has no {missing[0]!r}; it has {known}")
    kept = {n: values[n] for n in names}
    return kept if loop.mask is None else select(loop.mask, kept, jax.tree.map(jnp.zeros_like, kept))


def _segments(layer: Any, loop: LoopInputs, state: State, plan: UnrollOptions) -> UnrollResult:
    """Segments of steps, each recomputed in the backward pass: memory for the states of one segment and the borders."""
    size, inner = plan.segment, plan._replace(segment=0)
    whole = loop.time - loop.time % size
    borders = jnp.arange(0, whole, size, dtype=jnp.int32)

    def part(carry: State, cut: Any) -> tuple[State, tuple[Array, dict[str, Array]]]:
        offset, xs, mask, reset, dt = cut
        piece = loop._replace(xs=xs, mask=mask, reset=reset, dt=dt, start=loop.start + offset)
        ran = run(layer, piece, carry, inner)
        return ran.final, (ran.ys, ran.tape)

    fields = (loop.xs, loop.mask, loop.reset, loop.dt)
    stacked = jax.tree.map(lambda a: a[:whole].reshape(whole // size, size, *a.shape[1:]), fields)
    rest = jax.tree.map(lambda a: a[whole:], fields)
    remainder = jax.checkpoint(part)

    def main(carry: State) -> tuple[State, Any]:
        carry, out = jax.lax.scan(
            jax.checkpoint(part, prevent_cse=False), carry, (borders, *stacked), reverse=loop.reverse
        )
        return carry, jax.tree.map(lambda a: a.reshape(whole, *a.shape[2:]), out)

    if loop.reverse:
        state, tail = remainder(state, (jnp.asarray(whole, jnp.int32), *rest))
        state, head = main(state)
    else:
        state, head = main(state)
        state, tail = remainder(state, (jnp.asarray(whole, jnp.int32), *rest))
    ys, tape = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), head, tail) if loop.time > whole else head
    return UnrollResult(ys, state, tape)
