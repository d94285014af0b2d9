r"""How well a generated trajectory keeps the statistics of a true one: where it is, and how it moves.

The measures of work on reconstructing dynamics (Durstewitz, Koppe and Thurm, Nature Reviews Neuroscience 24, 2023). A
trajectory of finite length differs from another of the same system: print the value of two true ones beside it.
"""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

from ostinato.errors import DataError, NonFiniteError, SettingsError, ShapeError


def state_space_divergence(
    true: Float[np.ndarray, "time units"],
    generated: Float[np.ndarray, "steps units"],
    *,
    bins: int = 30,
    added: float = 1e-5,
) -> float:
    r"""The Kullback-Leibler divergence of the generated histogram of states from the true one, in nats; 0 is equal.

    $$D = \sum_k p_k \ln \frac{p_k}{q_k},\qquad p_k \propto n_k + \varepsilon,\quad q_k \propto m_k + \varepsilon$$

    over `bins` bins an axis between the least and the largest true value; generated points outside belong to no bin,
    and are missed there. ε is `added`. A histogram fills with the length: on the Lorenz system, 30 bins, two true
    trajectories of $10^5$ and $10^4$ steps have .5. More than five axes need other measures (`DataError`).

    Raises `ShapeError`, `NonFiniteError`, `DataError`, `SettingsError`.

    ```python
    >>> a = np.repeat([0.0, 1.0], [3, 1])[:, None]
    >>> round(state_space_divergence(a, 1 - a, bins=2, added=0), 6)
    0.549306

    ```
    """
    true, generated = _two(true, generated)
    if bins < 2 or added < 0:
        raise SettingsError(f"bins, added: expected 2 and 0 or more, got {bins} and {added}")
    if true.shape[1] > 5:
        raise DataError(f"true: a histogram over {true.shape[1]} axes is empty almost everywhere; at most 5")
    edges = [np.linspace(low, high, bins + 1) for low, high in zip(true.min(0), true.max(0), strict=True)]
    p, q = (np.histogramdd(values, edges)[0].ravel() + added for values in (true, generated))
    if q.sum() == 0:
        return float("inf")
    p, q = p / p.sum(), q / q.sum()
    with np.errstate(divide="ignore"):
        return float(np.sum(p[p > 0] * np.log(p[p > 0] / q[p > 0])))


def spectral_distance(
    true: Float[np.ndarray, "time units"], generated: Float[np.ndarray, "steps units"], *, smooth: float = 20.0
) -> float:
    r"""The mean Hellinger distance of the power spectra of each axis, from 0 (equal) to 1 (no common frequency).

    $$D_H = \operatorname{mean}_i \sqrt{1 - \textstyle\sum_f \sqrt{P_i(f)\, Q_i(f)}}$$

    Each axis is standardised; spectra are smoothed by a Gaussian of `smooth` frequencies and sum to 1. The longer
    record is cut to the length of the shorter. Raises `ShapeError`, `NonFiniteError`, `DataError`
    (fewer than 100 steps).

    ```python
    >>> t = np.arange(2000.0)
    >>> slow, fast = np.sin(t / 20)[:, None], np.sin(t / 2)[:, None]
    >>> round(spectral_distance(slow, slow), 3), spectral_distance(slow, fast, smooth=2) > 0.99
    (0.0, True)

    ```
    """
    true, generated = _two(true, generated)
    time = min(len(true), len(generated))
    if time < 100:
        raise DataError(f"true, generated: a spectrum needs 100 steps or more, got {time}")
    p, q = (_power(values[:time], smooth) for values in (true, generated))
    return float(np.sqrt(np.maximum(1 - np.sqrt(p * q).sum(0), 0)).mean())


def _power(values: np.ndarray, smooth: float) -> np.ndarray:
    spread = values.std(0)
    centred = (values - values.mean(0)) / np.where(spread > 0, spread, 1)
    power = np.square(np.abs(np.fft.rfft(centred, axis=0)))
    power = gaussian_filter1d(power, smooth, axis=0, mode="reflect") if smooth else power
    total = power.sum(0)
    # A constant axis has all of its power at frequency 0.
    power[0] = np.where(total > 0, power[0], 1)
    return power / power.sum(0)


def _two(true: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    true, generated = np.asarray(true, np.float64), np.asarray(generated, np.float64)
    if true.ndim != 2 or generated.ndim != 2 or true.shape[1] != generated.shape[1] or not len(true) * len(generated):
        raise ShapeError(
            f"true, generated: expected (time, units) of the same units, got {true.shape}, {generated.shape}"
        )
    for name, values in (("true", true), ("generated", generated)):
        if not np.isfinite(values).all():
            raise NonFiniteError(f"{name}: expected finite numbers")
    return true, generated
