"""The study of the defaults: rivals against their own package, and claims from rows."""

import numpy as np
import pytest

from ostinato.studies.series.defaults import claims
from ostinato.studies.series.rivals import smoothing, theta

VALUES = np.arange(60) - 20 + 10 * np.sin(np.arange(60) * np.pi / 2) + np.random.default_rng(0).normal(size=60)


def test_rivals_say_what_their_package_says() -> None:
    forecasting = pytest.importorskip("statsmodels.tsa.forecasting.theta")
    ets = pytest.importorskip("statsmodels.tsa.exponential_smoothing.ets")
    own = forecasting.ThetaModel(VALUES[:48], period=4, deseasonalize=True, use_test=False).fit().forecast(6)
    assert np.allclose(theta(VALUES, 48, 4, np.array([48]), 6)[0], np.asarray(own))
    kinds = ({"trend": None}, {"trend": "add"}, {"trend": "add", "damped_trend": True})
    seasons = ({}, {"seasonal": "add", "seasonal_periods": 4})
    fits = [ets.ETSModel(VALUES[:48], **kind, **season).fit(disp=False) for kind in kinds for season in seasons]
    best = min(fits, key=lambda fitted: fitted.aic).forecast(6)
    assert np.allclose(smoothing(VALUES, 48, 4, np.array([48]), 6)[0], best)


def row(series: str, ours: float, linear: float, other: float) -> dict:
    errors = {"forecaster": ours, "linear": linear, "linear of changes": 2 * linear, "theta": other}
    return {"series": series, "horizon": 1, "seed": 0, "rows": 80, "seconds": 3.0, "rmse": errors, "chosen": ""}


def test_claims_are_means_of_ratios_of_each_half() -> None:
    found = {c.name: c for c in claims([row("nile", 0.9, 1.0, 2.0), row("ibm", 1.2, 1.0, 0.6)])}
    value = lambda start: next(c.ours for n, c in found.items() if n.startswith(start))
    linear = "RMSE over that of the better linear map"
    assert value(f"the half that was chosen on: {linear}") == pytest.approx(0.9)
    assert value(f"the half that was not: {linear}") == pytest.approx(1.2)
    assert value(f"all: {linear}") == pytest.approx((0.9 * 1.2) ** 0.5)
    assert value("all: RMSE over that of the best") == pytest.approx((0.9 * 2.0) ** 0.5)
    worst = next(c for n, c in found.items() if n.startswith("the largest"))
    assert (worst.ours, worst.holds) == (1.2, False)
