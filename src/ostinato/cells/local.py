"""Cells whose gradients through time are local to each synapse: what rules without a stored history need of them.

Exact real-time recurrent learning (Williams and Zipser, Neural Computation 1, 1989) costs no more than the forward pass
where no unit sees another one's state: each weight then carries one trace of its own.
"""

import abc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from ostinato.cells.base import Cell, GatedCell
from ostinato.errors import SettingsError
from ostinato.types import State

Synapses = PyTree[Any]
"""Arrays in the structure of a cell's parameters, one number for each synapse."""


class LocalCell(Cell):
    """A cell that keeps, beside its state, how each unit depends on each of its own weights."""

    @abc.abstractmethod
    def sensitivities(self, x: Array, state: State, traces: Synapses) -> tuple[State, Array, Synapses, Synapses]:
        r"""One step with its derivatives: `(state, y, traces, slopes)`.

        The traces are $e_{ij} = ds_j / d\theta_{ij}$ through all time, with the weights held still, and the slopes
        $dy_j / d\theta_{ij}$; j is the unit that the weight belongs to.
        """

    @abc.abstractmethod
    def credit(self, feedback: Float[Array, " output"], slopes: Synapses) -> Synapses:
        r"""$f_j\, dy_j / d\theta_{ij}$: what each synapse did for $f^\top y$."""

    @abc.abstractmethod
    def plasticity(self, gate: float) -> Synapses:
        """The learning rate of each synapse, relative to that of the others; `gate` is that of gates, if there are any.

        Leaves broadcast against the parameters.
        """

    def restart(self, state: State) -> State:
        """The state at the beginning of a trial, for rules that clear the memory between trials."""
        del state
        return self.init_state()

    def no_traces(self) -> Synapses:
        """The traces before the first step."""
        return jax.tree.map(jnp.zeros_like, eqx.filter(self, eqx.is_inexact_array))


class DiagonalCell(GatedCell, LocalCell):
    r"""A gated cell without a recurrent product: its traces follow from `update` alone.

    $$e_t = \frac{\partial h_t}{\partial \theta} + d_t \odot e_{t-1},\quad
      d_t = \frac{\partial h_t}{\partial h_{t-1}}$$

    Both derivatives come from one reverse pass with ones, since unit j of the state depends on its own weights and
    its own past alone. The axis of the units is the last but one of a matrix and the last of a vector of each gate.
    """

    def sensitivities(self, x: Array, state: State, traces: Synapses) -> tuple[State, Array, Synapses, Synapses]:
        if self.recurrent() is not None:
            raise SettingsError(f"{type(self).__name__}: has a recurrent product; its traces are not local")
        weights, rest = eqx.partition(self, eqx.is_inexact_array)
        leaves, structure = jax.tree.flatten(weights)

        def new(leaves: list[Array], fields: list[Array]) -> list[Array]:
            cell = eqx.combine(jax.tree.unflatten(structure, leaves), rest)
            return [cell.update(cell.project(x), None, state._replace(h=fields[0]))[0].h]

        moved = follow(new, leaves, [state.h], [jax.tree.leaves(traces)], [unit_axis(leaf.ndim) for leaf in leaves])
        made = jax.tree.unflatten(structure, moved.traces[0])
        h = moved.fields[0]
        return state._replace(h=h), h, made, made

    def credit(self, feedback: Float[Array, " output"], slopes: Synapses) -> Synapses:
        return jax.tree.map(lambda e: along(feedback, e, unit_axis(e.ndim)) * e, slopes)


class Moved(NamedTuple):
    """Fields of the state after a step, and for each of them the traces of all weights."""

    fields: list[Array]
    traces: list[list[Array]]


def follow(
    new: Callable[[list[Array], list[Array]], list[Array]],
    weights: list[Array],
    fields: list[Array],
    traces: list[list[Array]],
    axes: Sequence[int],
) -> Moved:
    r"""One step of a layer whose units do not see one another, with its traces, in the size of the weights.

    $$e^k_{ij} \leftarrow \frac{\partial s^k_j}{\partial \theta_{ij}}
      + \sum_l \frac{\partial s^k_j}{\partial s^l_j}\, e^l_{ij}$$

    `new(weights, fields)` gives the fields of the state after the step, each `(hidden,)`; `axes` are those of the units
    in the weights. One reverse pass with ones for each field gives both derivatives of all units, because unit j
    depends on its own weights and its own past alone; where that is not so, the result is wrong
    (`tracing.unit_axes` tells).
    """
    after, pull = jax.vjp(new, weights, fields)
    made = []
    for ones in ones_in_turn(after):
        now, through = pull(ones)
        for d, trace in zip(through, traces, strict=True):
            now = [i + along(d, e, axis) * e for i, e, axis in zip(now, trace, axes, strict=True)]
        made.append(now)
    return Moved(after, made)


def ones_in_turn(fields: list[Array]) -> list[list[Array]]:
    """For each field, ones in it and zeros in the others."""
    count = range(len(fields))
    return [[jnp.ones_like(f) if k == at else jnp.zeros_like(f) for at, f in enumerate(fields)] for k in count]


def unit_axis(dimensions: int) -> int:
    """The axis of the units in `(hidden,)`, `(gates, hidden)` and `(gates, hidden, input)`."""
    return min(1, dimensions - 1)


def along(units: Array, like: Array, axis: int) -> Array:
    """A number for each unit, in the shape of an array whose units lie along `axis`."""
    return jnp.broadcast_to(units.reshape((1,) * axis + units.shape + (1,) * (like.ndim - axis - 1)), like.shape)
