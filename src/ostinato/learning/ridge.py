"""Ridge regression of the read-out: the closed form of what echo-state networks are trained by (Jaeger 2001)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.data.batch import Examples
from ostinato.errors import SettingsError
from ostinato.kernels import Packed, gram
from ostinato.learning.base import Approximate, Exact, Loss, Refusal
from ostinato.learning.direct import Metrics, UpdateRule, as_metric
from ostinato.learning.readout import features, linear_readout, packed_reservoir, readout_of, rows, with_readout


class RidgeCarry(NamedTuple):
    """The network, and the weighted sums over all examples so far: x x', x y', x, y, and the weights themselves.

    `packed` is the matrix of a large reservoir once more, as its entries.
    """

    model: Any
    xx: Float[Array, "features features"]
    xy: Float[Array, "features output"]
    x: Float[Array, " features"]
    y: Float[Array, " output"]
    weight: Float[Array, ""]
    packed: Packed | None


class Ridge(UpdateRule):
    r"""The read-out that is best for all examples so far, everything below it held as it is.

    $$V, c = \arg\min \sum_t w_t\, \lVert y^*_t - V x_t - c \rVert^2 + \lambda \lVert V \rVert^2,\qquad
      V = \Sigma_{yx} (\Sigma_{xx} + \lambda I)^{-1}$$

    with sums over centred x and y, so that c is not shrunk; `intercept=False` leaves it out (c = 0). $\lambda$ is
    `penalty`. Each step adds a batch to the sums and solves anew: after every batch was seen once the read-out is that
    of all the data, in any order. Weights that are 0 leave out a washout. Note that weights which average (1/n) make
    $\lambda$ count n times as much as weights of 1. The loss among the metrics is that of the new read-out on the
    batch.

    Exact, and least squares whatever loss is reported. Without a penalty, the smallest V of those that are best.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> from ostinato.data import FunctionBatches
    >>> def make(key):
    ...     xs = jax.random.uniform(key, (1, 300, 1))
    ...     return ost.Examples(ost.SequenceBatch(xs), jnp.roll(xs, 2, axis=1), jnp.ones((1, 300)).at[:, :20].set(0))
    >>> model = ost.RNN("echo-state", 1, 40, output_size=1, key=jax.random.key(0))
    >>> rule = Ridge(1e-6)
    >>> result = ost.fit(model, FunctionBatches(make, 1), loss=ost.losses.squared, rule=rule, steps=1)
    >>> result.history[-1]["loss"] / 280 < 1e-3
    True

    ```
    """

    penalty: float = eqx.field(static=True, default=1e-6)
    intercept: bool = eqx.field(static=True, default=True)

    def __check_init__(self) -> None:
        if self.penalty < 0:
            raise SettingsError(f"penalty: expected 0 or more, got {self.penalty}")

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        return linear_readout(model, "least squares of the read-out, in closed form; what is below it is not learned")

    def init(self, model: Any, key: PRNGKeyArray) -> RidgeCarry:
        del key
        V = readout_of(self.check(model) and model).V
        zeros = lambda *shape: jnp.zeros(shape, V.dtype)
        outputs, inputs = V.shape
        sums = zeros(inputs, inputs), zeros(inputs, outputs), zeros(inputs), zeros(outputs), zeros()
        return RidgeCarry(model, *sums, packed_reservoir(model))

    def step(self, carry: RidgeCarry, loss: Loss, examples: Examples, key: PRNGKeyArray) -> tuple[RidgeCarry, Metrics]:
        xs, targets, w = rows(examples, features(carry.model, examples.inputs, key, carry.packed))
        dtype = carry.xx.dtype
        xs, targets, w = xs.astype(dtype), targets.astype(dtype), w.astype(dtype)
        root = jnp.sqrt(w)
        scaled = root[:, None] * xs
        sums = RidgeCarry(
            carry.model,
            carry.xx + gram(scaled),
            carry.xy + scaled.T @ (root[:, None] * targets),
            carry.x + root @ scaled,
            carry.y + w @ targets,
            carry.weight + jnp.sum(w),
            carry.packed,
        )
        V, c = self.solve(sums)
        model = with_readout(carry.model, V, c)
        targets = targets.reshape(-1, *examples.targets.shape[examples.weight.ndim :])
        ys = (xs @ V.T + c[None]).reshape(targets.shape)
        values = jnp.where(w != 0, jax.vmap(loss)(ys, targets), jnp.zeros((), dtype))
        return sums._replace(model=model), {"loss": as_metric(jnp.sum(w * values))}

    def solve(self, sums: RidgeCarry) -> tuple[Float[Array, "output features"], Float[Array, " output"]]:
        """V and c of the sums."""
        xx, xy = sums.xx, sums.xy
        if self.intercept:
            xx = xx - jnp.outer(sums.x, sums.x) / sums.weight
            xy = xy - jnp.outer(sums.x, sums.y) / sums.weight
        if self.penalty:
            eye = jnp.eye(xx.shape[0], dtype=xx.dtype)
            V = jax.scipy.linalg.solve(xx + self.penalty * eye, xy, assume_a="pos").T
        else:
            V = (jnp.linalg.pinv(xx, hermitian=True) @ xy).T
        return V, (sums.y - V @ sums.x) / sums.weight if self.intercept else jnp.zeros_like(sums.y)

    def model(self, carry: RidgeCarry) -> Any:
        return carry.model
