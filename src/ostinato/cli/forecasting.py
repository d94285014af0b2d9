"""The task `forecast`: a table, series with a held-out end, a forecaster with its baselines, its figures."""

from pathlib import Path
from typing import Any

import numpy as np

from ostinato.cli.verdicts import of_backtest
from ostinato.data import Series, Table, read_table, to_series
from ostinato.data.columns import as_text
from ostinato.data.holdout import split_series
from ostinato.errors import DataError
from ostinato.models import Estimator, Forecaster
from ostinato.models.forecast.baselines import default_baselines
from ostinato.models.forecast.unseen import unseen_rows
from ostinato.runs import Evaluation


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
        train, _ = split_series(series, last, name="data.test")
        return train, series if last else None

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
        """The baselines, fitted to the same rows as the model."""
        assert isinstance(model, Forecaster)
        return {**default_baselines(model, series, model.horizon, settings.data.season)}

    def held_out(self, model: Estimator, baselines: dict[str, Any], series: Series, settings: Any) -> Evaluation:
        """The model on the held-out end."""
        assert isinstance(model, Forecaster)
        return of_backtest(model.backtest(series, settings.data.test, baselines=baselines), series.time_name)

    def unseen(self, model: Estimator, baselines: dict[str, Any], series: Series) -> Evaluation:
        """The model on all rows that came after those it was trained on. Raises `DataError` where there are none."""
        assert isinstance(model, Forecaster)
        rows = max(unseen_rows(model, series))
        if rows < model.horizon:
            raise DataError(f"{rows} rows after those that the model was trained on, its horizon is {model.horizon}")
        return of_backtest(model.backtest(series, None, baselines=baselines), series.time_name)

    def predict(self, model: Estimator, path: Path, settings: Any, horizon: int | None = None) -> dict[str, Any]:
        """The steps that follow, as columns."""
        assert isinstance(model, Forecaster)
        return model.predict(self.read(path, settings), horizon).columns()
