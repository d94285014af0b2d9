"""Causal recursive back-propagation (Campolucci, Uncini, Piazza and Rao, IEEE Trans. Neural Networks 10, 1999)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from ostinato.data.batch import Examples
from ostinato.errors import SettingsError
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
    responses,
    time_major,
    value_and_errors,
)
from ostinato.learning.rbp import forward_all, fresh


class Delayed(NamedTuple):
    """What a layer keeps until the errors of its present have come down, the newest first.

    `xs`, `sums` and `real` are its last inputs, sums, and whether there was a step at all; `memory` is that of the
    delayed moment; `deltas` are the δ that the layer below waits for.
    """

    xs: Float[Array, "delay input"]
    sums: Float[Array, "delay hidden"]
    real: Bool[Array, " delay"]
    memory: Memory
    deltas: Float[Array, "horizon hidden"]


class CausalCarry(NamedTuple):
    """The memories of the forward pass and what waits, by layer and row; the number of steps so far."""

    memories: tuple[Memory, ...]
    waiting: tuple[Delayed, ...]
    step: Int[Array, ""]


class CRBP(GradientRule):
    r"""Recursive back-propagation made causal: errors come from at most `horizon` steps ahead, and are that much late.

    $$e_n[t - D_l] = \sum_q \sum_{p=0}^{Q_{l+1}} \delta_q[t - D_l + p]\, h_{qn}^{(p)},\qquad
      D_l = \sum_{k > l} Q_k$$

    for layer l, where $Q_k$ is the horizon, or less where a layer's filters end before it. Each layer's weights learn
    from its moment $D_l$ steps ago, for which its inputs, sums and errors are kept: nothing else grows with time, and
    chunks of any length add up. In the last $D_l$ steps of a sequence, and before a reset, layer l learns nothing: what
    it would need lies ahead. Steps of weight 0 after the end bring that in.

    * Exact where no layer but the first has a memory; there it is `RBP` step by step (and back-propagation, with one
      tap and no feedback).
    * Exact but for the end with finite filters no longer than the horizon: temporal back-propagation.
    * `horizon=0` is the rule of Back and Tsoi (`BackTsoi`), in which errors pass a layer through $w^{(0)}$ alone.

    Refuses what `RBP` refuses. Raises `SettingsError` for a negative horizon.
    """

    horizon: int = eqx.field(static=True)

    def __init__(self, horizon: int = 5):
        if horizon < 0:
            raise SettingsError(f"horizon: expected 0 or more, got {horizon}")
        self.horizon = horizon

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        why = refusal(model)
        if why is not None:
            return Refusal(why)
        layers = layers_of(model)[1:]
        if all(layer.reach == 0 for layer in layers):
            return Exact("no layer above the first remembers, so that errors come at once")
        if all(layer.reach is not None and layer.reach <= self.horizon for layer in layers):
            return Approximate(f"lower layers learn nothing in the last {sum(self._horizons(model))} steps")
        return Approximate(f"errors come from at most {self.horizon} steps ahead for each layer that they pass")

    def init(self, model: Any, examples: Examples) -> CausalCarry:
        self.check(model)
        layers, rows = layers_of(model), time_major(examples).xs.shape[1]
        waiting = jax.tree.map(
            lambda leaf: jnp.broadcast_to(leaf, (rows, *leaf.shape)), empty_waiting(layers, self._horizons(model))
        )
        memories = tuple(fresh(layer.synapses, rows) for layer in layers)
        return CausalCarry(memories, waiting, jnp.asarray(0, jnp.int32))

    def __call__(
        self, model: Any, loss: Loss, examples: Examples, carry: CausalCarry, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], PyTree, CausalCarry]:
        del key
        layers, given = layers_of(model), time_major(examples)
        inputs, sums, memories = forward_all(layers, given, carry.memories)
        value, errors = value_and_errors(loss, inputs[-1], examples)
        waiting, found = self._learn(model, given, tuple(inputs[:-1]), tuple(sums), errors, carry.waiting)
        return value, gradients(model, found), CausalCarry(memories, waiting, carry.step + given.xs.shape[0])

    def _horizons(self, model: Any) -> tuple[int, ...]:
        """Q of each layer: how far ahead the layer below it looks; 0 for the first, which is above none."""
        reaches = [layer.reach for layer in layers_of(model)[1:]]
        return (0, *(self.horizon if reach is None else min(self.horizon, reach) for reach in reaches))

    def _learn(
        self,
        model: Any,
        given: TimeMajor,
        inputs: tuple[Array, ...],
        sums: tuple[Array, ...],
        errors: Array,
        waiting: tuple[Delayed, ...],
    ) -> tuple[tuple[Delayed, ...], list[Synapses]]:
        layers, horizons = layers_of(model), self._horizons(model)
        ahead = [responses(layer.synapses, q + 1)[::-1] for layer, q in zip(layers, horizons, strict=True)]
        start = empty_waiting(layers, horizons)
        zeros = [jax.tree.map(jnp.zeros_like, layer.synapses) for layer in layers]

        def row(waiting: Any, mask: Array, reset: Array, xs: Any, sums: Any, e: Array) -> Any:
            before = select(reset, start, waiting)
            after, parts = list(before), list(zeros)
            for i in reversed(range(len(layers))):
                kept, layer = before[i], layers[i]
                # What comes out at the far end of the delays is the moment that e belongs to.
                lines = [
                    _through(xs[i], kept.xs),
                    _through(sums[i], kept.sums),
                    _through(jnp.ones((), bool), kept.real),
                ]
                (x, xs_kept), (s, sums_kept), (real, real_kept) = lines
                memory, _, slopes = advance(layer.synapses, x, kept.memory)
                delta = jnp.where(real & mask, layer.pull(s, e), jnp.zeros_like(s))
                parts[i] = credit(delta, slopes)
                window = jnp.concatenate([delta[None], kept.deltas])
                e = jnp.sum(window[:, :, None] * ahead[i], axis=(0, 1))
                after[i] = Delayed(xs_kept, sums_kept, real_kept, memory, window[: horizons[i]])
            return select(mask, tuple(after), before), parts

        def step(done: Any, at: Any) -> tuple[Any, None]:
            waiting, total = done
            waiting, parts = jax.vmap(row)(waiting, *at)
            parts = jax.tree.map(lambda a: jnp.sum(a, axis=0), parts)
            return (waiting, jax.tree.map(jnp.add, total, parts)), None

        steps = (given.mask, given.reset, inputs, sums, errors)
        return jax.lax.scan(step, (waiting, zeros), steps)[0]


class BackTsoi(CRBP):
    """The rule of Back and Tsoi: `CRBP` with a horizon of 0, in which errors pass a layer through its first taps alone.

    Back and Tsoi, "FIR and IIR synapses", Neural Computation 3 (1991).
    """

    def __init__(self) -> None:
        super().__init__(0)


def empty_waiting(layers: list[Layer], horizons: tuple[int, ...]) -> tuple[Delayed, ...]:
    """Before the first step, for one row."""
    found = []
    for i, layer in enumerate(layers):
        _, hidden, inputs = layer.synapses.w.shape
        delay, dtype = sum(horizons[i + 1 :]), layer.synapses.w.dtype
        xs, s = jnp.zeros((delay, inputs), dtype), jnp.zeros((delay, hidden), dtype)
        deltas = jnp.zeros((horizons[i], hidden), dtype)
        found.append(Delayed(xs, s, jnp.zeros(delay, bool), empty_memory(layer.synapses), deltas))
    return tuple(found)


def _through(new: Array, line: Array) -> tuple[Array, Array]:
    """A delay line: what comes out, and the line after it."""
    whole = jnp.concatenate([new[None], line])
    return whole[-1], whole[:-1]
