"""What a report says of the steps to come: the forecast after the last row with its interval, and how wide it is."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ostinato.data import Series, moved
from ostinato.models import Backtest, Forecast
from ostinato.models.forecast.figures import time_axis
from ostinato.runs import Section
from ostinato.view import Curve, Lines, Table, numbers, section

BEFORE = 120
"""Rows before the forecast that are drawn, or four horizons where these are more."""


def ahead(made: Forecast, data: Series) -> Section:
    """The last rows of the first series, and the steps that follow them with the widest of the intervals."""
    index = data.ids.index(made.ids[0])
    stop, name = data.history[index], made.target_names[0]
    start = max(stop - max(BEFORE, 4 * made.horizon), 0)
    past, gap = data.target[index][start:stop, 0], np.full(stop - start, np.nan)
    join = lambda ends: numbers(np.concatenate([gap, ends[0, :, 0, -1]]))
    x, kind, label = _axis(made, data, index, start, stop)
    curves = (
        Curve(name, "truth", numbers(np.concatenate([past, np.full(made.horizon, np.nan)]))),
        Curve("forecast", "ours", numbers(np.concatenate([gap, made.values[0, :, 0]]))),
    )
    known = made.lower is not None and made.upper is not None
    band = (join(made.lower), join(made.upper)) if known else None
    words = f"Shaded: the interval of {made.level[-1]:g} %." if known else ""
    marks = ((x[stop - start], ""),) if made.horizon == 1 else ()
    drawn = Lines(x, curves, label, name, kind, band=band, marks=marks, points=made.horizon == 1)
    return section("The steps ahead", drawn, words)


def intervals(test: Backtest, names: Sequence[str]) -> Section:
    """How often the truth lay inside the intervals of these models, and their score, over all that was held out."""
    head = ("model", *(f"{what} {level:g} %" for level in test.level for what in ("inside", "interval score")))
    rows = []
    for name in (n for n in names if n in test.intervals):
        inside, score = test.coverage(name), test.interval_score(name)
        rows.append((name, *(value for level in test.level for value in (round(inside[level], 4), score[level]))))
    note = (
        "The share of held-out values inside each interval, which should be its level, and the interval score, in the "
        "units of the data: the width, and 2/(1 − level) times what a value lies outside; less is better."
    )
    return section("Intervals", Table(head, tuple(rows), ours=(0,)), note)


def _axis(made: Forecast, data: Series, index: int, start: int, stop: int) -> tuple[tuple[float, ...], Any, str]:
    if made.times is None or data.times is None:
        return tuple(map(float, range(start, stop + made.horizon))), "number", "row"
    shown = [moved(t, zone, None) for t, zone in ((data.times[index], data.zone), (made.times[0], made.zone))]
    return time_axis(np.concatenate([shown[0][start:stop], shown[1]]), made.time_name)
