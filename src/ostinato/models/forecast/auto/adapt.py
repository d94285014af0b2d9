"""How a forecaster adapts to series: which simple forecasts, which view, and how large a network on top of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ostinato.data import Frequency, Series
from ostinato.models.forecast.auto.adapted import Adapted, Plan, corrected
from ostinato.models.forecast.auto.correction import earned, size_of
from ostinato.models.forecast.auto.linear import BASES
from ostinato.models.forecast.auto.mixture import Mixture, View
from ostinato.models.forecast.auto.search import Found, Space, search
from ostinato.models.forecast.auto.seasons import seasons_of
from ostinato.training import Ensemble

FEWEST = 60
"""Windows that a network needs to be trained."""

MEMBERS = 3
"""Networks side by side, whose mean corrects the mixture."""


@dataclass(frozen=True)
class Asked:
    """What a forecaster may choose: a setting that is `"auto"` is free."""

    horizon: int
    season: Any
    context: Any
    log: Any
    subtract_last: Any
    calendar: Any
    scaling: str
    hidden_size: Any
    seed: int


def adapt(
    asked: Asked, series: Series, stops: Sequence[int], train: Callable[[Plan, Any, Any], Ensemble]
) -> tuple[Adapted, Found]:
    """Adapt to the rows before the stops.

    `train(plan, source, ahead)` gives trained networks; `source` and `ahead` are the windows to train on and to
    stop by. Where they have earned a share it is asked again, with the windows of all rows and None, for networks that
    are trained as long.
    """
    views = views_of(asked, series, stops)
    scales = [views[0].features.scale_of(series, i).scale[: len(series.target_names)] for i in range(len(series))]
    space = space_of(asked, series, stops, views)
    found = search(series, stops, asked.horizon, space, views, scales)
    adapted = Adapted(found.mixture, trials=found.trials, seasons=space.seasons)
    plan, origins, cut = plan_of(asked, series, stops, found)
    if plan is None or found.rolling is None:
        return adapted, found
    past = found.lead.fitted(series, cut, asked.horizon)
    # The rows that the first cut leaves are judged by forecasts of each fold; those before it by their own fit.
    source, scale = _missed(plan, past, series, origins, cut)
    plan = replace(plan, scale=scale)
    source.missed /= scale
    rolling, fold = found.rolling, _fold_of(found)
    here = np.flatnonzero((rolling.folds >= fold) & (rolling.rows >= plan.context))
    order = here[np.lexsort((rolling.rows[here], rolling.series[here]))]
    after = [rolling.rows[order][rolling.series[order] == i] for i in range(len(series))]
    base, truth, lead = found.said[order], found.truth[order], found.lead_said[order]
    counts = [len(o) for o in after]
    if not any(counts):
        return adapted, found
    missed = plan.view.from_units(np.nan_to_num(truth), series, counts) - plan.view.from_units(lead, series, counts)
    missed = np.where(np.isnan(truth), np.nan, missed) / scale
    network = train(plan, source, plan.windows(series, after, missed))
    made = corrected(network, plan, series, after, lead)
    unit = np.array([np.asarray(s) for s in scales])[rolling.series[order]][:, None]
    edges = [*found.mixture.edges, asked.horizon]
    parts = [slice(a, b) for a, b in pairwise(edges)]
    shares = tuple(earned(((truth - base) / unit)[:, p], ((made - base) / unit)[:, p]) for p in parts)
    said = found.said.copy()
    said[order] = base + np.repeat(shares, np.diff(edges))[:, None] * (made - base)
    root = lambda a: float(np.sqrt(np.nanmean(((a - truth) / unit) ** 2)))
    share = float(np.mean(shares))
    trials = [*found.trials, ("mixture beside the network", root(base), 1 - share), ("network", root(made), share)]
    if not any(shares):
        return replace(adapted, trials=trials, without="a network added nothing there"), found
    whole = [np.arange(plan.context, max(n - plan.horizon + 1, plan.context)) for n in stops]
    source, _ = _missed(plan, found.lead, series, whole, stops)
    source.missed /= scale
    network, plan = train(plan, source, None), replace(plan, shares=shares)
    adapted = replace(adapted, lead=found.lead, plan=plan, network=network, trials=trials)
    return adapted, replace(found, said=said)


def views_of(asked: Asked, series: Series, stops: Sequence[int]) -> list[View]:
    """The targets as they are, and their logarithm where that may help."""
    calendar = calendar_of(series, stops) if asked.calendar == "auto" else tuple(asked.calendar)
    rows = np.concatenate([t[:s] for t, s in zip(series.target, stops, strict=True)])
    if asked.log == "auto":
        low, high = np.nanquantile(rows, [0.05, 0.95], axis=0)
        positive = bool((np.nanmin(rows, 0) > 0).all() and (high > 1.3 * low).all())
        logs = (False, True) if positive else (False,)
    else:
        logs = (bool(asked.log),)
    return [View.of(series, stops, log, calendar, asked.scaling) for log in logs]


def space_of(asked: Asked, series: Series, stops: Sequence[int], views: Sequence[View]) -> Space:
    """What is tried, as far as it is free."""
    bases = {"auto": BASES, True: ("last", "change"), False: ("none", "season")}[asked.subtract_last]
    if asked.season == "auto":
        seasons = seasons_of(series.target, stops, series.frequency)
    else:
        seasons = () if asked.season is None else (int(asked.season),)
    waves = bool(views[0].features.calendar)
    longest = None if asked.context == "auto" else int(asked.context)
    return Space(bases, tuple(v.log for v in views), seasons, waves, longest)


def calendar_of(series: Series, stops: Sequence[int]) -> tuple[str, ...]:
    """Waves of the date, of each period that the rows hold twice and that has more steps than one."""
    frequency: Frequency | None = series.frequency
    if frequency is None or series.times is None or series.times[0].dtype.kind != "M":
        return ()
    rows = int(max(stops))
    if frequency.unit.startswith("month"):
        return ("month:3",) if frequency.every == 1 and rows >= 36 else ()
    if not frequency.seasons:
        return ()
    names = {1.0: "hour:2", 7.0: "weekday:3", 365.25: "yearday:2"}
    year = max(frequency.seasons)
    found = [
        names[d]
        for d in names
        if any(abs(s - d * year / 365.25) < 0.5 for s in frequency.seasons)
        and d * year / 365.25 > 2
        and 2 * d * year / 365.25 <= rows
    ]
    return tuple(found)


def plan_of(
    asked: Asked, series: Series, stops: Sequence[int], found: Found
) -> tuple[Plan | None, list[np.ndarray], tuple[int, ...]]:
    """The networks, the origins that they are trained on, and the rows that these lie before."""
    rolling, horizon = found.rolling, asked.horizon
    if rolling is None:
        return None, [], ()
    cut = rolling.cuts[_fold_of(found)]
    errors = {name: error for name, error, _ in found.trials}
    log = (
        float(
            sum(
                s
                for (_, v, _), s in zip(found.mixture.members, found.mixture.shares.mean(0), strict=True)
                if found.mixture.views[v].log
            )
        )
        > 0.5
    )
    best = lambda words: min((e for n, e in errors.items() if n.startswith("linear") and words(n)), default=np.inf)
    relative = best(lambda n: " of changes" in n) * 1.02 < best(lambda n: " of changes" not in n)
    if asked.subtract_last != "auto":
        relative = bool(asked.subtract_last)
    season = max((m.season for m, _, _ in found.mixture.members), default=1)
    typical = int(np.median([c for c in cut if c] or [0]))
    context = (
        int(asked.context)
        if asked.context != "auto"
        else int(min(max(24, horizon, season + 1 if season <= 48 else 0), 96, max(typical // 4, 1)))
    )
    origins = [np.arange(context, c - horizon + 1) for c in cut]
    windows = sum(len(o) for o in origins)
    if windows < FEWEST:
        return None, [], ()
    calendar = found.mixture.views[0].features.calendar
    view = View.of(series, stops, log, calendar, asked.scaling, horizon if relative else 0)
    parts = (*series.target, *series.past)
    indicators = bool(any(np.isnan(p[:s]).any() for p, s in zip(parts, (*stops, *stops), strict=True)))
    hidden = asked.hidden_size if asked.hidden_size != "auto" else size_of(windows)[0]
    seeds = tuple(asked.seed * 1000 + i for i in range(MEMBERS))
    hidden = hidden if isinstance(hidden, int) else tuple(hidden)
    return Plan(view, context, horizon, hidden, seeds, relative, indicators), origins, cut


def _fold_of(found: Found) -> int:
    """The first cut that leaves 70 % of the rows or more."""
    rolling = found.rolling
    assert rolling is not None
    shares = [max(cut) / max(rolling.stops) for cut in rolling.cuts]
    return next((i for i, share in enumerate(shares) if share >= 0.69), len(shares) - 1)


def _missed(
    plan: Plan, past: Mixture, series: Series, origins: list[np.ndarray], cut: Sequence[int]
) -> tuple[Any, float]:
    """The windows to train on, with what a linear forecast misses there, and the size of that."""
    counts, steps = [len(o) for o in origins], np.arange(plan.horizon)
    base = past.forecast(series, origins, plan.horizon)
    truth = np.concatenate([t[o[:, None] + steps] for t, o in zip(series.target, origins, strict=True)])
    missed = plan.view.from_units(np.nan_to_num(truth), series, counts) - plan.view.from_units(base, series, counts)
    missed = np.where(np.isnan(truth), np.nan, missed)
    scale = float(np.sqrt(np.nanmean(missed**2)))
    return plan.windows(series, origins, missed), scale if scale > 1e-12 else 1.0
