"""Lotka-Volterra parameters from samples: by regression of log-ratios, and by gradient through the simulation."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from ostinato.communities.equations import lotka_volterra
from ostinato.communities.inputs import check_start
from ostinato.communities.samples import consecutive, least_abundance
from ostinato.data import Communities
from ostinato.errors import SettingsError

Weights = tuple[np.ndarray, np.ndarray, np.ndarray | None]
r"""Growth $\mu$, interactions $a$, and those in threes $b$ or None."""


def regressed(communities: Communities, *, third: bool, ridge: float) -> Weights:
    r"""Growth and interactions of each species by ridge regression of its log-ratios.

    $$\frac{\ln x_i(t') - \ln x_i(t)}{t' - t} \approx
      \mu_i + \sum_j a_{ij} \bar x_j + \sum_{j<k} b_{ijk} \overline{x_j x_k}$$

    over all pairs of consecutive samples that hold the species, with means of the two ends for the bars; $\mu$ is not
    penalised. Abundances below half of the least positive one count as that. `third`: also $b$.

    Raises `DataError` (nothing above 0, a species in no two consecutive samples), and `SettingsError` where the samples
    do not determine the parameters without a penalty.
    """
    count = len(communities.species)
    x = communities.values[..., :count]
    floor = least_abundance(x, communities.species)
    pairs = consecutive(x, communities.hours)
    before, after = pairs.before, pairs.after
    inputs = (before + after) / 2
    if third:
        j, k = np.triu_indices(count, 1)
        inputs = np.concatenate([inputs, (before[:, j] * before[:, k] + after[:, j] * after[:, k]) / 2], axis=1)
    growth, a, b = np.zeros(count), np.zeros((count, count)), np.zeros((count,) * 3) if third else None
    for i, name in enumerate(communities.species):
        rows = pairs.holding(i, name)
        target = pairs.log_ratios(i, rows, floor)
        used = np.ones(inputs.shape[1], bool)
        if third:
            # A product with the species itself is not a third one.
            used[count:] = (j != i) & (k != i)
        given = inputs[rows][:, used]
        centre, constant = given.mean(0), target.mean()
        square = (given - centre).T @ (given - centre) + ridge * np.eye(given.shape[1])
        weights = np.zeros(inputs.shape[1])
        try:
            weights[used] = np.linalg.solve(square, (given - centre).T @ (target - constant))
        except np.linalg.LinAlgError as error:
            raise SettingsError(
                f"ridge: the samples do not determine the interactions of '{name}'; expected a penalty above 0"
            ) from error
        growth[i] = constant - centre @ weights[used]
        a[i] = weights[:count]
        if b is not None:
            b[i, j, k] = weights[count:]
    return growth, a, b


def refined(weights: Weights, communities: Communities, steps: int, learning_rate: float, max_step: float) -> Weights:
    """The parameters moved by Adam so that simulations, from the first time on, come nearer to the samples.

    The error is the mean square of the differences in units of each species' deviation. Simulated by Runge-Kutta steps
    of the fifth order of at most `max_step` hours (Tsitouras), differentiated through them. What is given back is the
    best that was met, so it is never worse than what was given. Raises `DataError` where the first sample has gaps.
    """
    check_start(communities)
    import diffrax

    count = len(communities.species)
    truth = communities.values[..., :count]
    seen = ~np.isnan(truth)
    deviation = np.maximum(np.nanstd(truth[:, 1:], axis=(0, 1)), 1e-6)
    dtype = jnp.result_type(float)
    hours, values, there, unit = (
        jnp.asarray(a, dtype) for a in (communities.hours, np.where(seen, truth, 0), seen, deviation)
    )

    def simulated(weights: Any, x: Array) -> Array:
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, x, w: lotka_volterra(w, x)),  # pyright: ignore[reportArgumentType]
            diffrax.Tsit5(),
            hours[0],
            hours[-1],
            float(max_step),
            x,
            weights,
            saveat=diffrax.SaveAt(ts=hours),
            max_steps=int(np.ceil((communities.hours[-1] - communities.hours[0]) / max_step)) + 2,
        )
        assert found.ys is not None
        return found.ys

    def error(weights: Any) -> Float[Array, ""]:
        made = jax.vmap(lambda x: simulated(weights, x))(values[:, 0])
        return jnp.sum(jnp.square((made - values) / unit[None, None, :]) * there) / jnp.sum(there)

    optimizer = optax.adam(optax.cosine_decay_schedule(learning_rate, steps))

    @jax.jit
    def run(weights: Any) -> Any:
        def one(carry: Any, _: None) -> tuple[Any, None]:
            weights, state, best, least = carry
            value, grads = jax.value_and_grad(error)(weights)
            better = value < least
            best = jax.tree.map(lambda new, old: jnp.where(better, new, old), weights, best)
            with jax.numpy_dtype_promotion("standard"):
                updates, state = optimizer.update(grads, state, weights)
            moved = optax.apply_updates(weights, updates)
            return (moved, state, best, jnp.minimum(value, least)), None

        begin = (weights, optimizer.init(weights), weights, jnp.asarray(jnp.inf, dtype))
        return jax.lax.scan(one, begin, None, length=steps + 1)[0][2]

    best = run(jax.tree.map(lambda a: jnp.asarray(a, dtype), weights))
    growth, interactions, third = jax.tree.map(lambda a: np.asarray(a, float), best)
    return growth, interactions, third
