"""The task `forecast`: a table, series with a held-out end, a forecaster with its baselines, its figures."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.cli.verdicts import of_backtest
from ostinato.data import Series, Table, read_table, to_series
from ostinato.data.columns import as_text
from ostinato.errors import DataError, LengthError, SettingsError
from ostinato.models import Estimator, Forecaster, LinearAR, SeasonalNaive
from ostinato.models.forecast.base import PARTS
from ostinato.models.forecast.baselines import default_baselines
from ostinato.runs import Evaluation

EVERY_ORDER = 24
"""Autoregressions of up to this order are all tried; of longer ones that order, its half, its quarter, ..."""

CHOOSING = 0.15
"""The share of the training rows on which their orders are compared."""


class Forecasting:
    """What `fit`, `predict` and `evaluate` do with series."""

    asked = ("horizon",)

    def read(self, path: Path, settings: Any) -> Series:
        """The series in a file."""
        return self.series(read_table(path), settings)

    def series(self, table: Table, settings: Any) -> Series:
        """The series in a table; raises `DataError` and `LeakError`."""
        data, model = settings.data, settings.model
        target = list(data.target) or None
        return to_series(table, target, data.time, data.series, model.past, model.future, model.static)

    def split(self, series: Series, settings: Any) -> tuple[Series, Series | None]:
        """The rows to train on, and all of them where an end is held out."""
        last = settings.data.test
        if isinstance(last, bool) or last < 0 or (isinstance(last, float) and last >= 1):
            raise SettingsError(f"data.test: expected a number of rows, or a share below 1.0, got {last!r}")
        if not last:
            return series, None
        stops = [n - (round(last * n) if isinstance(last, float) else last) for n in series.history]
        if min(stops) < 1:
            raise DataError(
                f"data.test: {last} rows held out leave none to train on; the shortest series has {min(series.history)}"
            )
        cut = lambda parts: None if parts is None else tuple(p[:s] for p, s in zip(parts, stops, strict=True))
        return replace(series, **{name: cut(getattr(series, name)) for name in PARTS}), series

    def describe(self, series: Series) -> dict[str, Any]:
        """The data in a few lines."""
        steps = series.lengths
        about = {
            "series": len(series),
            "rows": sum(steps),
            "target": series.target_names,
            "past": series.past_names,
            "future": series.future_names,
            "static": series.static_names,
            "time": series.time_name,
            "step": None if series.frequency is None else series.frequency.name,
            "missing": int(sum(np.isnan(t[:n]).sum() for t, n in zip(series.target, series.history, strict=True))),
        }
        if series.times is not None:
            ends = min(t[0] for t in series.times), max(t[-1] for t in series.times)
            about["from"], about["to"] = as_text(np.array(ends)) if series.zone is None else series.zone.written(ends)
        return {name: value for name, value in about.items() if value not in (None, ())}

    def notes(self, series: Series) -> tuple[str, ...]:
        """What was done to the data on the way."""
        return series.notes

    def train(self, model: Estimator, series: Series, **options: Any) -> None:
        """Fit the model."""
        assert isinstance(model, Forecaster)
        model.fit(series, **options)

    def baselines(self, model: Estimator, series: Series, settings: Any) -> dict[str, Estimator]:
        """The baselines, fitted to the same rows as the model; of the linear ones that which does best at their end."""
        assert isinstance(model, Forecaster)
        found: dict[str, Estimator] = {}
        known = default_baselines(model, series, model.horizon)
        season = settings.data.season
        if season is not None:
            if not 0 < season < min(series.history):
                raise SettingsError(f"data.season: expected 1 to below {min(series.history)} steps, got {season}")
            known["seasonal-naive"] = SeasonalNaive(season, model.horizon)
        for baseline in known.values():
            chosen = _best_order(baseline, series) if isinstance(baseline, LinearAR) else baseline
            name = f"linear({chosen.order})" if isinstance(chosen, LinearAR) else chosen.kind
            found[name] = chosen.fit(series)
        return found

    def held_out(self, model: Estimator, baselines: dict[str, Any], series: Series, settings: Any) -> Evaluation:
        """The model on the held-out end."""
        assert isinstance(model, Forecaster)
        return of_backtest(model.backtest(series, settings.data.test, baselines=baselines), series.time_name)

    def unseen(self, model: Estimator, baselines: dict[str, Any], series: Series) -> Evaluation:
        """The model on all rows that came after those it was trained on. Raises `DataError` where there are none."""
        assert isinstance(model, Forecaster)
        rows = min(_unseen(model, series, i) for i in range(len(series)))
        if rows < model.horizon:
            raise DataError(f"{rows} rows after those that the model was trained on, its horizon is {model.horizon}")
        return of_backtest(model.backtest(series, rows, baselines=baselines), series.time_name)

    def predict(self, model: Estimator, path: Path, settings: Any, horizon: int | None = None) -> dict[str, Any]:
        """The steps that follow, as columns."""
        assert isinstance(model, Forecaster)
        return model.predict(self.read(path, settings), horizon).columns()


def _best_order(linear: LinearAR, series: Series) -> LinearAR:
    """The autoregression of the order that forecasts the last rows best: one that is too long is no honest baseline."""
    most = linear.order
    orders = range(1, most + 1) if most <= EVERY_ORDER else [most // 2**k for k in range(most.bit_length())]
    errors: dict[int, float] = {}
    for order in orders:
        candidate = LinearAR(**{**linear.get_params(), "order": order})
        with contextlib.suppress(LengthError):
            test = candidate.backtest(series, CHOOSING, refit=True, baselines={})
            errors[order] = test.mse(test.model)
    return LinearAR(**{**linear.get_params(), "order": min(errors, key=errors.__getitem__, default=most)})


def _unseen(model: Forecaster, series: Series, index: int) -> int:
    """How many rows of a series the model has not seen."""
    rows, name = series.history[index], series.ids[index]
    if name not in model.rows_:
        return rows
    k = model.tail_.ids.index(name)
    if series.times is not None and model.tail_.times is not None:
        end = model.tail_.times[k][model.tail_.history[k] - 1]
        return int((series.times[index][:rows] > end).sum())
    tail, seen = model.tail_.target[k][: model.tail_.history[k]], model.rows_[name]
    there = series.target[index][max(seen - len(tail), 0) : seen]
    return rows - seen if there.shape == tail.shape and np.array_equal(there, tail, equal_nan=True) else rows
