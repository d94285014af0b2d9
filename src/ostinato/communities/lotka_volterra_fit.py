"""Lotka-Volterra models from samples: by regression of log-ratios, and by gradient through the simulation."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from ostinato.communities.lotka_volterra import LotkaVolterra, slope
from ostinato.data import Communities
from ostinato.errors import DataError, SettingsError


def regress_lotka_volterra(communities: Communities, *, third: bool = False, ridge: float = 1e-2) -> LotkaVolterra:
    r"""Growth and interactions of each species by ridge regression of its log-ratios.

    $$\frac{\ln x_i(t') - \ln x_i(t)}{t' - t} \approx
      \mu_i + \sum_j a_{ij} \bar x_j + \sum_{j<k} b_{ijk} \overline{x_j x_k}$$

    over all pairs of consecutive samples that hold the species, with means of the two ends for the bars; $\mu$ is not
    penalised. Abundances below half of the least positive one count as that. `third`: also $b$.

    Raises `SettingsError`, and `DataError` where a species is in no two consecutive samples.

    ```python
    >>> truth = LotkaVolterra(np.array([0.4, 0.6]), np.array([[-0.5, -0.2], [0.1, -0.6]]))
    >>> start, hours = np.array([[0.1, 0.1], [0.3, 0.0], [0.0, 0.2], [1.0, 0.2]]), np.arange(0.0, 24.0, 0.5)
    >>> data = Communities(tuple("abcd"), ("A", "B"), (), hours, truth.simulate(start, hours))
    >>> bool(np.abs(regress_lotka_volterra(data, ridge=1e-8).interactions - truth.interactions).max() < 0.01)
    True

    ```
    """
    if not 0 <= ridge < np.inf:
        raise SettingsError(f"ridge: expected 0 or more, got {ridge}")
    count = len(communities.species)
    x = communities.values[..., :count]
    floor = x[x > 0].min() / 2
    hours = np.broadcast_to(communities.hours[None, :, None], (*x.shape[:2], 1))
    before, after = _pairs(np.concatenate([x, hours], axis=-1))
    step, before, after = after[:, -1] - before[:, -1], before[:, :-1], after[:, :-1]
    inputs = (before + after) / 2
    if third:
        j, k = np.triu_indices(count, 1)
        inputs = np.concatenate([inputs, (before[:, j] * before[:, k] + after[:, j] * after[:, k]) / 2], axis=1)
    growth, a, b = np.zeros(count), np.zeros((count, count)), np.zeros((count,) * 3) if third else None
    for i, name in enumerate(communities.species):
        rows = before[:, i] > 0
        if rows.sum() < 2:
            raise DataError(f"communities: species '{name}' is in fewer than two pairs of consecutive samples")
        target = np.log(np.maximum(after[rows, i], floor) / np.maximum(before[rows, i], floor)) / step[rows]
        used = np.ones(inputs.shape[1], bool)
        if third:
            # A product with the species itself is not a third one.
            used[count:] = (j != i) & (k != i)
        given = inputs[rows][:, used]
        centre, constant = given.mean(0), target.mean()
        square = (given - centre).T @ (given - centre) + ridge * np.eye(given.shape[1])
        weights = np.zeros(inputs.shape[1])
        weights[used] = np.linalg.solve(square, (given - centre).T @ (target - constant))
        growth[i] = constant - centre @ weights[used]
        a[i] = weights[:count]
        if b is not None:
            b[i, j, k] = weights[count:]
    return LotkaVolterra(growth, a, b)


def refine_lotka_volterra(
    model: LotkaVolterra, communities: Communities, *, steps: int = 200, rate: float = 3e-3, apart: float = 0.5
) -> LotkaVolterra:
    """The model moved by Adam so that its simulations, from the first time on, come nearer to the samples.

    The error is the mean square of the differences in units of each species' deviation. Simulated by Runge-Kutta steps
    of the fifth order of at most `apart` hours (Tsitouras), differentiated through them. What is given back is the
    best model met, so it is never worse than the one given.

    Raises `SettingsError`.
    """
    if steps < 1 or apart <= 0:
        raise SettingsError(f"steps, apart: expected 1 or more and above 0, got {steps} and {apart}")
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
            diffrax.ODETerm(lambda t, x, w: slope(w, x)),  # pyright: ignore[reportArgumentType]
            diffrax.Tsit5(),
            hours[0],
            hours[-1],
            float(apart),
            x,
            weights,
            saveat=diffrax.SaveAt(ts=hours),
            max_steps=int(np.ceil((communities.hours[-1] - communities.hours[0]) / apart)) + 2,
        )
        assert found.ys is not None
        return found.ys

    def error(weights: Any) -> Float[Array, ""]:
        made = jax.vmap(lambda x: simulated(weights, x))(values[:, 0])
        return jnp.sum(jnp.square((made - values) / unit[None, None, :]) * there) / jnp.sum(there)

    optimizer = optax.adam(optax.cosine_decay_schedule(rate, steps))

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

    weights = (model.growth, model.interactions, model.third)
    best = run(jax.tree.map(lambda a: jnp.asarray(a, dtype), weights))
    growth, interactions, third = jax.tree.map(lambda a: np.asarray(a, float), best)
    return LotkaVolterra(growth, interactions, third)


def _pairs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Consecutive samples of each community, those that are missing skipped: before and after, `(pairs, features)`."""
    rows = [row[~np.isnan(row).any(-1)] for row in values]
    return np.concatenate([row[:-1] for row in rows]), np.concatenate([row[1:] for row in rows])
