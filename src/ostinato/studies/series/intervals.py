"""How often the truth lies inside the intervals of forecasts, over a basket of measured series."""

from typing import Any

import numpy as np

from ostinato.data.holdout import split_series
from ostinato.models import LinearAR, Persistence, SeasonalNaive
from ostinato.models.forecast.base import ForecastEstimator
from ostinato.models.forecast.baselines import best_order
from ostinato.models.forecast.regular import regular
from ostinato.studies import Bar, Claim, StudySettings

from .cases import CASES, Case

SOURCE = "series of statsmodels and of the catalogue; fitted to the first 80 %, judged by every origin of the rest"
LEVELS = (80, 90, 95)
LONGEST_ORDER = 48
ROWS = 2000
"""Of a longer series the last rows."""

MODELS = ("persistence", "season before", "linear")


def run(settings: StudySettings) -> list[Claim]:
    """The intervals that simple forecasts have without asking, one step and one season ahead."""
    rows = []
    for name in ("nile",) if settings.quick else CASES:
        for horizon in sorted({1, CASES[name].longest}):
            rows += judged(name, CASES[name], horizon, MODELS[:1] if settings.quick else MODELS, settings)
    return claims(rows)


def judged(
    name: str, case: Case, horizon: int, models: tuple[str, ...], settings: StudySettings
) -> list[dict[str, Any]]:
    """A row for each model: the share inside each interval, and the interval score at 90 %; none where too short."""
    series = regular(case.series())[0]
    stop = series.history[0]
    series = series.cut(max(stop - ROWS, 0), stop)
    train = split_series(series, 0.2)[0]
    if series.history[0] - train.history[0] < horizon:
        return []
    rows = []
    for kind in models:
        model = _model(kind, case, horizon, train)
        if model is None:
            continue
        test = model.fit(train).backtest(series, 0.2, level=LEVELS, baselines={})
        inside, score = test.coverage(), test.interval_score()
        found = {"series": name, "horizon": horizon, "model": kind, "origins": len(test.origins)}
        found |= {"inside": {str(k): v for k, v in inside.items()}, "score": score[90]}
        found["inside_90_by_step"] = test.coverage_by_horizon(90).tolist()
        settings.note(f"intervals, {name}, {horizon} ahead, {kind}: {inside[90]:.3f} inside 90 %")
        rows.append(found)
    return rows


def claims(rows: list[dict[str, Any]]) -> list[Claim]:
    """For each model the pooled share inside 90 %, one step and one season ahead, and in how many cases it is near."""
    found = []
    for kind in dict.fromkeys(row["model"] for row in rows):
        own = [row for row in rows if row["model"] == kind]
        for words, part in (("one step", lambda h: h == 1), ("one season", lambda h: h > 1)):
            shares = [row["inside"]["90"] for row in own if part(row["horizon"])]
            name = f"{kind}, {words} ahead: share inside 90 %, mean of {len(shares)} cases"
            found.append(Claim(name, SOURCE, None, float(np.mean(shares)), Bar.between(0.87, 0.93)))
        near = float(np.mean([0.82 <= row["inside"]["90"] <= 0.96 for row in own]))
        name = f"{kind}: share of {len(own)} cases with .82 to .96 inside 90 %"
        found.append(Claim(name, SOURCE, None, near, Bar.at_least(20 / 24), detail={"cases": own}))
    return found


def _model(kind: str, case: Case, horizon: int, train: Any) -> ForecastEstimator | None:
    if kind == "persistence":
        return Persistence(horizon)
    if kind == "season before":
        return None if case.season is None else SeasonalNaive(case.season, horizon)
    order = max(min(train.history[0] // 4, LONGEST_ORDER), 1)
    return best_order(LinearAR(order, horizon, ridge=1e-6, subtract_last=True), train)
