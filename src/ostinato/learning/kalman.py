"""The extended Kalman filter as a learning rule: the weights are the state that is estimated.

Singhal and Wu, NIPS 1988; decoupled: Puskorius and Feldkamp, IEEE Transactions on Neural Networks 5, 1994.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.cells.base import Cell, GatedCell
from ostinato.cells.fixed import free_parameters
from ostinato.data.batch import Examples
from ostinato.errors import SettingsError
from ostinato.kernels import step
from ostinato.layers import RNN, Readout
from ostinato.learning.base import Approximate, Exact, Loss, Refusal, is_causal, is_per_sequence, weighted_loss
from ostinato.learning.direct import Metrics, UpdateRule, as_metric
from ostinato.learning.parameter_vector import parameters_to_vector, vector_to_parameters
from ostinato.learning.readout import by_step, rows

Covariance = tuple[Array, ...]
"""`(groups, size, size)` for each size of groups."""


class KalmanCarry(NamedTuple):
    """The network, and the covariance of its weights: a block for each group, blocks of equal size together."""

    model: Any
    P: Covariance


class KalmanFilter(UpdateRule):
    r"""After each step of the sequences the weights move as a Kalman filter that observes the targets moves its state.

    $$A = \Big(r I + \sum_g H_g P_g H_g^\top\Big)^{-1},\quad K_g = P_g H_g^\top A,\quad
      w_g \leftarrow w_g + K_g\, (y^* - y),\quad P_g \leftarrow P_g - K_g H_g P_g + q I$$

    $H = dy/dw$ through all time, by real-time recurrent learning: $J' = \partial s'/\partial w + (\partial s'/\partial
    s) J$, $H = \partial y/\partial w + (\partial y/\partial s) J$, with the J of weights that have moved since. The
    rows of a batch are observed together (multi-stream training), $H$ `(rows * output, weights)`.

    * `noise` r: the variance of the targets about the outputs; `process` q: how much the weights may drift, which also
      keeps the filter from falling asleep; `spread`: $P_0 = $ `spread` $I$.
    * `groups`: `"global"`, one group of all weights, $O(n^2)$ memory; `"unit"`, one for the weights of each unit;
      `"array"`, one for each array. Correlations between groups are left out.

    Steps of weight 0 are not observed, and other weights are not told apart. Exact (recursive least squares) where the
    outputs are linear in the weights that are learned and `groups` is global; a linearisation otherwise. The loss among
    the metrics is of the outputs before each correction. Refuses bidirectional models and one output per sequence.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> from ostinato.data import FunctionBatches
    >>> def make(key):
    ...     xs = jax.random.normal(key, (1, 60, 1))
    ...     return ost.Examples(ost.SequenceBatch(xs), jnp.tanh(jnp.roll(xs, 1, axis=1)), jnp.full((1, 60), 1 / 60))
    >>> model = ost.RNN("elman", 1, 4, output_size=1, key=jax.random.key(0))
    >>> rule = KalmanFilter(noise=0.01)
    >>> result = ost.fit(model, FunctionBatches(make, 1), loss=ost.losses.squared, rule=rule, steps=6)
    >>> result.history[-1]["loss"] < 0.2 * result.history[0]["loss"]
    True

    ```
    """

    noise: float = eqx.field(static=True, default=0.1)
    process: float = eqx.field(static=True, default=0.0)
    spread: float = eqx.field(static=True, default=1.0)
    groups: str = eqx.field(static=True, default="global")

    def __check_init__(self) -> None:
        if self.noise <= 0 or self.spread <= 0 or self.process < 0:
            raise SettingsError(
                f"noise, spread, process: expected more than 0, more than 0, and 0 or more, got {self.noise}, "
                f"{self.spread}, {self.process}"
            )
        if self.groups not in ("global", "unit", "array"):
            raise SettingsError(f"groups: expected global, unit or array, got {self.groups!r}")

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        if not is_causal(model):
            return Refusal("a bidirectional model needs the whole sequence")
        if is_per_sequence(model):
            return Refusal("one output for a whole sequence is no observation at each step")
        if not isinstance(model, Cell | RNN):
            return Refusal("it is no cell: its step is not known")
        if not parameters_to_vector(model).size:
            return Refusal("none of its weights is learned")
        return Approximate("the network is linearised at each step, with derivatives by weights that have moved since")

    def init(self, model: Any, key: PRNGKeyArray) -> KalmanCarry:
        del key
        dtype = parameters_to_vector(self.check(model) and model).dtype
        blocks = [jnp.eye(g.shape[1], dtype=dtype) * self.spread for g in members(model, self.groups)]
        counts = [g.shape[0] for g in members(model, self.groups)]
        return KalmanCarry(
            model, tuple(jnp.broadcast_to(b, (n, *b.shape)) for b, n in zip(blocks, counts, strict=True))
        )

    def step(
        self, carry: KalmanCarry, loss: Loss, examples: Examples, key: PRNGKeyArray
    ) -> tuple[KalmanCarry, Metrics]:
        inputs = examples.inputs
        *lead, time = examples.weight.shape
        values, fields = by_step(inputs)
        _, targets, w = rows(examples, inputs.values)
        count = w.size // time
        through = lambda leaf: leaf.reshape(time, count, *leaf.shape[1:])
        genes = parameters_to_vector(carry.model)
        _, unravel = ravel_pytree(_cell(carry.model).init_state())

        def first(genes: Array) -> Array:
            return ravel_pytree(_cell(vector_to_parameters(carry.model, genes)).init_state())[0].astype(genes.dtype)

        def advance(genes: Array, state: Array, given: Any) -> tuple[Array, Array]:
            new, y = step(_cell(vector_to_parameters(carry.model, genes)), given, unravel(state))
            return ravel_pytree(new)[0].astype(genes.dtype), y.reshape(-1)

        def slopes(genes: Array, state: Array, J: Array, given: Any) -> tuple[Array, Array, Array, Array]:
            def both(genes: Array, state: Array) -> Any:
                found = advance(genes, state, given)
                return found, found

            ((s_w, s_s), (y_w, y_s)), (new, y) = jax.jacrev(both, argnums=(0, 1), has_aux=True)(genes, state)
            return new, y, s_w + s_s @ J, y_w + y_s @ J

        def one(moving: Any, at: Any) -> tuple[Any, Array]:
            genes, P, states, Js = moving
            t, x, target, counts, (mask, reset, dt) = at
            keys = jr.split(jr.fold_in(key, t), count)
            states, ys, Js, H = jax.vmap(slopes, in_axes=(None, 0, 0, 0))(
                genes, states, Js, (x.astype(genes.dtype), mask, reset, dt, keys)
            )
            zero = jnp.zeros((), genes.dtype)
            error = jnp.where(counts[:, None], target.astype(ys.dtype) - ys, zero).reshape(-1)
            H = jnp.where(counts[:, None, None], H, zero).reshape(error.size, -1)
            genes, P = self.observe(genes, P, H, error, members(carry.model, self.groups))
            return (genes, P, states, Js), ys

        state, J = first(genes), jax.jacrev(first)(genes)
        spread = lambda leaf: jnp.broadcast_to(leaf, (count, *leaf.shape))
        over = (jnp.arange(time), values, through(targets), through(w != 0), fields)
        (genes, P, _, _), ys = jax.lax.scan(one, (genes, carry.P, spread(state), spread(J)), over)
        ys = jnp.moveaxis(ys.reshape(time, *lead, -1), 0, len(lead)).reshape(examples.targets.shape)
        return KalmanCarry(vector_to_parameters(carry.model, genes), P), {
            "loss": as_metric(weighted_loss(loss, ys, examples))
        }

    def observe(
        self,
        genes: Float[Array, " n"],
        P: Covariance,
        H: Float[Array, "observed n"],
        error: Float[Array, " observed"],
        index: list[np.ndarray],
    ) -> tuple[Float[Array, " n"], Covariance]:
        """Weights and covariance after one observation."""
        parts = [H[:, g] for g in index]
        PH = [jnp.einsum("gij,mgj->gim", p, h) for p, h in zip(P, parts, strict=True)]
        A = self.noise * jnp.eye(error.size, dtype=error.dtype)
        for h, ph in zip(parts, PH, strict=True):
            A = A + jnp.einsum("mgi,gik->mk", h, ph)
        factor = jax.scipy.linalg.cho_factor(A)
        new = []
        for g, p, ph in zip(index, P, PH, strict=True):
            K = jax.vmap(lambda part: jax.scipy.linalg.cho_solve(factor, part.T).T)(ph)
            genes = genes.at[g].add(K @ error)
            p = p - jnp.einsum("gim,gjm->gij", K, ph) + self.process * jnp.eye(p.shape[-1], dtype=p.dtype)[None]
            new.append((p + jnp.swapaxes(p, 1, 2)) / 2)
        return genes, tuple(new)

    def model(self, carry: KalmanCarry) -> Any:
        return carry.model


def members(model: Any, groups: str) -> list[np.ndarray]:
    """Which weights belong together, as places in the vector of weights: `(groups, size)` for each size that there is.

    By unit: a cell's arrays are `(hidden,)`, `(gates, hidden)` or `(gates, hidden, inputs)`, a read-out's `(output,)`
    or `(output, inputs)`; the arrays of other layers are a group each.
    """
    blocks: list[np.ndarray] = []
    start = 0
    owners = jax.tree.leaves(model, is_leaf=lambda node: isinstance(node, GatedCell | Readout))
    for owner in owners:
        places: list[np.ndarray] = []
        for leaf in jax.tree.leaves(eqx.filter(owner, free_parameters(owner))):
            places.append(np.arange(start, start + leaf.size).reshape(leaf.shape))
            start += leaf.size
        if groups == "unit" and isinstance(owner, GatedCell | Readout) and places:
            gates = isinstance(owner, GatedCell)
            units = [
                np.moveaxis(p, min(1, p.ndim - 1) if gates else 0, 0).reshape(owner.hidden_size, -1) for p in places
            ]
            blocks += list(np.concatenate(units, axis=1))
        else:
            blocks += [p.reshape(-1) for p in places]
    if groups == "global":
        blocks = [np.concatenate(blocks)]
    return [np.stack([b for b in blocks if b.size == size]) for size in sorted({b.size for b in blocks})]


def _cell(model: Any) -> Cell:
    return model.cell if isinstance(model, RNN) else model
