"""Kronecker-factored real-time recurrent learning (Mujika, Meier and Steger, NeurIPS 2018)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.cells.base import GatedCell
from ostinato.cells.wrapper import GatedWrapper
from ostinato.kernels import select, step
from ostinato.kernels.loop import INIT
from ostinato.layers import Stack
from ostinato.learning.base import Approximate, Exact, Loss, Refusal
from ostinato.learning.dynamics import Dynamics, Item, cell_of, differentiable, weighed
from ostinato.learning.local_rules import recurrent_cell, with_cell
from ostinato.learning.online import OnlineRule
from ostinato.learning.uoro import balance
from ostinato.tracing.affine import operations
from ostinato.types import State


class Factors(NamedTuple):
    """For one product of the cell: `u` of its input, and the derivative A of the state by its output."""

    u: Float[Array, " columns"]
    A: Float[Array, "state rows"]


class KFRTRL(OnlineRule):
    r"""The matrix of RTRL as a Kronecker product of a vector and a matrix that is right on average.

    What a step adds to it is such a product already: with $a = V v$, V a matrix of weights and v what it multiplies,

    $$\frac{\partial s_t}{\partial V} = v_t \otimes D_t,\quad D = \frac{\partial s_t}{\partial a_t},\qquad
      u_t = \sigma_1 \rho_1 u_{t-1} + \sigma_2 \rho_2 v_t,\qquad
      A_t = \frac{\sigma_1}{\rho_1} J_t A_{t-1} + \frac{\sigma_2}{\rho_2} D_t$$

    with random signs σ and $\rho$ that balance the two factors, so that $E[u_t \otimes A_t] = P_t$. The product with
    the input (and bias), $v = (x, 1)$, and that with the state, $v = (h, 1)$, have factors of their own. Unbiased, with
    less variance than UORO, in storage of n² and time of n³ for n units.

    For one recurrent layer of a gated cell whose weights are W, b and R alone (and b_h where there is one).
    """

    def holds(self, model: Any) -> Exact | Approximate | Refusal:
        cell = recurrent_cell(cell_of(model))
        if isinstance(cell, str):
            return Refusal(cell)
        if not _products_only(cell) or len(self.view(model).moving) != len(_weights(cell)):
            return Refusal("weights other than W, b and R move its state")
        return Approximate("unbiased: right on average over its random signs")

    def signs(self, key: PRNGKeyArray, dtype: Any) -> Float[Array, " 2"]:
        """The two random signs of one step, for one product."""
        return jr.rademacher(key, (2,), dtype)

    def first(self, view: Dynamics, leaves: list[Array], key: PRNGKeyArray) -> list[Factors]:
        del leaves, key
        n, cell = sum(view.sizes), _cell(view.model)
        made = []
        for matrix, bias in _products(cell):
            gates, units, columns = matrix.shape
            u = jnp.zeros(columns + (bias is not None), view.dtype)
            made.append(Factors(u, jnp.zeros((n, gates * units), view.dtype)))
        return made

    def advance(
        self,
        view: Dynamics,
        leaves: list[Array],
        loss: Loss,
        items: Item,
        state: State,
        traces: list[Factors],
        key: PRNGKeyArray,
    ) -> tuple[Array, list[Array], State, list[Factors]]:
        item = jax.tree.map(lambda a: a[0], items)
        fields, join = differentiable(state)
        flat, split = view.ravel(fields)
        products = _products(_cell(view.model))
        probes = [jnp.zeros(matrix.shape[:2], flat.dtype) for matrix, _ in products]

        def run(leaves: list[Array], flat: Array, probes: list[Array]) -> tuple[tuple[Array, Array], State]:
            cell = with_cell(view.cell(leaves), lambda cell: Probed(cell, probes))
            after, y = step(cell, item[:5], join(split(flat)))
            value = weighed(loss, y, item.target, item.weight)
            return (value, view.ravel(differentiable(after)[0])[0]), after

        (total, end), pull, after = jax.vjp(run, leaves, flat, probes, has_aux=True)
        grads, error, _ = pull((jnp.ones_like(total), jnp.zeros_like(end)))
        places = {id(leaf): i for i, leaf in enumerate(view.leaves)}
        for (matrix, bias), (u, A) in zip(products, traces, strict=True):
            credit = (error @ A)[:, None] * u[None, :]
            grads[places[id(matrix)]] += credit[:, : matrix.shape[2]].reshape(matrix.shape)
            if bias is not None:
                grads[places[id(bias)]] += credit[:, -1].reshape(bias.shape)

        def row(one: Array) -> tuple[Array, list[Array]]:
            _, of_state, of_probes = pull((jnp.zeros_like(total), one))
            return of_state, [p.reshape(-1) for p in of_probes]

        through, immediate = jax.vmap(row)(jnp.eye(end.size, dtype=end.dtype))
        made = []
        seen = _seen(view.cell(leaves), item, state)
        for k, ((_, bias), (u, A), v, D) in enumerate(zip(products, traces, seen, immediate, strict=True)):
            if bias is not None:
                v = jnp.concatenate([v, jnp.ones((1,), v.dtype)])
            one, two = self.signs(jr.fold_in(key, k), flat.dtype)
            carried = through @ A
            rho1, rho2 = balance(carried, u), balance(D, v)
            made.append(Factors(one * rho1 * u + two * rho2 * v, one * carried / rho1 + two * D / rho2))
        return total, grads, after, made


class Probed(GatedWrapper):
    """A cell with something added to each of its products."""

    probes: list[Array]

    def __init__(self, cell: GatedCell, probes: list[Array]):
        super().__init__(cell)
        self.probes = probes

    def project(self, x: Array) -> Array:
        return self.cell.project(x) + self.probes[0]

    def from_hidden(self, state: State) -> Array | None:
        product = self.cell.from_hidden(state)
        return None if product is None else product + self.probes[1]


def _cell(model: Any) -> Any:
    return recurrent_cell(cell_of(model))


def _products(cell: Any) -> list[tuple[Array, Array | None]]:
    """The matrix and the bias of each product."""
    recurrent = cell.recurrent()
    return [(cell.W, cell.b), *([] if recurrent is None else [recurrent])]


def _weights(cell: Any) -> list[Array]:
    return [weight for product in _products(cell) for weight in product if weight is not None]


def _products_only(cell: Any) -> bool:
    """Whether the weights of its products are fields of the cell, and the first of them is `W x + b`."""
    if not (hasattr(cell, "W") and hasattr(cell, "b") and cell.W.ndim == 3):
        return False
    own = {id(leaf) for leaf in jax.tree.leaves(eqx.filter(cell, eqx.is_inexact_array))}
    x = jax.ShapeDtypeStruct((cell.input_size,), cell.W.dtype)
    return {id(weight) for weight in _weights(cell)} == own and operations(cell.project, x) == ["dot_general", "add"]


def _seen(cell: Any, item: Item, state: State) -> list[Array]:
    """What the products of the recurrent layer are of, in this step."""
    if item.reset is not None:
        key = None if item.key is None else jr.fold_in(item.key, INIT)
        state = select(item.reset, cell.init_state(key=key), state)
    x = item.x if item.mask is None else jnp.where(item.mask, item.x, jnp.zeros_like(item.x))
    for i, layer in enumerate(getattr(cell, "layers", (cell,))):
        own = state[i] if isinstance(cell, Stack) else state
        if not layer.pointwise:
            return [x, layer.hidden(own)][: len(_products(layer))]
        key = None if item.key is None else jr.fold_in(item.key, i)
        x = layer(x, own, dt=item.dt, key=key)[1]
    raise AssertionError("no recurrent layer")
