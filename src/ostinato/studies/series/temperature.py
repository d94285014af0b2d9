"""Daily minimum temperature of Melbourne, one day ahead: a small GRU beside autoregressions."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ostinato.data import Series, to_series
from ostinato.data.catalogue import load
from ostinato.models import LinearAR, Persistence
from ostinato.models.forecast.base import ForecastEstimator
from ostinato.studies import Bar, Claim, StudySettings

from .backtests import backtests, before, fitted, words_of

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
    return judged(series, SETTINGS | ({"epochs": 2} if settings.quick else {}), settings)


def judged(series: Series, options: Mapping[str, Any], settings: StudySettings) -> list[Claim]:
    """The claim about a series of days up to 1990; nothing is fitted to a day from 1989 on."""
    days = held_out(series)
    baselines = fitted(beside_the_network(), before(series, days))
    errors, beside, count = [], {}, 0
    for seed, test in backtests(options, settings.seed_list(5), series, days, baselines):
        errors.append(test.rmse(test.model))
        beside, count = {name: test.rmse(name) for name in baselines}, len(test.origins)
        settings.note(f"temperature, seed {seed}: RMSE {errors[-1]:.4f}")
    ours = float(np.mean(errors))
    better = words_of(ours, beside)
    verdict = f"does not beat {', '.join(better)}" if better else f"beats {', '.join(beside)}"
    settings.note(f"temperature: the GRU {verdict}")
    detail = {
        "rmse_by_seed": errors,
        "spread": float(np.std(errors)),
        "days": count,
        "calendar": list(CALENDAR),
        "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in options.items()},
        "verdict": verdict,
    }
    name = f"RMSE one day ahead, mean of {len(errors)} seeds, calendar: yearday (one wave)"
    return [Claim(name, SOURCE, None, ours, Bar.at_most(BAR), beside, detail)]


def held_out(series: Series) -> int:
    """How many days there are from 1989 on."""
    assert series.times is not None
    return series.lengths[0] - int(np.searchsorted(series.times[0], np.datetime64("1989-01-01")))


def beside_the_network() -> dict[str, ForecastEstimator]:
    """What is printed beside the network; the last one sees what the network sees."""
    return {
        "persistence": Persistence(),
        "AR(7)": LinearAR(7),
        "AR(14) + 2 yearly harmonics": LinearAR(14, calendar=("yearday:2",)),
        "AR(14) + 1 yearly harmonic": LinearAR(14, calendar=CALENDAR),
    }
