"""What the rules for filters as synapses share: the layers of a model, and each synapse's own derivatives."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from ostinato.cells.activations import activation_function
from ostinato.cells.filters import Filters
from ostinato.data.batch import Examples
from ostinato.kernels import select
from ostinato.layers import Readout, Stack
from ostinato.learning.base import Loss, is_per_sequence, weighted_loss


class Synapses(NamedTuple):
    """The filters of a layer; a read-out has one tap, and `v` no rows where there is no feedback."""

    w: Float[Array, "taps hidden input"]
    v: Float[Array, "feedback hidden input"]
    b: Float[Array, " hidden"]


class Layer(NamedTuple):
    """A layer's filters and the function of its units."""

    synapses: Synapses
    activation: Callable[[Array], Array]

    @property
    def reach(self) -> int | None:
        """How many steps back an output depends on an input; None where there is no end to it."""
        w, v, _ = self.synapses
        return None if v.shape[0] else w.shape[0] - 1

    def pull(self, s: Float[Array, " hidden"], e: Float[Array, " hidden"]) -> Float[Array, " hidden"]:
        """δ = e a'(s)."""
        return jax.vjp(self.activation, s)[1](e)[0]


class Memory(NamedTuple):
    """Of each synapse, the newest first: past inputs and outputs, and the two signals of its derivatives."""

    x: Float[Array, "past input"]
    y: Float[Array, "feedback hidden input"]
    alpha: Float[Array, "longer hidden input"]
    beta: Float[Array, "feedback hidden input"]


def refusal(model: Any) -> str | None:
    """Why these rules do not hold for a model; None where they do."""
    if is_per_sequence(model):
        return "one output for a whole sequence depends on every step of it"
    stack = getattr(model, "stack", model)
    if isinstance(stack, Stack) and stack.residual:
        return "residual connections are no filters"
    for part in _parts(model):
        if not isinstance(part, Filters | Readout):
            return f"{type(part).__name__} is not made of filters: the rule is for fir and iir layers and read-outs"
    return None


def layers_of(model: Any) -> list[Layer]:
    """The layers of a model for which `refusal` is None, the first one first."""
    return [Layer(_synapses(part), activation_function(part.activation)) for part in _parts(model)]


def gradients(model: Any, found: list[Synapses]) -> PyTree:
    """Gradients by layer, in the structure of the model's parameters."""
    params = eqx.filter(model, eqx.is_inexact_array)
    parts = [
        eqx.tree_at(lambda r: (r.V, r.c), part, (g.w[0], g.b))
        if isinstance(part, Readout)
        else eqx.tree_at(
            lambda f: tuple(a for a in (f.w, f.b, f.v) if a is not None),
            part,
            (g.w, g.b, g.v)[: 2 + bool(part.feedback)],
        )
        for part, g in zip(_parts(params), found, strict=True)
    ]
    if isinstance(model, Filters | Readout):
        return parts[0]
    return eqx.tree_at(lambda m: getattr(m, "stack", m).layers, params, tuple(parts))


def empty_memory(synapses: Synapses) -> Memory:
    """Before the first step."""
    w, v, _ = synapses
    (taps, hidden, inputs), feedback = w.shape, v.shape[0]
    zeros = lambda *shape: jnp.zeros(shape, w.dtype)
    return Memory(
        zeros(taps - 1, inputs),
        zeros(feedback, hidden, inputs),
        zeros(max(taps - 1, feedback), hidden, inputs),
        zeros(feedback, hidden, inputs),
    )


