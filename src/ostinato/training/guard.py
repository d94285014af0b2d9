"""A number that is not finite: what to do then, and where it came from."""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ostinato.cells.base import Cell
from ostinato.data import Examples
from ostinato.errors import NonFiniteError
from ostinato.layers import unroll
from ostinato.layers.record import recordable
from ostinato.runs.tree import named_leaves
from ostinato.training.direct import DirectUpdate
from ostinato.training.update import Update

Policy = Literal["stop", "skip", "rollback"]
POLICIES: tuple[Policy, ...] = ("stop", "skip", "rollback")

MOST_IN_A_ROW = 20
"""Bad batches in a row after which `skip` and `rollback` give up: training that learns nothing is to say so."""


def trace_back(update: Update | DirectUpdate, model: Any, opt_state: Any, examples: Examples, key: Any) -> str:
    """In words, the first thing that is not finite when a batch is run again, piece by piece and layer by layer.

    Looked at in this order: the batch, the weights, each layer from the ground up and each time step in the order in
    which it runs, the loss, the gradients, the weights after the update.
    """
    found = _in_batch(examples) or _in_weights("weights", model)
    carry, state = update.carry(model, examples), None
    time = examples.inputs.time_size
    size = update.chunk or max(time, 1)
    for start in range(0, time, size):
        if found:
            break
        part = examples if size >= time else examples.window(start, start + size)
        forward, ys, state = _in_layers(model, part, state, key, start)
        found = forward or _in_loss(update.loss, ys, part, start)
        if not found:
            model, opt_state, carry, _, grads = update.piece(model, opt_state, carry, part, key)
            where = f" of the steps {start} to {min(start + size, time) - 1}" if update.chunk else ""
            found = _in_weights(f"gradients{where}", grads) or _in_weights("weights after the update", model)
    return found or "when run again, everything is finite: the numbers differ from run to run on this machine"


def _in_batch(examples: Examples) -> str:
    try:
        examples.inputs.check()
    except NonFiniteError as error:
        return f"inputs: {error}"
    weight = np.asarray(examples.weight)
    counts = weight != 0
    for name, leaf in {
        "weight": weight,
        **{f"targets {n}": t for n, t in named_leaves(examples.targets).items()},
    }.items():
        array = np.asarray(leaf)
        if np.issubdtype(array.dtype, np.inexact):
            read = np.where(counts.reshape(counts.shape + (1,) * (array.ndim - counts.ndim)), array, 0)
            if not np.isfinite(read).all():
                return (
                    f"{name}: {_place(np.argwhere(~np.isfinite(read))[0], counts.ndim, 0, not examples.per_sequence)}"
                )
    return ""


def _in_weights(what: str, tree: Any) -> str:
    leaves = named_leaves(eqx.filter(tree, eqx.is_inexact_array))
    bad = [name for name, leaf in leaves.items() if not bool(jnp.all(jnp.isfinite(leaf)))]
    return f"{what}: {', '.join(bad[:6])}{' and more' if len(bad) > 6 else ''}" if bad else ""


def _in_layers(model: Any, examples: Examples, state: Any, key: Any, start: int) -> tuple[str, Any, Any]:
    """What is not finite inside the model, its outputs, and its last state."""
    inputs, axis = examples.inputs, examples.inputs.values.ndim - 2
    options: dict[str, Any] = {"key": key, "start": start, "kernel": "reference"}
    layer = _through_time(model)
    if layer is None:
        ys, final = model(inputs, state, key=key, start=start)
        return _in_outputs(type(model).__name__, ys, axis, start), ys, final
    ys, final, *tapes = unroll(layer, inputs, state, record=recordable(layer), **options)
    tape = {name: np.asarray(values) for tape in tapes for name, values in tape.items()}
    parts = layer.parts() if hasattr(layer, "parts") else {"": layer}
    for i, part in parts.items():
        mine = {n: v for n, v in tape.items() if n.startswith(f"{i}/") or not i}
        if found := _first_on_tape(mine, axis, start):
            return f"layer {i or 0} ({type(part).__name__}), {found}", ys, final
    top, part = list(parts.items())[-1]
    found = _in_outputs(f"layer {top or 0} ({type(part).__name__})", ys, axis, start)
    if hasattr(model, "rnn") and not found:
        ys, final = model(inputs, state, **options)
        found = _in_outputs(type(model).__name__, ys, axis, start)
    return found, ys, final


def _through_time(model: Any) -> Any:
    """The part of a model that `unroll` runs, or None where it is something else."""
    return model if isinstance(model, Cell) else getattr(getattr(model, "rnn", model), "stack", None)


def _first_on_tape(tape: dict[str, np.ndarray], axis: int, start: int) -> str:
    """The first time step, in the order in which the layer runs, at which something is not finite, and what it is."""
    first: tuple[int, str, int] | None = None
    for name, values in tape.items():
        bad = np.flatnonzero(~np.isfinite(np.moveaxis(values, axis, 0)).reshape(values.shape[axis], -1).all(axis=1))
        if bad.size:
            backward = "backward" in name.split("/")
            t = int(bad[-1] if backward else bad[0])
            order = values.shape[axis] - 1 - t if backward else t
            first = min(first or (order, name, t), (order, name, t), key=lambda found: found[0])
    if first is None:
        return ""
    _, name, t = first
    row = np.argwhere(~np.isfinite(np.take(tape[name], t, axis)))[0][:axis]
    return f"{name.split('/', 1)[-1]!r}, {_place([*row, t], axis + 1, start)}"


def _in_outputs(what: str, ys: Any, axis: int, start: int) -> str:
    for leaf in jax.tree.leaves(ys):
        bad = np.argwhere(~np.isfinite(np.asarray(leaf)))
        if bad.size:
            steps = leaf.ndim > axis + 1
            return f"{what}, outputs, {_place(bad[0], axis + steps, start, steps)}"
    return ""


def _in_loss(loss: Any, ys: Any, examples: Examples, start: int) -> str:
    weight, ndim = np.asarray(examples.weight), examples.weight.ndim
    flat = lambda leaf: leaf.reshape(weight.size, *leaf.shape[ndim:])
    values = np.asarray(jax.vmap(loss)(jax.tree.map(flat, ys), jax.tree.map(flat, examples.targets)))
    bad = np.argwhere(~np.isfinite(values.reshape(weight.shape)) & (weight != 0))
    return f"loss, {_place(bad[0], ndim, start, not examples.per_sequence)}" if bad.size else ""


def _place(index: Any, axes: int, start: int, steps: bool = True) -> str:
    *rows, last = (int(i) for i in list(index)[:axes])
    if not steps:
        return "row " + ", ".join(map(str, [*rows, last]))
    where = f"time step {start + last}"
    return f"row {', '.join(map(str, rows))}, {where}" if rows else where
