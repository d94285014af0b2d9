"""A forecaster with nothing set, over a basket of measured series, beside what is hard to beat."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.data.holdout import split_series
from ostinato.models import Forecaster, LinearAR, Persistence, SeasonalNaive
from ostinato.models.forecast.baselines import best_order
from ostinato.models.forecast.regular import regular
from ostinato.studies import Bar, Claim, StudySettings

from .cases import CASES, Case
from .rivals import smoothing, theta

SOURCE = "series of statsmodels and of the catalogue; fitted to the first 80 %, judged by every origin of the rest"
LINEAR = ("linear", "linear of changes")
LONGEST = 336
KEPT = Path("runs/defaults")
"""Where the figures of each case are kept, so that a study that was cut off goes on; remove it to begin anew."""


def run(settings: StudySettings) -> list[Claim]:
    """Fit to each case, one step and one season ahead; with each seed to the series that are not long."""
    names = ("nile",) if settings.quick else tuple(CASES)
    rows = []
    for seed in settings.seed_list(3):
        for name in names:
            for horizon in sorted({1, CASES[name].longest}):
                if seed and CASES[name].long:
                    continue
                row = _kept(name, horizon, seed, settings)
                if row is not None:
                    rows.append(row)
    return claims(rows)


def claims(rows: list[dict[str, Any]]) -> list[Claim]:
    """The claims from the figures of all cases and seeds."""
    halves = {"the half that was chosen on": True, "the half that was not": False}
    parts = {name: [r for r in rows if CASES[r["series"]].chosen is chosen] for name, chosen in halves.items()}
    found = []
    for part, own in (*parts.items(), ("all", rows)):
        if not own:
            continue
        for words, bar, against in (
            ("RMSE over that of the better linear map", Bar.at_most(0.97), LINEAR),
            ("RMSE over that of the best of all", Bar.at_most(1.0), None),
        ):
            ratios = [_ratio(row, against) for row in own]
            mean = float(np.exp(np.mean(np.log(ratios))))
            name = f"{part}: {words}, geometric mean of {len({_case(r) for r in own})} cases"
            detail = _table(own) if against and part != "all" else {}
            found.append(Claim(name, SOURCE, None, mean, bar, detail=detail))
    worst = max(rows, key=lambda row: _ratio(row, LINEAR))
    name = f"the largest RMSE over that of the better linear map ({_case(worst)}, seed {worst['seed']})"
    found.append(Claim(name, SOURCE, None, _ratio(worst, LINEAR), Bar.at_most(1.1)))
    short = [row for row in rows if row["rows"] <= 1000]
    slowest = max(short, key=lambda row: row["seconds"])
    name = f"processor seconds of the slowest fit up to 1,000 rows ({_case(slowest)})"
    found.append(Claim(name, SOURCE, None, slowest["seconds"], Bar.at_most(60.0)))
    return found


def judged(case: Case, horizon: int, seed: int) -> dict[str, Any] | None:
    """Errors of the forecaster and its rivals on the held-out end; None where it is shorter than the horizon."""
    series = regular(case.series())[0]
    train, stop = split_series(series, 0.2)[0], series.history[0]
    begin = train.history[0]
    origins = np.arange(begin, stop - horizon + 1)
    if not len(origins):
        return None
    truth = series.target[0][origins[:, None] + np.arange(horizon)]
    used = time.process_time()
    model = Forecaster(horizon=horizon, seed=seed).fit(train)
    used = time.process_time() - used
    error = lambda said: float(np.sqrt(np.nanmean((said - truth) ** 2)))
    values = series.target[0][:, 0]
    shaped = truth.shape
    errors = {"forecaster": error(model._at(series, [origins], horizon)[0])}
    errors["persistence"] = error(Persistence(horizon).fit(train)._at(series, [origins], horizon)[0])
    if case.season is not None:
        naive = SeasonalNaive(case.season, horizon).fit(train)
        errors["season before"] = error(naive._at(series, [origins], horizon)[0])
    for name, relative in zip(LINEAR, (False, True), strict=True):
        longest = max(min(begin // 4, LONGEST), 1)
        linear = best_order(LinearAR(longest, horizon, ridge=1e-6, subtract_last=relative), train).fit(train)
        errors[name] = error(linear._at(series, [origins], horizon)[0])
    errors["smoothing"] = error(smoothing(values, begin, case.season, origins, horizon).reshape(shaped))
    errors["theta"] = error(theta(values, begin, case.season, origins, horizon).reshape(shaped))
    return {"rows": begin, "seconds": round(used, 1), "rmse": errors, "chosen": model.adapted_.words}


def _kept(name: str, horizon: int, seed: int, settings: StudySettings) -> dict[str, Any] | None:
    file = KEPT / f"{name}-{horizon}-{seed}.json"
    if file.is_file() and not settings.quick:
        return json.loads(file.read_text())
    found = judged(CASES[name], horizon, seed)
    if found is None:
        return None
    row = {"series": name, "horizon": horizon, "seed": seed, **found}
    settings.note(
        f"defaults, {_case(row)}, seed {seed}: {_ratio(row, LINEAR):.3f} of linear, {_ratio(row):.3f} of best"
    )
    if not settings.quick:
        KEPT.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(row))
    return row


def _case(row: dict[str, Any]) -> str:
    return f"{row['series']}, {row['horizon']} ahead"


def _ratio(row: dict[str, Any], against: tuple[str, ...] | None = None) -> float:
    """The error of the forecaster over the least of its rivals."""
    errors = row["rmse"]
    return errors["forecaster"] / min(e for n, e in errors.items() if n != "forecaster" and n in (against or errors))


def _table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Errors by case: of the forecaster for each seed, of the others once."""
    table: dict[str, Any] = {}
    for row in rows:
        own = table.setdefault(_case(row), {"rows": row["rows"], **row["rmse"], "forecaster": []})
        own["forecaster"].append(round(row["rmse"]["forecaster"], 6))
    return table
