"""Gradients of the equation itself, not of its steps: continuous-time BPTT and RTRL through Diffrax's adjoints.

Pearlmutter, "Gradient calculations for dynamic recurrent neural networks", IEEE Trans. Neural Networks 6 (1995).
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from ostinato.cells import Adaptive, Continuous
from ostinato.cells.integrate import Integrated
from ostinato.cells.wrapper import Wrapper
from ostinato.data.batch import Examples
from ostinato.errors import SettingsError
from ostinato.kernels import select, step
from ostinato.learning.base import (
    Approximate,
    Exact,
    GradientRule,
    Loss,
    Refusal,
    is_causal,
    is_per_sequence,
    start_state,
    weighted_loss,
)
from ostinato.learning.bptt import BPTT, StateCarry
from ostinato.types import State

EQUATION = "the gradient of the differential equation, to a tolerance; that of a network of fixed steps differs from it"


class ContinuousBPTT(GradientRule):
    r"""BPTT of a network whose `CTRNN` cells follow their equation, solved to a tolerance between the steps.

    $$\dot\lambda = -\Big(\frac{\partial f}{\partial s}\Big)^{\!\top} \lambda,\qquad
      \nabla_\theta = \int \lambda^\top \frac{\partial f}{\partial \theta}\, dt$$

    with f the cell's `rate`, and λ jumping by the error at each step of the sequence, whose lengths are `dt` (else the
    cell's `step`); inputs are held still over a step. `adjoint` is Diffrax's way of doing it: `"backsolve"` solves this
    equation backwards and stores nothing between steps; `"checkpoint"` goes back through the solver's own steps.

    The model keeps its own integrator when it is used; with short Euler steps both agree. On chunks errors stop at
    their starts, as in `BPTT`. Refuses models without a continuous cell. Raises `SettingsError` for another adjoint.
    """

    rtol: float = eqx.field(static=True, default=1e-5)
    atol: float = eqx.field(static=True, default=1e-7)
    adjoint: str = eqx.field(static=True, default="checkpoint")

    def __check_init__(self) -> None:
        if self.adjoint not in ("checkpoint", "backsolve", "direct"):
            raise SettingsError(f"adjoint: expected checkpoint, backsolve or direct, got {self.adjoint!r}")

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        return _applies(model)

    def init(self, model: Any, examples: Examples) -> StateCarry:
        self.check(model)
        return BPTT().init(model, examples)

    def __call__(
        self, model: Any, loss: Loss, examples: Examples, carry: StateCarry, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], PyTree, StateCarry]:
        solved = follow_equations(model, rtol=self.rtol, atol=self.atol, adjoint=self.adjoint)
        value, grads, carry = BPTT()(solved, loss, examples, carry, key)
        return value, _as(model, jax.tree.leaves(grads)), carry


class SensitivityCarry(NamedTuple):
    """The state and its derivatives by all weights, `(*batch, ..., weights)`, and the number of steps so far."""

    state: State
    P: Any
    step: Int[Array, ""]


class ContinuousRTRL(GradientRule):
    r"""RTRL of a network whose `CTRNN` cells follow their equation: the derivatives are solved for beside the state.

    $$\dot P = \frac{\partial f}{\partial s} P + \frac{\partial f}{\partial \theta},\qquad
      \nabla_\theta = \sum_t \Big(\frac{\partial \ell_t}{\partial s} P + \frac{\partial \ell_t}{\partial \theta}\Big)$$

    in forward mode through Diffrax's solver, one column of P for each weight. Nothing of the past is stored, and chunks
    of any length add up; a step costs as many forward passes as there are weights.

    Refuses what `ContinuousBPTT` refuses, models that look ahead, and those with one output per sequence.
    """

    rtol: float = eqx.field(static=True, default=1e-5)
    atol: float = eqx.field(static=True, default=1e-7)

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        if not is_causal(model):
            return Refusal("a bidirectional model needs the whole sequence")
        if is_per_sequence(model):
            return Refusal("one output for a whole sequence depends on every step of it")
        return _applies(model)

    def init(self, model: Any, examples: Examples) -> SensitivityCarry:
        self.check(model)
        weights, rest = eqx.partition(model, eqx.is_inexact_array)
        flat, back = ravel_pytree(weights)
        lead = examples.inputs.batch_shape

        def start(flat: Array) -> State:
            return start_state(eqx.combine(back(flat), rest), lead, None)

        return SensitivityCarry(start(flat), jax.jacfwd(start)(flat), jnp.asarray(0, jnp.int32))

    def __call__(
        self, model: Any, loss: Loss, examples: Examples, carry: SensitivityCarry, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], PyTree, SensitivityCarry]:
        del key  # continuous cells draw nothing
        cell = follow_equations(getattr(model, "stack", model), rtol=self.rtol, atol=self.atol, adjoint="forward")
        weights, rest = eqx.partition(cell, eqx.is_inexact_array)
        flat, back = ravel_pytree(weights)
        inputs, lead = examples.inputs, examples.weight.ndim - 1
        values = inputs.values
        if inputs.observed is not None:
            values = select(inputs.observed, values, jnp.zeros_like(values))

        def one(flat: Array, state: State, at: Any) -> tuple[State, Array]:
            """A step of all rows: the state after it, and its loss."""
            *flags, targets, weight = at
            built = eqx.combine(back(flat), rest)
            row = lambda flags, state: step(built, (*flags, None), state)
            for _ in range(lead):
                row = jax.vmap(row)
            state, y = row(tuple(flags), state)
            y, targets, weight = jax.tree.map(lambda a: jnp.expand_dims(a, lead), (y, targets, weight))
            return state, weighted_loss(loss, y, Examples(inputs.window(0, 1), targets, weight))

        def moved(done: Any, at: Any) -> tuple[Any, None]:
            state, P, value, grads = done

            def along(direction: Array, tangent: State) -> Any:
                return jax.jvp(lambda f, s: one(f, s, at), (flat, state), (direction, tangent))

            directions = jnp.eye(flat.size, dtype=flat.dtype)
            (state, part), (P, slopes) = jax.vmap(along, (0, -1), (None, (-1, 0)))(directions, P)
            return (state, P, value + part, grads + slopes), None

        fields = (values, inputs.mask, inputs.reset, inputs.dt, examples.targets, examples.weight)
        at = jax.tree.map(lambda a: jnp.moveaxis(a, lead, 0), fields)
        done = (carry.state, carry.P, jnp.zeros((), examples.weight.dtype), jnp.zeros_like(flat))
        (state, P, value, grads), _ = jax.lax.scan(moved, done, at)
        leaves = jax.tree.leaves(back(grads))
        return value, _as(model, leaves), SensitivityCarry(state, P, carry.step + inputs.time_size)


def follow_equations(model: Any, **settings: Any) -> Any:
    """The model with every continuous cell in it solved by `cells.Adaptive` with these settings; same states."""

    def solved(part: Any) -> Any:
        cell = part.cell if isinstance(part, Integrated) else part
        return Adaptive(cell, **settings) if isinstance(cell, Continuous) else part

    return jax.tree.map(solved, model, is_leaf=_whole)


def _applies(model: Any) -> Approximate | Refusal:
    parts = jax.tree.leaves(model, is_leaf=_whole)
    for part in parts:
        if isinstance(part, Wrapper) and not isinstance(part, Integrated):
            return Refusal(f"{type(part).__name__} counts steps, and the rule does not look inside")
    if not any(_whole(part) for part in parts):
        return Refusal("no cell of it has a differential equation (ctrnn has)")
    return Approximate(EQUATION)


def _whole(part: Any) -> bool:
    return isinstance(part, Wrapper | Continuous)


def _as(model: Any, leaves: list[Array]) -> PyTree:
    """Gradients in the structure of the model as it was: solved cells have the same weights in the same order."""
    return jax.tree.unflatten(jax.tree.structure(eqx.filter(model, eqx.is_inexact_array)), leaves)
