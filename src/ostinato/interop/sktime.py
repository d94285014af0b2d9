"""A forecaster behind sktime's interface (extra `sktime`)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ostinato.errors import DataError
from ostinato.models import LinearAR, Persistence, SeasonalNaive
from ostinato.models.forecast.base import ForecastEstimator

try:
    import pandas
    from sktime.forecasting.base import (  # pyright: ignore[reportMissingImports]
        BaseForecaster,
        ForecastingHorizon,
    )
except ImportError as error:
    raise DataError("sktime's interface needs the extra `sktime`: pip install 'ostinato[sktime]'") from error


class SktimeForecaster(BaseForecaster):
    """Any forecaster of this library as one of sktime: its horizons, index types, intervals and evaluation.

    `model` is an unfitted forecaster, by default `SeasonalNaive` with a season of 1; it is copied, and its `horizon` is
    the last step asked for in `fit`. `X` is known ahead: its columns are the `future` of a model that has such a
    setting, and are not looked at otherwise. Intervals are those of `predict(level=...)`.

    Times are handed on where the index has dates; otherwise rows are counted.

    ```python
    >>> import pandas as pd
    >>> from ostinato.interop.sktime import SktimeForecaster
    >>> from ostinato.models import LinearAR
    >>> y = pd.Series([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    >>> SktimeForecaster(LinearAR(order=1)).fit(y, fh=[1, 2]).predict().round(3).to_dict()
    {6: 64.0, 7: 128.0}

    ```
    """

    _tags = {  # noqa: RUF012 - the base class reads a plain attribute
        "authors": ["the Ostinato developers"],
        "maintainers": ["the Ostinato developers"],
        "python_dependencies": None,
        "scitype:y": "both",
        "y_inner_mtype": "pd.DataFrame",
        "X_inner_mtype": "pd.DataFrame",
        "capability:exogenous": True,
        "capability:missing_values": False,
        "capability:pred_int": True,
        "capability:insample": False,
        "capability:pred_int:insample": False,
        "requires-fh-in-fit": True,
        "X-y-must-have-same-index": True,
        "enforce_index_type": None,
    }

    def __init__(self, model: ForecastEstimator | None = None):
        self.model = model
        super().__init__()
        self.set_tags(**{"capability:exogenous": hasattr(model, "future")})

    def _fit(self, y: Any, X: Any = None, fh: Any = None) -> "SktimeForecaster":
        self._names = [f"y{i}" for i in range(y.shape[1])]
        self._columns = list(y.columns)
        given = SeasonalNaive(1) if self.model is None else self.model
        steps = int(max(np.max(fh.to_relative(self.cutoff)), 1))
        settings: dict[str, Any] = {"horizon": steps}
        self._known = [] if X is None or not hasattr(given, "future") else [f"x{i}" for i in range(X.shape[1])]
        if self._known:
            settings["future"] = tuple(self._known)
        self.model_ = given._blank().set_params(**settings)
        self._rows = len(y)
        self.model_.fit(self._table(y, X), self._names, time=self._time)
        return self

    def _predict(self, fh: Any, X: Any = None) -> Any:
        steps = np.asarray(fh.to_relative(self.cutoff), int)
        made = self._forecast(int(steps.max()), X, ())
        index = fh.to_absolute_index(self.cutoff)
        return pandas.DataFrame(made.values[0, steps - 1], index=index, columns=self._columns)

    def _predict_interval(self, fh: Any, X: Any, coverage: Sequence[float]) -> Any:
        steps = np.asarray(fh.to_relative(self.cutoff), int)
        # A coverage of nothing, which sktime asks for where it wants a median, is the forecast itself.
        asked = sorted({100 * float(c) for c in coverage if c >= 0.01})
        made = self._forecast(int(steps.max()), X, tuple(asked))
        columns, values = [], []
        for j, name in enumerate(self._columns):
            for share in coverage:
                for side, ends in (("lower", made.lower), ("upper", made.upper)):
                    columns.append((name, share, side))
                    plain = share < 0.01 or ends is None
                    row = made.values[0, :, j]
                    if not plain:
                        row = ends[0, :, j, asked.index(100 * float(share))]  # pyright: ignore[reportOptionalSubscript]
                    values.append(row[steps - 1])
        heads = pandas.MultiIndex.from_tuples(columns)
        return pandas.DataFrame(np.stack(values, 1), index=fh.to_absolute_index(self.cutoff), columns=heads)

    def _forecast(self, horizon: int, X: Any, level: tuple[float, ...]) -> Any:
        """The forecast after all rows that were seen, in `fit` and in `update`."""
        if not self._known and len(self._y) == self._rows:
            return self.model_.predict(None, horizon, level=level)
        return self.model_.predict(self._table(self._y, self._X, X, horizon), horizon, level=level)

    @property
    def _time(self) -> str | None:
        return "time" if isinstance(self._y.index, pandas.DatetimeIndex | pandas.PeriodIndex) else None

    def _table(self, y: Any, X: Any = None, ahead: Any = None, horizon: int = 0) -> dict[str, Any]:
        """The columns that the model reads, with rows of what is known ahead after those of y."""
        more = horizon if self._known and ahead is not None else 0
        if more:
            # Steps that are not asked for need not be known ahead; the direct forecasts of others do not look at them.
            steps = ForecastingHorizon(np.arange(1, horizon + 1), is_relative=True)
            ahead = pandas.DataFrame(ahead).reindex(steps.to_absolute_index(self.cutoff)).ffill().bfill()
        pad = np.full((more, y.shape[1]), np.nan)
        target = np.concatenate([np.asarray(y, float), pad])
        found: dict[str, Any] = dict(zip(self._names, target.T, strict=True))
        if self._known:
            rows = np.asarray(X, float)[: len(y)] if ahead is None else np.asarray(X, float)
            later = np.zeros((0, rows.shape[1])) if ahead is None else np.asarray(ahead, float)
            found |= dict(zip(self._known, np.concatenate([rows[: len(y)], later]).T, strict=True))
        if self._time is not None:
            index = y.index.append(ahead.index) if more and ahead is not None else y.index
            found["time"] = (index.to_timestamp() if isinstance(index, pandas.PeriodIndex) else index).to_numpy()
        return found

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Models that sktime's own tests are run with."""
        del parameter_set
        return [{}, {"model": Persistence()}, {"model": LinearAR(order=2, ridge=1e-3)}]
