"""Plasticity without a teacher: Hebb's and Oja's rules for a read-out, intrinsic plasticity for a reservoir."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.cells.echo_state import EchoState
from ostinato.data.batch import Examples
from ostinato.errors import SettingsError
from ostinato.layers import RNN, Stack
from ostinato.learning.adaptive import RateReadout, Weights
from ostinato.learning.base import Approximate, Exact, Loss, Refusal
from ostinato.learning.direct import Metrics, UpdateRule, as_metric
from ostinato.learning.readout import by_step


class Hebb(RateReadout):
    r"""What fires together, wires together (Hebb 1949): $V \leftarrow V + \eta\, y x^\top$ at every step.

    With `supervised` the target stands in place of y: the associative memory that sums up $y^* x^\top$. Without, V
    grows along the largest eigenvector of $\langle x x^\top \rangle$ and without bound; `Oja` is the rule that stops.
    """

    rate: float = eqx.field(static=True, default=0.01)
    supervised: bool = eqx.field(static=True, default=False)
    intercept: bool = eqx.field(static=True, default=False)

    @property
    def why(self) -> str:
        return "the rule is the definition: it minimises no loss"

    def correct(
        self, memory: Any, V: Weights, x: Float[Array, " features"], error: Float[Array, " output"]
    ) -> tuple[Any, Weights]:
        y = V @ x
        return memory, V + self.rate * jnp.outer(error + y if self.supervised else y, x)


class Oja(RateReadout):
    r"""Hebb's rule with forgetting, so that V stays bounded: the read-out becomes principal components.

    $$V \leftarrow V + \eta\, (y x^\top - y y^\top V)$$

    One output finds the first principal component of features with mean 0, with length 1 (Oja, J. Math. Biology 15,
    1982); several find the space of the first ones (Oja 1989), and with `ordered`, where only the lower triangle of
    $y y^\top$ is taken, the components one by one (Sanger, Neural Networks 2, 1989). Targets are not used; the loss is
    reported only.
    """

    rate: float = eqx.field(static=True, default=0.01)
    ordered: bool = eqx.field(static=True, default=False)
    intercept: bool = eqx.field(static=True, default=False)

    @property
    def why(self) -> str:
        return "principal components in the limit of small rates; it minimises no loss of targets"

    def correct(
        self, memory: Any, V: Weights, x: Float[Array, " features"], error: Float[Array, " output"]
    ) -> tuple[Any, Weights]:
        del error
        y = V @ x
        yy = jnp.outer(y, y)
        return memory, V + self.rate * (jnp.outer(y, x) - (jnp.tril(yy) if self.ordered else yy) @ V)


class IntrinsicCarry(NamedTuple):
    """The network that was given, and the gain and bias of each unit of its reservoir."""

    template: Any
    gain: Float[Array, " hidden"]
    bias: Float[Array, " hidden"]


class IntrinsicPlasticity(UpdateRule):
    r"""Each unit of a reservoir learns a gain and a bias until its output is distributed as it should be.

    $$y = a(g\, n + b),\quad n = W x + R h,\qquad g, b \leftarrow g, b - \eta \nabla_{g, b} \Big(-\log
      \frac{\partial y}{\partial n} - \log p(y)\Big)$$

    the stochastic gradient of the Kullback-Leibler divergence from the wanted distribution p. For tanh, p is normal
    with `mean` and `deviation` (Schrauwen et al., Neurocomputing 71, 2008); for sigmoid units exponential with `mean`
    (Triesch, ICANN 2005), `deviation` then has no meaning. Rows of a batch are averaged at each step; steps that are
    masked teach nothing.

    Holds for networks whose first layer is an `EchoState` with tanh or sigmoid; its rows are multiplied by the gain, so
    that nothing but its weights changes. Targets are not used. The loss among the metrics is the mean over units of the
    squared differences of mean (and deviation) from those wanted, over the batch.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> from ostinato.data import FunctionBatches
    >>> def make(key):
    ...     xs = jax.random.normal(key, (1, 100, 1))
    ...     return ost.Examples(ost.SequenceBatch(xs), jnp.zeros((1, 100, 20)), jnp.ones((1, 100)))
    >>> cell = ost.cells.EchoState(1, 20, key=jax.random.key(0))
    >>> rule = IntrinsicPlasticity(rate=1e-3, deviation=0.2)
    >>> result = ost.fit(cell, FunctionBatches(make, 1), loss=ost.losses.squared, rule=rule, steps=60)
    >>> result.history[-1]["loss"] < 0.1 * result.history[0]["loss"]
    True

    ```
    """

    rate: float = eqx.field(static=True, default=1e-3)
    mean: float = eqx.field(static=True, default=0.0)
    deviation: float = eqx.field(static=True, default=0.2)

    def __check_init__(self) -> None:
        if self.rate <= 0 or self.deviation <= 0:
            raise SettingsError(
                f"rate, deviation: expected more than 0 and more than 0, got {self.rate}, {self.deviation}"
            )

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        cell = reservoir_of(model)
        if cell is None:
            return Refusal("its first layer is no EchoState")
        if cell.activation not in ("tanh", "sigmoid"):
            return Refusal(f"the reservoir's units are {cell.activation}: the rule is known for tanh and sigmoid")
        if cell.activation == "sigmoid" and self.mean <= 0:
            return Refusal(f"sigmoid units need a mean of more than 0, not {self.mean}")
        return Approximate("the gradient of a divergence step by step, with the state that the weights before it gave")

    def init(self, model: Any, key: PRNGKeyArray) -> IntrinsicCarry:
        del key
        cell = reservoir_of(self.check(model) and model)
        assert cell is not None
        return IntrinsicCarry(model, jnp.ones_like(cell.b[0]), cell.b[0])

    def step(
        self, carry: IntrinsicCarry, loss: Loss, examples: Examples, key: PRNGKeyArray
    ) -> tuple[IntrinsicCarry, Metrics]:
        del loss, key
        cell = reservoir_of(carry.template)
        assert cell is not None
        values, (mask, reset, _) = by_step(examples.inputs)
        there = jnp.ones(values.shape[:2], bool) if mask is None else mask
        again = jnp.zeros(values.shape[:2], bool) if reset is None else reset

        def one(moving: Any, at: Any) -> tuple[Any, Any]:
            gain, bias, h = moving
            x, there, again = at
            h = jnp.where(again[:, None], jnp.zeros_like(h), h)
            x = jnp.where(there[:, None], x.astype(h.dtype), jnp.zeros_like(h[:, :1]))
            net = x @ cell.W[0].T + h @ cell.R[0].T
            y = jax.vmap(lambda n: self._output(cell, gain, bias, n))(net)
            slopes = jax.vmap(lambda n: jax.grad(self._divergence, argnums=(1, 2))(cell, gain, bias, n))(net)
            share = there.astype(h.dtype) / jnp.maximum(jnp.sum(there.astype(h.dtype)), jnp.ones((), h.dtype))
            gain, bias = (p - self.rate * (share @ s) for p, s in zip((gain, bias), slopes, strict=True))
            h = jnp.where(there[:, None], (1 - cell.leak) * h + cell.leak * y, h)
            return (gain, bias, h), y

        h = jnp.zeros((values.shape[1], cell.hidden_size), carry.gain.dtype)
        (gain, bias, _), ys = jax.lax.scan(one, (carry.gain, carry.bias, h), (values, there, again))
        return IntrinsicCarry(carry.template, gain, bias), {"loss": as_metric(self._distance(cell, ys, there))}

    def model(self, carry: IntrinsicCarry) -> Any:
        cell = reservoir_of(carry.template)
        assert cell is not None
        rows = carry.gain[None, :, None]
        return eqx.tree_at(
            lambda m: [getattr(reservoir_of(m), name) for name in ("W", "R", "b")],
            carry.template,
            [rows * cell.W, rows * cell.R, carry.bias[None]],
        )

    def _output(self, cell: EchoState, gain: Array, bias: Array, net: Array) -> Array:
        return jnp.tanh(gain * net + bias) if cell.activation == "tanh" else jax.nn.sigmoid(gain * net + bias)

    def _divergence(self, cell: EchoState, gain: Array, bias: Array, net: Array) -> Float[Array, ""]:
        """Summed over units, up to a constant."""
        y = self._output(cell, gain, bias, net)
        if cell.activation == "tanh":
            slope = jnp.log1p(-jnp.square(y))
            return jnp.sum(-jnp.log(jnp.abs(gain)) - slope + jnp.square(y - self.mean) / (2 * self.deviation**2))
        return jnp.sum(-jnp.log(jnp.abs(gain)) - jnp.log(y) - jnp.log1p(-y) + y / self.mean)

    def _distance(self, cell: EchoState, ys: Array, there: Array) -> Float[Array, ""]:
        weight = there.astype(ys.dtype)[..., None] / jnp.maximum(
            jnp.sum(there.astype(ys.dtype)), jnp.ones((), ys.dtype)
        )
        mean = jnp.sum(weight * ys, axis=(0, 1))
        deviation = jnp.sqrt(jnp.sum(weight * jnp.square(ys - mean[None, None]), axis=(0, 1)))
        off = jnp.square(mean - self.mean)
        return jnp.mean(off + jnp.square(deviation - self.deviation) if cell.activation == "tanh" else off)


def reservoir_of(model: Any) -> EchoState | None:
    """The reservoir at the bottom of a model, if there is one."""
    stack = model.stack if isinstance(model, RNN) else model
    first = stack.layers[0] if isinstance(stack, Stack) else stack
    return first if isinstance(first, EchoState) else None
