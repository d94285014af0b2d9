"""Recursive back-propagation (Campolucci, Uncini, Piazza and Rao, IEEE Transactions on Neural Networks 10, 1999)."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from ostinato.data.batch import Examples
from ostinato.kernels import select
from ostinato.learning.base import Approximate, Exact, GradientRule, Loss, Refusal
from ostinato.learning.filter_layers import (
    Layer,
    Memory,
    Synapses,
    TimeMajor,
    advance,
    credit,
    empty_memory,
    gradients,
    layers_of,
    refusal,
    time_major,
    value_and_errors,
)


class FilterCarry(NamedTuple):
    """What the synapses of each layer remember, for every row, and the number of steps so far."""

    memories: tuple[Memory, ...]
    step: Int[Array, ""]


class RBP(GradientRule):
    r"""Errors go back through the filters, layer by layer; each synapse keeps its own derivatives, forwards.

    For layer l with sums s, outputs $x_n = a(s_n)$ and synapses $h_{qn}$ in the layer above,

    $$e_n[t] = \sum_q \sum_{p \ge 0} \delta_q[t+p]\, h_{qn}^{(p)},\qquad \delta_n[t] = e_n[t]\, a'(s_n[t]),\qquad
      \nabla_{\theta_{nm}} = \sum_t \delta_n[t]\, \frac{\partial s_n[t]}{\partial \theta_{nm}}$$

    where the inner sum is run backwards as a filter itself, $\lambda[t] = \delta[t] + \sum_r v^{(r)} \lambda[t+r]$ and
    $e[t] = \sum_p w^{(p)} \lambda[t+p]$, and the derivatives of s run forwards (`filter_layers.advance`), with no end
    to their memory.

    For `Filters` and read-outs, stacked. Exact: the gradient of BPTT. On chunks the derivatives inside a layer stay
    exact; errors between layers stop at the chunk's end, so that chunks add up where no layer but the first has a
    memory. With one tap and no feedback it is back-propagation, with finite filters temporal back-propagation.
    A trainable initial state is not one of filters; other models are refused.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> model = ost.RNN("iir", 2, 1, key=jax.random.key(0))
    >>> examples = ost.Examples(ost.SequenceBatch(jnp.ones((3, 5, 2))), jnp.zeros((3, 5, 1)), jnp.ones((3, 5)))
    >>> rule, loss = RBP(), ost.losses.squared
    >>> value, grads, carry = rule(model, loss, examples, rule.init(model, examples))
    >>> grads.stack.layers[0].v.shape, int(carry.step)
    ((2, 1, 2), 5)

    ```
    """

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        why = refusal(model)
        if why is not None:
            return Refusal(why)
        if all(layer.reach == 0 for layer in layers_of(model)[1:]):
            return Exact("the derivatives of the first layer's filters run forwards, and no layer above remembers")
        return Exact("errors go back through every filter of a whole sequence")

    def init(self, model: Any, examples: Examples) -> FilterCarry:
        self.check(model)
        rows = time_major(examples).xs.shape[1]
        memories = tuple(fresh(layer.synapses, rows) for layer in layers_of(model))
        return FilterCarry(memories, jnp.asarray(0, jnp.int32))

    def __call__(
        self, model: Any, loss: Loss, examples: Examples, carry: FilterCarry, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], PyTree, FilterCarry]:
        del key
        layers, given = layers_of(model), time_major(examples)
        inputs, sums, memories = forward_all(layers, given, carry.memories)
        value, errors = value_and_errors(loss, inputs[-1], examples)
        found = []
        for i, layer in reversed(list(enumerate(layers))):
            deltas, below = _back(layer, given, sums[i], errors)
            found.append(_collect(layer, given._replace(xs=inputs[i]), deltas, carry.memories[i]))
            errors = below
        return value, gradients(model, found[::-1]), FilterCarry(memories, carry.step + given.xs.shape[0])


def fresh(synapses: Synapses, rows: int) -> Memory:
    """Empty memories for every row."""
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (rows, *leaf.shape)), empty_memory(synapses))


def forward(layer: Layer, given: TimeMajor, memory: Memory) -> tuple[Float[Array, "time rows hidden"], Memory]:
    """The sums of a layer at every step, and what it remembers at the end."""

    def step(memory: Memory, at: TimeMajor) -> tuple[Memory, Array]:
        before = select(at.reset, empty_memory(layer.synapses), memory)
        new, s, _ = jax.vmap(lambda x, m: advance(layer.synapses, x, m))(at.xs, before)
        return select(at.mask, new, before), s

    memory, sums = jax.lax.scan(step, memory, given)
    return sums, memory


def forward_all(
    layers: list[Layer], given: TimeMajor, memories: tuple[Memory, ...]
) -> tuple[list[Array], list[Array], tuple[Memory, ...]]:
    """What each layer sees, and last the output; the sums of each layer; what each remembers at the end."""
    inputs, sums, after = [given.xs], [], []
    for layer, memory in zip(layers, memories, strict=True):
        s, last = forward(layer, given._replace(xs=inputs[-1]), memory)
        sums.append(s)
        after.append(last)
        inputs.append(jnp.where(given.mask[..., None], jax.vmap(jax.vmap(layer.activation))(s), jnp.zeros_like(s)))
    return inputs, sums, tuple(after)


def _back(layer: Layer, given: TimeMajor, sums: Array, errors: Array) -> tuple[Array, Array]:
    """δ of the layer at every step, and the errors of the layer below."""
    w, v, _ = layer.synapses
    taps, feedback = w.shape[0], v.shape[0]

    def one(future: Array, mask: Array, reset: Array, s: Array, e: Array) -> tuple[Array, tuple[Array, Array]]:
        delta = jnp.where(mask, layer.pull(s, e), jnp.zeros_like(s))
        here = delta[:, None] + jnp.sum(v * future[:feedback], axis=0)
        every = jnp.concatenate([here[None], future])
        below = jnp.sum(w * every[:taps], axis=(0, 1))
        future = jnp.where(mask, every[:-1], future)
        return jnp.where(reset, jnp.zeros_like(future), future), (delta, jnp.where(mask, below, jnp.zeros_like(below)))

    rows = given.mask.shape[1]
    future = jnp.zeros((rows, max(taps - 1, feedback), *w.shape[1:]), w.dtype)
    flags = (given.mask, given.reset, sums, errors)
    return jax.lax.scan(lambda c, at: jax.vmap(one)(c, *at), future, flags, reverse=True)[1]


def _collect(layer: Layer, given: TimeMajor, deltas: Array, memory: Memory) -> Synapses:
    """The gradient of a layer: δ times the derivatives of the sums, over all steps and rows."""

    def step(done: Any, at: Any) -> tuple[Any, None]:
        memory, total = done
        at, delta = at
        before = select(at.reset, empty_memory(layer.synapses), memory)
        new, _, slopes = jax.vmap(lambda x, m: advance(layer.synapses, x, m))(at.xs, before)
        # δ is zero where masked.
        parts = jax.tree.map(lambda a: jnp.sum(a, axis=0), jax.vmap(credit)(delta, slopes))
        return (select(at.mask, new, before), jax.tree.map(jnp.add, total, parts)), None

    zeros = jax.tree.map(jnp.zeros_like, layer.synapses)
    return jax.lax.scan(step, (memory, zeros), (given, deltas))[0][1]
