"""How many past inputs a network still holds (Jaeger, "Short term memory in echo state networks", GMD 152, 2001)."""

from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ostinato.errors import SettingsError, ShapeError
from ostinato.layers import unroll


def memory_capacity(
    layer: Any, delays: int, *, series: Any = None, penalty: float = 1e-4, key: PRNGKeyArray | None = None
) -> Float[np.ndarray, "delays"]:
    r"""The share of each past input that a linear read-out of the outputs gives back; the sum is the memory capacity.

    $$MC_k = \mathrm{corr}^2(u_{t-k},\; v_k \cdot y_t + c_k),\qquad \sum_k MC_k \le n$$

    for inputs that are independent of one another, with n outputs. One read-out for each delay 1 to `delays` is fitted
    by a ridge on the first four fifths of the series and judged on the last fifth, which the network runs into without
    a break. The first `delays` values are seen by no one, the next `delays` steps are left out of the fit: as in
    ReservoirPy.

    `layer` has one input. `series` `(time,)` is what drives it: by default 10 numbers for each delay, uniform in ±0.8,
    drawn from `key`. Short series flatter a network: twice as long gives less. Raises `SettingsError`, `ShapeError`.

    ```python
    >>> import jax
    >>> from ostinato.cells import Elman
    >>> line = Elman(1, 30, activation="linear", key=jax.random.key(0))
    >>> shift = jnp.eye(30, k=-1)[None]
    >>> import equinox as eqx
    >>> line = eqx.tree_at(lambda c: (c.R, c.W), line, (shift, jnp.eye(30, 1)[None]))
    >>> memory_capacity(line, 40, penalty=1e-6, key=jax.random.key(1))[:29].round(3).min().item()
    1.0

    ```
    """
    if delays < 1 or penalty < 0:
        raise SettingsError(f"delays, penalty: expected 1 and 0 or more, got {delays} and {penalty}")
    if layer.input_size != 1:
        raise ShapeError(f"layer: expected one input, got {layer.input_size}")
    if series is None:
        if key is None:
            raise SettingsError("series, key: expected one of them")
        series = jr.uniform(key, (10 * delays,), minval=-0.8, maxval=0.8)
    u = np.asarray(series, np.float64)
    if u.ndim != 1 or len(u) < 4 * delays:
        raise ShapeError(f"series: expected ({4 * delays} or more,), got {u.shape}")
    judged = round(len(u) * 0.2)
    ys = np.asarray(unroll(layer, jnp.asarray(u[delays:, None], jnp.result_type(float)))[0], np.float64)
    past = np.stack([u[delays - k : len(u) - k] for k in range(1, delays + 1)], axis=1)
    x, wanted = ys[delays:-judged], past[delays:-judged]
    centre, mean = x.mean(0), wanted.mean(0)
    gram = (x - centre).T @ (x - centre) + penalty * np.eye(x.shape[1])
    V = np.linalg.solve(gram, (x - centre).T @ (wanted - mean))
    found = (ys[-judged:] - centre) @ V + mean
    return np.array([_squared_correlation(a, b) for a, b in zip(found.T, past[-judged:].T, strict=True)])


def _squared_correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    spread = (a @ a) * (b @ b)
    return float((a @ b) ** 2 / spread) if spread > 0 else 0.0
