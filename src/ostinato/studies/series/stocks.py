"""S&P 500, one trading day ahead: what a recurrent network adds to the last price, which is nothing to speak of."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ostinato.data import Series, to_series
from ostinato.data.catalogue import load
from ostinato.models import LinearAR, Mean, Persistence
from ostinato.models.forecast.base import ForecastEstimator
from ostinato.studies import Bar, Claim, StudySettings

from .backtests import backtests, before, fitted

SOURCE = "vega-datasets: daily close, 2000 to April 2020; the last fifth is held out"
WORSE = 1.02

# Logarithms relative to the last one: the network sees and forecasts returns, whatever the level of the index.
SETTINGS: dict[str, Any] = {
    "cell": "lstm",
    "hidden_size": 16,
    "context": 20,
    "log": True,
    "subtract_last": True,
    "dropout": 0.2,
    "epochs": 10,
    "batch_size": 64,
    "learning_rate": 1e-3,
    "weight_decay": 0.1,
    "validation": 0.1,
    "patience": 4,
}


def run(settings: StudySettings) -> list[Claim]:
    """Fit with each seed to the first four fifths; one day ahead, every day of the rest."""
    series = to_series(load("vega_series")["sp500-2000"], "close", "date")
    return judged(series, SETTINGS | ({"epochs": 1, "patience": None} if settings.quick else {}), settings)


def judged(series: Series, options: Mapping[str, Any], settings: StudySettings) -> list[Claim]:
    """The claim about a series of prices; nothing is fitted to its last fifth."""
    held = series.lengths[0] // 5
    baselines = fitted(beside_the_network(), before(series, held))
    errors, skills, test = [], [], None
    for seed, test in backtests(options, settings.seed_list(3), series, held, baselines):
        errors.append(test.rmse(test.model))
        skills.append(test.skill(test.model))
        settings.note(f"stocks, seed {seed}: RMSE {errors[-1]:.3f}, skill against persistence {skills[-1]:+.4f}")
    assert test is not None
    ours, beside = float(np.mean(errors)), {name: test.rmse(name) for name in baselines}
    last = beside["persistence"]
    beats = ours < last
    verdict = f"the LSTM {'beats' if beats else 'does not beat'} persistence ({ours:.3f} and {last:.3f})"
    settings.note(f"stocks: {verdict}")
    detail = {
        "rmse_by_seed": errors,
        "skill_by_seed": skills,
        "beats_persistence": beats,
        "verdict": verdict,
        "days": len(test.origins),
        "settings": options,
    }
    name = f"RMSE in index points one day ahead, mean of {len(errors)} seeds; {verdict}"
    bar = Bar.at_most(WORSE * last, f"{WORSE} times persistence").noting("to beat it is not claimed")
    return [Claim(name, SOURCE, None, ours, bar, beside, detail)]


def beside_the_network() -> dict[str, ForecastEstimator]:
    """What is printed beside the network."""
    return {
        "persistence": Persistence(),
        "linear(20) of returns": LinearAR(20, log=True, subtract_last=True),
        "mean": Mean(),
    }