def advance(
    synapses: Synapses, x: Float[Array, " input"], memory: Memory
) -> tuple[Memory, Float[Array, " hidden"], Synapses]:
    r"""One step of a layer: its memory, the sums s, and the derivatives of $s_n$ by the weights of unit n.

    $$\alpha_{nm}[t] = x_m[t] + \sum_r v^{(r)} \alpha_{nm}[t-r],\qquad
      \beta_{nm}[t] = y_{nm}[t] + \sum_r v^{(r)} \beta_{nm}[t-r]$$
    $$\partial s_n / \partial w_{nm}^{(p)} = \alpha_{nm}[t-p],\qquad
      \partial s_n / \partial v_{nm}^{(p)} = \beta_{nm}[t-p]$$
    """
    w, v, b = synapses
    taps, feedback = w.shape[0], v.shape[0]
    seen = jnp.concatenate([x[None], memory.x])
    y = jnp.sum(w * seen[:, None], axis=0) + jnp.sum(v * memory.y, axis=0)
    alpha = jnp.broadcast_to(x[None], y.shape) + jnp.sum(v * memory.alpha[:feedback], axis=0)
    beta = y + jnp.sum(v * memory.beta, axis=0)
    alphas = jnp.concatenate([alpha[None], memory.alpha])
    slopes = Synapses(alphas[:taps], memory.beta, jnp.ones_like(b))
    new = Memory(seen[:-1], _shift(y, memory.y), alphas[:-1], _shift(beta, memory.beta))
    return new, jnp.sum(y, axis=1) + b, slopes


def credit(delta: Float[Array, " hidden"], slopes: Synapses) -> Synapses:
    """δ times the derivatives of s by each weight."""
    return Synapses(delta[None, :, None] * slopes.w, delta[None, :, None] * slopes.v, delta * slopes.b)


def responses(synapses: Synapses, length: int) -> Float[Array, "steps hidden input"]:
    r"""$h_{nm}^{(p)} = dy_{nm}[t+p] / dx_m[t] = w^{(p)} + \sum_r v^{(r)} h^{(p-r)}$ for p from 0 to `length` - 1."""
    w, v, _ = synapses
    taps = jnp.zeros((length, *w.shape[1:]), w.dtype).at[: w.shape[0]].set(w[:length])

    def next_one(past: Array, tap: Array) -> tuple[Array, Array]:
        h = tap + jnp.sum(v * past, axis=0)
        return _shift(h, past), h

    return jax.lax.scan(next_one, jnp.zeros_like(v), taps)[1]


class TimeMajor(NamedTuple):
    """A chunk as `(time, rows, ...)`: inputs and flags."""

    xs: Float[Array, "time rows features"]
    mask: Array
    reset: Array


def time_major(examples: Examples) -> TimeMajor:
    """Inputs with the time axis first and one batch axis; what is masked is zero."""
    inputs = examples.inputs
    lead, time = inputs.batch_shape, inputs.time_size
    shown = inputs.values if inputs.observed is None else select(inputs.observed, inputs.values, jnp.zeros(()))
    flat = lambda a: jnp.moveaxis(a.reshape(-1, time, *a.shape[len(lead) + 1 :]), 1, 0)
    mask = inputs.steps
    xs = jnp.where(mask[..., None], shown, jnp.zeros_like(shown))
    reset = jnp.zeros_like(mask) if inputs.reset is None else inputs.reset
    return TimeMajor(flat(xs), flat(mask), flat(reset))


def value_and_errors(
    loss: Loss, ys: Float[Array, "time rows output"], examples: Examples
) -> tuple[Float[Array, ""], Float[Array, "time rows output"]]:
    """The loss of the chunk and its derivative by every output."""
    lead = examples.inputs.batch_shape

    def value(ys: Array) -> Array:
        moved = jnp.moveaxis(ys, 0, 1)
        return weighted_loss(loss, moved.reshape(*lead, *moved.shape[1:]), examples)

    return jax.value_and_grad(value)(ys)


def _parts(model: Any) -> tuple[Any, ...]:
    stack = getattr(model, "stack", model)
    return tuple(stack.layers) if isinstance(stack, Stack) else (stack,)


def _synapses(part: Any) -> Synapses:
    if isinstance(part, Readout):
        return Synapses(part.V[None], jnp.zeros((0, *part.V.shape), part.V.dtype), part.c)
    return Synapses(part.w, jnp.zeros((0, *part.w.shape[1:]), part.w.dtype) if part.v is None else part.v, part.b)


def _shift(new: Array, old: Array) -> Array:
    """The newest in front, the oldest dropped."""
    return jnp.concatenate([new[None], old])[:-1]
