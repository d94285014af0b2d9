"""SnAp-n: forward derivatives kept only where a weight reaches a unit within n steps (Menick et al., ICLR 2021)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PRNGKeyArray

from ostinato.cells.base import GatedCell
from ostinato.cells.local import along
from ostinato.errors import SettingsError
from ostinato.kernels import step
from ostinato.layers import Stack
from ostinato.learning.base import Approximate, Exact, Loss, Refusal
from ostinato.learning.dynamics import Dynamics, Item, Locality, cell_of, differentiable, weighed
from ostinato.learning.local_rules import NOTHING_MOVES, DiagonalRecurrence, LocalRule, recurrent_cell
from ostinato.learning.rtrl import start_jacobian
from ostinato.types import State


class SnAp(LocalRule):
    r"""Sparse n-step approximation: real-time recurrent learning on the entries that fill within n steps.

    $$P_t = M_n \odot \Big(\frac{\partial s_t}{\partial \theta}
      + \frac{\partial s_t}{\partial s_{t-1}} P_{t-1}\Big),\qquad
      \nabla_t = \frac{\partial \ell_t}{\partial s_t} P_t$$

    $M_n$ is 1 where the weight's unit reaches the other one over n - 1 recurrent weights that are not 0. SnAp-1 keeps
    each weight's effect on its own unit: one trace for each weight, at the cost of the forward pass. With n > 1 it
    differs from RTRL only where recurrent weights are 0, as they are in a sparse network; the product here is dense,
    so that the cost is RTRL's whatever n is. Which weights are 0 is read when a sequence begins.

    Exact without a recurrent product, and for n so large that every unit is reached.
    """

    n: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        if self.n < 1:
            raise SettingsError(f"n: expected 1 step or more, got {self.n}")

    def wrap(self, cell: GatedCell) -> GatedCell:
        return DiagonalRecurrence(cell)  # pyright: ignore[reportCallIssue] - Equinox keeps the written constructor

    def leaves_out(self) -> str:
        if self.n == 1:
            return "a weight's effect on units other than its own"
        return f"a weight's effect on units that it does not reach within {self.n} steps"

    def view(self, model: Any) -> Dynamics:
        return super().view(model) if self.n == 1 else Dynamics(model)

    def holds(self, model: Any) -> Exact | Approximate | Refusal:
        cell = recurrent_cell(cell_of(model))
        view = super().view(model)
        if not view.moving:
            return Exact(NOTHING_MOVES)
        if isinstance(cell, str):
            return Refusal(cell)
        found = view.local()
        if not isinstance(found, Locality):
            return Refusal(f"its traces are not local to each weight: {found}")
        return self.judge(model, cell)

    def first(self, view: Dynamics, leaves: list[Array], key: PRNGKeyArray) -> Any:
        if self.n == 1 or not view.moving:
            return super().first(view, leaves, key)
        return start_jacobian(view, leaves), self._pattern(view, leaves)

    def advance(
        self, view: Dynamics, leaves: list[Array], loss: Loss, items: Item, state: State, traces: Any, key: PRNGKeyArray
    ) -> tuple[Array, list[Array], State, Any]:
        if self.n == 1 or not view.moving:
            return super().advance(view, leaves, loss, items, state, traces, key)
        total, grads, state, P = _masked_step(view, leaves, loss, items, state, *traces)
        return total, grads, state, (P, traces[1])

    def _pattern(self, view: Dynamics, leaves: list[Array]) -> Array:
        """Which unit feels which weight: `(units, weights)`."""
        cell, local = recurrent_cell(cell_of(view.model)), super().view(view.model).local()
        assert isinstance(cell, GatedCell)
        assert isinstance(local, Locality)
        recurrent, n = cell.recurrent(), view.sizes[0]
        own = jnp.eye(n, dtype=bool)
        near = own if recurrent is None else own | jnp.any(recurrent[0] != 0, axis=0)
        reach = own
        for _ in range(min(self.n - 1, n)):
            reach = jnp.any(near[:, :, None] & reach[None], axis=1)
        units = jnp.arange(n, dtype=jnp.int32)
        owner = [along(units, leaf, axis) for leaf, axis in zip(view.moved(leaves), local.axes, strict=True)]
        return reach[:, jnp.concatenate([o.reshape(-1) for o in owner])]


def _masked_step(
    view: Dynamics, leaves: list[Array], loss: Loss, items: Item, state: State, P: Array, pattern: Array
) -> tuple[Array, list[Array], State, Array]:
    """A step with the entries of the matrix that the pattern keeps, those of the layer's output too."""
    item = jax.tree.map(lambda a: a[0], items)
    fields, join = differentiable(state)
    flat, split = view.ravel(fields)

    def lower(moving: list[Array], flat: Array) -> tuple[Array, tuple[State, Array]]:
        after, z = below(view.cell(view.placed(moving, leaves)), item, join(split(flat)))
        return jnp.concatenate([view.ravel(differentiable(after)[0])[0], z]), (after, z)

    def upper(leaves: list[Array], z: Array) -> Array:
        return weighed(loss, above(view.cell(leaves), item, z), item.target, item.weight)

    rows, pull, (after, z) = jax.vjp(lower, view.moved(leaves), flat, has_aux=True)
    immediate, through = jax.vmap(pull)(jnp.eye(rows.size, dtype=rows.dtype))
    immediate = jnp.concatenate([a.reshape(rows.size, -1) for a in immediate], axis=1)
    kept = jnp.tile(pattern, (rows.size // pattern.shape[0], 1))
    P = jnp.where(kept, immediate + through @ P, jnp.zeros_like(immediate))
    total, (grads, error) = jax.value_and_grad(upper, argnums=(0, 1))(leaves, z)
    credit = view.ravel(view.moved(leaves))[1](error @ P[flat.size :])
    grads = view.placed([g + c for g, c in zip(view.moved(grads), credit, strict=True)], grads)
    return total, grads, after, P[: flat.size]


def below(cell: Any, item: Item, state: State) -> tuple[State, Array]:
    """The layers up to the recurrent one."""
    if not isinstance(cell, Stack):
        return step(cell, item[:5], state)
    size = 1 + next(i for i, layer in enumerate(cell.layers) if not layer.pointwise)
    after, z = step(Stack(cell.layers[:size], residual=cell.residual), item[:5], state[:size])
    return (*after, *state[size:]), z


def above(cell: Any, item: Item, z: Array) -> Array:
    """The layers above the recurrent one, as the stack would run them."""
    if not isinstance(cell, Stack):
        return z
    size = 1 + next(i for i, layer in enumerate(cell.layers) if not layer.pointwise)
    for i, layer in enumerate(cell.layers[size:], size):
        key = None if item.key is None else jr.fold_in(item.key, i)
        _, z = layer(z, layer.init_state(), dt=item.dt, key=key)
    return z if item.mask is None else jnp.where(item.mask, z, jnp.zeros_like(z))
