"""S&P 500, one trading day ahead: what a recurrent network adds to the last price, which is nothing to speak of."""

from typing import Any

import numpy as np

from ostinato.data import to_series
from ostinato.data.catalogue import load
from ostinato.models import Backtest, Forecaster, LinearAR, Mean, Persistence

from .base import Claim, Study, StudySettings

SOURCE = "vega-datasets: daily close, 2000 to April 2020; the last fifth is held out"
WORSE = 0.02

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
    rows = series.lengths[0]
    held = rows // 5
    train = series.cut(0, rows - held)
    options = SETTINGS | ({"epochs": 1, "patience": None} if settings.quick else {})
    baselines = {
        "persistence": Persistence().fit(train),
        "linear(20) of returns": LinearAR(20, log=True, subtract_last=True).fit(train),
        "mean": Mean().fit(train),
    }
    errors, skills, test = [], [], None
    for seed in settings.seed_list(3):
        test = Forecaster(**options, seed=seed).fit(train).backtest(series, held, baselines=baselines)
        errors.append(test.rmse(test.model))
        skills.append(test.skill(test.model))
        settings.note(f"stocks, seed {seed}: RMSE {errors[-1]:.3f}, skill against persistence {skills[-1]:+.4f}")
    assert isinstance(test, Backtest)
    ours, beside = float(np.mean(errors)), {name: test.rmse(name) for name in baselines}
    beats = ours < beside["persistence"]
    verdict = (
        f"the LSTM {'beats' if beats else 'does not beat'} persistence ({ours:.3f} and {beside['persistence']:.3f})"
    )
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
    tolerance = f"trained to within {WORSE:.0%} of persistence; to beat it is not claimed"
    holds = bool(ours <= (1 + WORSE) * beside["persistence"])
    return [Claim(name, SOURCE, None, ours, tolerance, beside, holds, detail)]


STUDY = Study("S&P 500, one trading day ahead, beside the last price", run, ("vega_series",))
