"""Exponential smoothing and theta, fitted by statsmodels, at every origin of a held-out end; for comparison only."""

import warnings
from typing import Any

import numpy as np

LONGEST = 3000
"""Their parameters are fitted to so many of the last training rows at most."""

LARGEST_SEASON = 24


def smoothing(values: np.ndarray, stop: int, season: int | None, origins: np.ndarray, horizon: int) -> np.ndarray:
    """ETS with additive errors: no, additive or damped trend, with and without season, of values or logarithms.

    The one with the smallest AIC on the rows before `stop`; its parameters stay, its states go on. `(n, horizon)`.
    """
    from statsmodels.tsa.exponential_smoothing import ets

    model: Any = ets.ETSModel
    values = _filled(values)
    train = values[:stop][-LONGEST:]
    m = season if season is not None and 2 <= season <= LARGEST_SEASON and len(train) >= 2 * season + 2 else None
    best: tuple[float, Any] = (np.inf, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for log in (False, True) if train.min() > 0 else (False,):
            rows = np.log(train) if log else train
            for trend, damped in ((None, False), ("add", False), ("add", True)):
                for seasonal in (None, "add") if m else (None,):
                    kind: dict[str, Any] = {"trend": trend, "damped_trend": damped, "seasonal": seasonal}
                    options = kind | ({"seasonal_periods": m} if seasonal else {})
                    try:
                        fitted = model(rows, **options).fit(disp=False)
                    except (ValueError, np.linalg.LinAlgError):
                        continue
                    # Of the density of the values themselves, so that both can be compared.
                    aic = fitted.aic + (2 * rows.sum() if log else 0)
                    if aic < best[0]:
                        best = (aic, (log, options, fitted.params))
        log, options, params = best[1]
        begin = stop - len(train)
        rows = np.log(np.maximum(values, train.min() / 2)) if log else values
        states = model(rows[begin:], **options).smooth(params)
    at = origins - begin - 1
    steps = np.arange(1, horizon + 1)
    said = np.asarray(states.level)[at][:, None] + np.zeros(horizon)
    if options["trend"]:
        phi = states.damping_trend if options["damped_trend"] else 1.0
        said = said + np.asarray(states.slope)[at][:, None] * np.cumsum(phi**steps)
    if options["seasonal"]:
        said = said + np.asarray(states.season)[at[:, None] - (m or 1) + 1 + (steps - 1) % (m or 1)]
    return np.exp(said) if log else said


def theta(values: np.ndarray, stop: int, season: int | None, origins: np.ndarray, horizon: int) -> np.ndarray:
    """The theta model (Assimakopoulos and Nikolopoulos 2000) of the seasonally adjusted rows before `stop`.

    Its parameters and the seasonal factors stay, its level goes on. `(n, horizon)`.
    """
    from statsmodels.tsa.forecasting import theta as theta_model
    from statsmodels.tsa.seasonal import seasonal_decompose

    model: Any = theta_model.ThetaModel
    values = _filled(values)
    train = values[:stop][-LONGEST:]
    begin, m = stop - len(train), season if season is not None and season <= LARGEST_SEASON else None
    times = bool(train.min() > 0)
    factors = np.ones(1) if times else np.zeros(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if m is not None and len(train) >= 2 * m:
            found: Any = seasonal_decompose(train, model="multiplicative" if times else "additive", period=m)
            factors = np.asarray(found.seasonal)[:m]
        own = factors[np.arange(len(values) - begin) % len(factors)]
        rows = values[begin:] / own if times else values[begin:] - own
        params = np.asarray(model(rows[: len(train)], deseasonalize=False).fit().params)
    slope, alpha = float(params[0]), float(params[1])
    level = np.empty(len(rows) + 1)
    level[0] = rows[0]
    for t, value in enumerate(rows):
        level[t + 1] = alpha * value + (1 - alpha) * level[t]
    at, steps = origins - begin, np.arange(horizon)
    decay = (1 - (1 - alpha) ** at) / alpha
    said = level[at][:, None] + 0.5 * slope * (steps + decay[:, None])
    seasons = factors[(at[:, None] + steps) % len(factors)]
    return said * seasons if times else said + seasons


def _filled(values: np.ndarray) -> np.ndarray:
    """Missing values replaced by the last before them, at the start by the first."""
    rows = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))
    filled = values[rows]
    return np.where(np.isnan(filled), filled[~np.isnan(filled)][0], filled)
