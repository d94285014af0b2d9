"""A network as fixed features and a linear read-out on top: what read-out rules share."""

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.cells.echo_state import EchoState
from ostinato.data.batch import Examples, SequenceBatch
from ostinato.kernels import Packed, pack
from ostinato.layers import RNN, ManyToOne, OutputFeedback, Readout, Stack, echo_states, pool_steps, unroll
from ostinato.layers.many_to_one import backward_size
from ostinato.learning.base import Exact, Refusal

LARGE, SPARSE = 200, 0.3
"""From so many units on, with at most this share of the places filled, a reservoir is run as a sparse one."""


def stack_of(model: Any) -> Stack | None:
    """The layers of a model that has its read-out as the last of them."""
    if isinstance(model, RNN | OutputFeedback):
        return model.stack
    return model if isinstance(model, Stack) else None


def readout_of(model: Any) -> Readout:
    """The read-out on top; `linear_readout` says whether there is one."""
    if isinstance(model, Readout):
        return model
    if isinstance(model, ManyToOne):
        return model.readout
    stack = stack_of(model)
    assert stack is not None
    return stack.layers[-1]


def linear_readout(model: Any, why: str) -> Exact | Refusal:
    """`Exact(why)` for a model whose last layer is a linear `Readout`, otherwise what is missing."""
    stack = stack_of(model)
    has = isinstance(model, Readout | ManyToOne) or (stack is not None and isinstance(stack.layers[-1], Readout))
    if not has:
        return Refusal("its last layer is no Readout: RNN(..., output_size=...) has one")
    if readout_of(model).activation != "linear":
        return Refusal(f"its read-out is {readout_of(model).activation}, not linear")
    if stack is not None and stack.residual:
        return Refusal("its last layer is not the whole way to the output: the stack is residual")
    return Exact(why)


def with_readout(model: Any, V: Float[Array, "output features"], c: Float[Array, " output"]) -> Any:
    """The model with another read-out."""
    return eqx.tree_at(lambda m: (readout_of(m).V, readout_of(m).c), model, (V, c))


def body_of(model: Any) -> Stack | None:
    """All layers below the read-out as one; None where there are none."""
    stack = stack_of(model)
    layers = () if stack is None else stack.layers[:-1]
    return Stack(layers) if layers else None


def features(
    model: Any, inputs: SequenceBatch, key: PRNGKeyArray | None, packed: Packed | None = None
) -> Float[Array, "..."]:
    """What the read-out sees: `(*batch, time, features)`, or `(*batch, features)` with one output per sequence.

    `packed`: the matrix of a model that is one large reservoir, `packed_reservoir(model)`; it then runs faster.
    """
    plain = inputs.mask is None and inputs.reset is None and inputs.observed is None
    stack = stack_of(model)
    if packed is not None and plain and stack is not None:
        return echo_states(stack.layers[0], inputs.values, packed=packed)[0]
    if isinstance(model, ManyToOne):
        ys, _ = unroll(model.rnn.stack, inputs, key=key)
        return pool_steps(ys, inputs.mask, model.pool, backward_size(model.rnn))
    body = body_of(model)
    return inputs.values if body is None else unroll(body, inputs, key=key)[0]


def packed_reservoir(model: Any) -> Packed | None:
    """The recurrent matrix of a model that is one large sparse reservoir and a read-out; None for any other.

    None too where the weights are traced: how many entries there are is then not known.
    """
    stack = stack_of(model)
    if stack is None or len(stack.layers) != 2 or not isinstance(stack.layers[0], EchoState):
        return None
    R = stack.layers[0].R[0]
    if isinstance(R, Tracer) or R.shape[0] < LARGE or np.count_nonzero(np.asarray(R)) > SPARSE * R.size:
        return None
    return pack(R)


def rows(examples: Examples, values: Any) -> tuple[Float[Array, "n features"], Any, Float[Array, " n"]]:
    """What counts one after the other, in the order of time: features, targets with zeros where they do not, weights.

    `values` `(*batch, time, features)` become `(time * batch, features)`.
    """
    weight = examples.weight
    time_axis = weight.ndim - 1 if not examples.per_sequence else None

    def flat(leaf: Array) -> Array:
        if time_axis is not None:
            leaf = jnp.moveaxis(leaf, time_axis, 0)
        return leaf.reshape(weight.size, *leaf.shape[weight.ndim :])

    w = flat(weight)
    targets = flat(examples.targets)
    targets = targets.reshape(weight.size, -1)
    counts = (w != 0)[:, None]
    return (
        jnp.where(counts, flat(values), jnp.zeros_like(flat(values))),
        jnp.where(counts, targets, jnp.zeros_like(targets)),
        w,
    )


def by_step(inputs: SequenceBatch) -> tuple[Array, tuple[Array | None, Array | None, Array | None]]:
    """Values, then mask, resets and time steps, with time first and one flat batch: `(time, rows, ...)`."""
    axis = inputs.values.ndim - 2
    count = math.prod(inputs.batch_shape)

    def turned(field: Array) -> Array:
        moved = jnp.moveaxis(field, axis, 0)
        return moved.reshape(moved.shape[0], count, *field.shape[axis + 1 :])

    def optional(field: Array | None) -> Array | None:
        return None if field is None else turned(field)

    values = inputs.values
    if inputs.observed is not None:
        values = jnp.where(inputs.observed, values, jnp.zeros_like(values))
    return turned(values), (optional(inputs.mask), optional(inputs.reset), optional(inputs.dt))
