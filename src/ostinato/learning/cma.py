"""The covariance matrix adaptation evolution strategy (Hansen and Ostermeier, Evolutionary Computation 9, 2001).

Strategy parameters are those of Hansen, "The CMA evolution strategy: a tutorial" (arXiv 1604.00772).
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.data.batch import Examples
from ostinato.errors import SettingsError
from ostinato.learning.base import Loss
from ostinato.learning.direct import Metrics, as_metric
from ostinato.learning.parameter_vector import evaluate, parameters_to_vector, vector_to_parameters
from ostinato.learning.search import Search


@dataclass(frozen=True)
class Strategy:
    """The constants that follow from the number of weights n and the number of samples."""

    n: int
    samples: int

    @property
    def weights(self) -> np.ndarray:
        """Of the best half of the samples, the best first; they sum to 1."""
        raw = math.log((self.samples + 1) / 2) - np.log(np.arange(1, self.samples // 2 + 1))
        return raw / raw.sum()

    @property
    def mu_eff(self) -> float:
        """How many samples the weighted mean is worth."""
        return float(1 / np.square(self.weights).sum())

    @property
    def rates(self) -> dict[str, float]:
        """c_sigma, d_sigma, c_c, c_1, c_mu and the mean length of a normal vector."""
        n, mu = self.n, self.mu_eff
        c_sigma = (mu + 2) / (n + mu + 5)
        c_1 = 2 / ((n + 1.3) ** 2 + mu)
        return {
            "c_sigma": c_sigma,
            "d_sigma": 1 + 2 * max(0.0, math.sqrt((mu - 1) / (n + 1)) - 1) + c_sigma,
            "c_c": (4 + mu / n) / (n + 4 + 2 * mu / n),
            "c_1": c_1,
            "c_mu": min(1 - c_1, 2 * (mu - 2 + 1 / mu) / ((n + 2) ** 2 + mu)),
            "length": math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2)),
        }


class Distribution(NamedTuple):
    """The normal distribution that is sampled, and the two evolution paths."""

    mean: Float[Array, " n"]
    sigma: Float[Array, ""]
    C: Float[Array, "n n"]
    p_sigma: Float[Array, " n"]
    p_c: Float[Array, " n"]
    generation: Int[Array, ""]


def start(mean: Float[Array, " n"], sigma: float) -> Distribution:
    """Round, with deviation `sigma` about the mean."""
    zeros = jnp.zeros_like(mean)
    eye = jnp.eye(mean.size, dtype=mean.dtype)
    return Distribution(mean, jnp.asarray(sigma, mean.dtype), eye, zeros, zeros, jnp.zeros((), jnp.int32))


def learn(
    at: Distribution, normals: Float[Array, "samples n"], points: Float[Array, "samples n"], losses: Any
) -> Distribution:
    r"""The distribution after the samples `points(at, normals)` got their losses.

    $$m' = m + \sigma \textstyle\sum_i w_i y_{i:\lambda},\quad
      p_\sigma' = (1 - c_\sigma) p_\sigma + \sqrt{c_\sigma (2 - c_\sigma) \mu}\; C^{-1/2} \bar y,\quad
      \sigma' = \sigma \exp\tfrac{c_\sigma}{d_\sigma}\big(\tfrac{\lVert p_\sigma'\rVert}{\chi_n} - 1\big)$$
    $$p_c' = (1 - c_c) p_c + h \sqrt{c_c (2 - c_c) \mu}\; \bar y,\quad
      C' = (1 + c_1 \delta - c_1 - c_\mu) C + c_1 p_c' p_c'^\top + c_\mu \textstyle\sum_i w_i y_i y_i^\top$$

    $h$ is 0 where $p_\sigma'$ is too long, $\delta = (1 - h) c_c (2 - c_c)$.
    """
    strategy = Strategy(at.mean.size, normals.shape[0])
    r, dtype = strategy.rates, at.mean.dtype
    order = jnp.argsort(losses)[: strategy.samples // 2]
    w = jnp.asarray(strategy.weights, dtype)
    best = (points[order] - at.mean[None]) / at.sigma
    step = w @ best
    # C^{-1/2} y is the same mean of the normal numbers, since y = C^{1/2} z.
    white = w @ normals[order]
    c_sigma, c_c, mu = r["c_sigma"], r["c_c"], strategy.mu_eff
    p_sigma = (1 - c_sigma) * at.p_sigma + math.sqrt(c_sigma * (2 - c_sigma) * mu) * white
    length = jnp.sqrt(jnp.sum(jnp.square(p_sigma)))
    generation = at.generation + 1
    settled = jnp.sqrt(1 - jnp.asarray(1 - c_sigma, dtype) ** (2 * generation.astype(dtype)))
    h = (length / settled < (1.4 + 2 / (strategy.n + 1)) * r["length"]).astype(dtype)
    p_c = (1 - c_c) * at.p_c + h * math.sqrt(c_c * (2 - c_c) * mu) * step
    kept = 1 + r["c_1"] * (1 - h) * c_c * (2 - c_c) - r["c_1"] - r["c_mu"]
    C = kept * at.C + r["c_1"] * jnp.outer(p_c, p_c) + r["c_mu"] * (best.T * w[None]) @ best
    sigma = at.sigma * jnp.exp((c_sigma / r["d_sigma"]) * (length / r["length"] - 1))
    return Distribution(at.mean + at.sigma * step, sigma, (C + C.T) / 2, p_sigma, p_c, generation)


def points(at: Distribution, normals: Float[Array, "samples n"]) -> Float[Array, "samples n"]:
    r"""$m + \sigma C^{1/2} z$ with the symmetric root, so that turning the axes turns everything."""
    values, vectors = jnp.linalg.eigh(at.C)
    root = (vectors * jnp.sqrt(jnp.maximum(values, jnp.finfo(values.dtype).tiny))[None]) @ vectors.T
    return at.mean[None] + at.sigma * normals @ root


class CMACarry(NamedTuple):
    """The network that was given, and the distribution of its weights."""

    template: Any
    at: Distribution


class CMAES(Search):
    r"""A normal distribution over weights whose mean, width and shape follow the better half of its samples.

    In each step `population` networks (default $4 + \lfloor 3 \ln n \rfloor$) are drawn about the mean and compared on
    the batch; see `learn` for the equations. Invariant to turning the axes and to any change of the loss that keeps the
    order of its values. The matrix has $n^2$ entries and each step costs $O(n^3)$: for networks of up to about a
    thousand weights. The network is the mean of the distribution; the loss among the metrics the best of the samples.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> from ostinato.data import FunctionBatches
    >>> def make(key):
    ...     xs = jax.random.normal(key, (8, 4, 1))
    ...     return ost.Examples(ost.SequenceBatch(xs), -xs, jnp.full((8, 4), 1 / 32))
    >>> model = ost.Readout(1, 1, key=jax.random.key(0))
    >>> result = ost.fit(model, FunctionBatches(make, 10), loss=ost.losses.squared, rule=CMAES(), steps=60)
    >>> round(float(result.model.V[0, 0]), 2)
    -1.0

    ```
    """

    population: int | None = eqx.field(static=True, default=None)
    sigma: float = eqx.field(static=True, default=0.5)
    devices: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        if (self.population is not None and self.population < 4) or self.sigma <= 0:
            raise SettingsError(
                f"population, sigma: expected 4 or more and more than 0, got {self.population}, {self.sigma}"
            )

    def init(self, model: Any, key: PRNGKeyArray) -> CMACarry:
        del key
        self.check(model)
        return CMACarry(model, start(parameters_to_vector(model), self.sigma))

    def step(self, carry: CMACarry, loss: Loss, examples: Examples, key: PRNGKeyArray) -> tuple[CMACarry, Metrics]:
        k_draw, k_noise = jr.split(key)
        n = carry.at.mean.size
        samples = 4 + int(3 * math.log(n)) if self.population is None else self.population
        normals = jr.normal(k_draw, (samples, n), carry.at.mean.dtype)
        tried = points(carry.at, normals)
        losses, _ = evaluate(carry.template, tried, loss, examples, k_noise, devices=self.devices)
        at = learn(carry.at, normals, tried, losses)
        return CMACarry(carry.template, at), {"loss": as_metric(jnp.min(losses)), "sigma": as_metric(at.sigma)}

    def model(self, carry: CMACarry) -> Any:
        return vector_to_parameters(carry.template, carry.at.mean)
