"""Long frames as the field has them (`unique_id`, `ds`, `y`), in and out, with their index kept."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ostinato.errors import DataError
from ostinato.models.forecast.base import ForecastEstimator


class LongForecaster:
    """A forecaster that takes and gives pandas frames in the long layout, a row for each series and time.

    * `fit(frame)`: columns `unique_id`, `ds`, `y`, or `unique_id` as the index, and covariates that the model names.
    * `predict(h, level=)`: `unique_id`, `ds`, the model's name, and `NAME-lo-80`, `NAME-hi-80` for each level, with
      `unique_id` where it was in `fit`: in a column or in the index, in the order and the type that it had.
    * `cross_validation(frame, h, n_windows, step_size, refit, level)`: the same with `cutoff`, the last time known,
      and the truth `y`.

    `name` is the column of the forecast, by default the kind of the model.

    ```python
    >>> import pandas as pd
    >>> from ostinato.models import Persistence
    >>> days = pd.date_range("2020-01-01", periods=3)
    >>> frame = pd.DataFrame({"unique_id": [7] * 3, "ds": days, "y": [1.0, 2.0, 4.0]})
    >>> LongForecaster(Persistence()).fit(frame).predict(1).iloc[0].to_dict()
    {'unique_id': 7, 'ds': Timestamp('2020-01-04 00:00:00'), 'persistence': 4.0}

    ```
    """

    def __init__(
        self,
        model: ForecastEstimator,
        name: str | None = None,
        *,
        id_col: str = "unique_id",
        time_col: str = "ds",
        target_col: str = "y",
    ):
        self.model, self.name = model, model.kind if name is None else name
        self.id_col, self.time_col, self.target_col = id_col, time_col, target_col

    def fit(self, frame: Any) -> "LongForecaster":
        """Fit one model to all series, with `h` of `predict` up to its `horizon`. Raises as the model's `fit`."""
        self.indexed_ = frame.index.name == self.id_col
        table = self._table(frame)
        self.ids_ = {str(value): value for value in table[self.id_col].unique()}
        self.model_ = self.model._blank()
        self.model_.fit(table, self.target_col, time=self.time_col, series=self.id_col)
        return self

    def predict(self, h: int | None = None, *, level: Sequence[float] = ()) -> Any:
        """The `h` steps after the last row of each series, as a frame."""
        made = self.model_.predict(None, h, level=level)
        if made.times is None:
            raise DataError(f"{self.time_col}: the step of the times is not known, so that the next ones are not")
        columns: dict[str, Any] = {
            self.id_col: np.repeat(self._own(made.ids), made.horizon),
            self.time_col: np.concatenate(made.times),
            self.name: made.values[..., 0].ravel(),
        }
        if made.lower is not None and made.upper is not None:
            for q, percent in enumerate(made.level):
                columns[f"{self.name}-lo-{percent:g}"] = made.lower[:, :, 0, q].ravel()
                columns[f"{self.name}-hi-{percent:g}"] = made.upper[:, :, 0, q].ravel()
        return self._frame(columns)

    def cross_validation(
        self,
        frame: Any,
        h: int,
        n_windows: int = 1,
        step_size: int = 1,
        refit: bool | int = True,
        level: Sequence[float] = (),
    ) -> Any:
        """Forecasts at the last `n_windows` origins of each series, `step_size` apart; `refit` as in `backtest`."""
        self.indexed_ = frame.index.name == self.id_col
        table = self._table(frame)
        self.ids_ = {str(value): value for value in table[self.id_col].unique()}
        model = self.model._blank().set_params(horizon=h)
        series = model._series(table, {"target": self.target_col, "time": self.time_col, "series": self.id_col})
        test = model.backtest(
            series, windows=n_windows, step=step_size, refit=refit or "once", level=level, baselines={}, adapt=None
        )
        assert test.times is not None
        assert series.times is not None
        before = [series.times[i][o - 1] for i, o in zip(test.series, test.origins, strict=True)]
        columns: dict[str, Any] = {
            self.id_col: np.repeat(self._own([series.ids[i] for i in test.series]), h),
            self.time_col: test.times.ravel(),
            "cutoff": np.repeat(np.array(before), h),
            self.target_col: test.truth[..., 0].ravel(),
            self.name: test.forecasts[test.model][..., 0].ravel(),
        }
        for q, percent in enumerate(test.level):
            for side, word in enumerate(("lo", "hi")):
                columns[f"{self.name}-{word}-{percent:g}"] = test.intervals[test.model][:, :, 0, q, side].ravel()
        return self._frame(columns)

    def _own(self, ids: Sequence[str]) -> np.ndarray:
        """The names of series as the frame had them."""
        return np.array([self.ids_[name] for name in ids])

    def _table(self, frame: Any) -> Any:
        table = frame.reset_index() if frame.index.name == self.id_col else frame
        missing = [name for name in (self.id_col, self.time_col, self.target_col) if name not in table.columns]
        if missing:
            raise DataError(
                f"frame: expected columns {self.id_col}, {self.time_col} and {self.target_col}, no {missing}"
            )
        return table

    def _frame(self, columns: dict[str, Any]) -> Any:
        import pandas

        made = pandas.DataFrame(columns)
        return made.set_index(self.id_col) if self.indexed_ else made
