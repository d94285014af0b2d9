"""Daily minimum temperature of Melbourne, one day ahead: a small GRU beside autoregressions."""

from typing import Any

import numpy as np

from ostinato.data import Series, to_series
from ostinato.data.catalogue import load
from ostinato.models import Backtest, Forecaster, LinearAR, Persistence
from ostinato.models.forecast.base import ForecastEstimator

from .base import Claim, Study, StudySettings

BAR = 2.145
CALENDAR = ("yearday",)
"""The calendar covariates of the network: sine and cosine of the day of the year."""

SOURCE = "Time Series Data Library: 3,650 days, 1981 to 1990; fitted to 1981-1988, judged by 1989-1990"

# Chosen on 1988 with models fitted to 1981-1987 and seeds from 100 up, and then fitted to 1981-1988 as they are.
SETTINGS: dict[str, Any] = {
    "cell": "gru",
    "hidden_size": 16,
    "head_size": 16,
    "context": 7,
    "calendar": CALENDAR,
    "epochs": 30,
    "batch_size": 64,
    "learning_rate": 3e-3,
    "weight_decay": 0.1,
    "validation": 0,
}


def run(settings: StudySettings) -> list[Claim]:
    """Fit with each seed, and hold every day of 1989 and 1990 against what was said of it the day before."""
    series = to_series(load("univariate_small")["daily-min-temperatures"], "Temp", "Date")
    train, days = split(series)
    options: dict[str, Any] = SETTINGS | ({"epochs": 2} if settings.quick else {})
    baselines = fitted_baselines(train)
    errors, test = [], None
    for seed in settings.seed_list(5):
        model = Forecaster(**options, seed=seed).fit(train)
        test = model.backtest(series, days, baselines=baselines)
        errors.append(test.rmse(test.model))
        settings.note(f"temperature, seed {seed}: RMSE {errors[-1]:.4f}")
    assert isinstance(test, Backtest)
    ours, beside = float(np.mean(errors)), {name: test.rmse(name) for name in baselines}
    better = [name for name, error in beside.items() if error <= ours]
    verdict = f"does not beat {', '.join(better)}" if better else f"beats {', '.join(beside)}"
    settings.note(f"temperature: the GRU {verdict}")
    detail = {
        "rmse_by_seed": errors,
        "spread": float(np.std(errors)),
        "days": len(test.origins),
        "calendar": list(CALENDAR),
        "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in options.items()},
        "verdict": verdict,
    }
    name = f"RMSE one day ahead, mean of {len(errors)} seeds, calendar: yearday (one wave)"
    return [Claim(name, SOURCE, None, ours, f"at most {BAR}", beside, bool(ours <= BAR), detail)]


def split(series: Series) -> tuple[Series, int]:
    """The days before 1989, and how many follow."""
    assert series.times is not None
    first = int(np.searchsorted(series.times[0], np.datetime64("1989-01-01")))
    return series.cut(0, first), series.lengths[0] - first


def fitted_baselines(train: Series) -> dict[str, ForecastEstimator]:
    """What is printed beside the network; the last one sees what the network sees."""
    models: dict[str, ForecastEstimator] = {
        "persistence": Persistence(),
        "AR(7)": LinearAR(7),
        "AR(14) + 2 yearly harmonics": LinearAR(14, calendar=("yearday:2",)),
        "AR(14) + 1 yearly harmonic": LinearAR(14, calendar=CALENDAR),
    }
    for model in models.values():
        model.fit(train)
    return models


STUDY = Study("daily minimum temperature of Melbourne, one day ahead", run, ("univariate_small",))
