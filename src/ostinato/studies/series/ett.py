"""ETTh1: the oil temperature of a transformer, the next 24 hours, beside linear maps that are hard to beat."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ostinato.data import Series, to_series
from ostinato.data.catalogue import load
from ostinato.models import LinearAR, Persistence, SeasonalNaive
from ostinato.models.forecast.base import ForecastEstimator
from ostinato.studies import Bar, Claim, StudySettings

from .backtests import backtests, fitted, words_of

BAR, STRETCH, HORIZON = 0.030, 0.0264, 24
SOURCE = "ETDataset (Zhou et al. 2021): 12, 4 and 4 months of 30 days to fit, choose and judge; target OT"

# Chosen on the four months of validation with seeds from 100 up.
SETTINGS: dict[str, Any] = {
    "cell": "gru",
    "hidden_size": 32,
    "context": 168,
    "horizon": HORIZON,
    "subtract_last": True,
    "linear_skip": True,
    "skip_ridge": 1e-2,
    "dropout": 0.3,
    "epochs": 3,
    "batch_size": 256,
    "learning_rate": 5e-4,
    "weight_decay": 0.3,
}


def run(settings: StudySettings) -> list[Claim]:
    """Fit with each seed to 12 months, keep the best weights on the next 4, judge by every origin of the last 4."""
    data = load("etth1")
    series = to_series(data.table, "OT", "date").cut(0, data.test.stop)
    options = SETTINGS | ({"context": 96, "steps": 5, "epochs": None} if settings.quick else {})
    return judged(series, data.train.stop, data.test.start, options, settings)


def judged(series: Series, stop: int, begin: int, options: Mapping[str, Any], settings: StudySettings) -> list[Claim]:
    """The claims about a series: rows before `stop` to fit, those before `begin` to choose, the rest to judge."""
    train = series.cut(0, stop)
    unit = float(np.std(train.target[0]))
    baselines = fitted(beside_the_network(), train)
    held, options = series.lengths[0] - begin, {**options, "validation": begin - stop}
    errors, test = [], None
    for seed, test in backtests(options, settings.seed_list(3), series, held, baselines):
        errors.append(test.mse(test.model) / unit**2)
        settings.note(f"ett, seed {seed}: MSE {errors[-1]:.5f}")
    assert test is not None
    ours, beside = float(np.mean(errors)), {name: test.mse(name) / unit**2 for name in baselines}
    better = words_of(ours, beside)
    verdict = f"{', '.join(better)}: smaller error than the network" if better else "the network has the smallest error"
    settings.note(f"ett: {verdict}")
    detail = {
        "mse_by_seed": errors,
        "origins": len(test.origins),
        "rmse_by_horizon": (test.by_horizon(test.model) / unit).tolist(),
        "settings": {name: value for name, value in options.items() if name != "validation"},
        "verdict": verdict,
    }
    name = f"MSE of OT over {HORIZON} hours in units of the training data, mean of {len(errors)} seeds"
    return [
        Claim(name, SOURCE, None, ours, Bar.at_most(BAR), beside, detail),
        Claim(f"{name}, stretch", SOURCE, None, ours, Bar.at_most(STRETCH), beside, detail),
    ]


def beside_the_network() -> dict[str, ForecastEstimator]:
    """What is printed beside the network, fitted to the 12 months; the last one sees as far back as the network."""
    context = SETTINGS["context"]
    return {
        "persistence": Persistence(HORIZON),
        "seasonal-naive": SeasonalNaive(24, HORIZON),
        "linear(96)": LinearAR(96, HORIZON),
        "linear(96), last subtracted": LinearAR(96, HORIZON, subtract_last=True),
        f"linear({context}), last subtracted": LinearAR(context, HORIZON, subtract_last=True, ridge=1e-2),
    }
