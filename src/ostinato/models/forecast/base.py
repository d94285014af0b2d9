"""What every forecaster does alike, baselines included: data in, forecasts out, a backtest at rolling origins."""

import abc
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from jaxtyping import PyTree

from ostinato.data import Series, Table, counted_by, moved, to_series
from ostinato.errors import LeakError, LengthError, NonFiniteError, SettingsError
from ostinato.models.base import Estimator, Weights
from ostinato.models.forecast.backtest import Backtest, evaluate
from ostinato.models.forecast.features import extended
from ostinato.models.forecast.forecast import Forecast, point
from ostinato.models.forecast.history import pack, packed_like, unpack

F = TypeVar("F", bound="ForecastEstimator")

PARTS = ("target", "past", "future", "times", "dt")
"""The fields of a `Series` that hold an array for each series."""


class ForecastEstimator(Estimator):
    """Base of forecasters; a subclass gives `_fit(series, stops)`, `_reach` and `_at(series, origins, horizon)`.

    Settings that name columns (`past`, `future`, `static`) and `calendar` are read where the subclass has them. After
    `fit`:

    * `roles_`: which columns the data were read from, for the data given later; `frequency_`; `notes_`: what was done
      on the way.
    * `tail_`: the last rows of each training series, from which `predict()` goes on.
    * `rows_`: how many rows of each series were trained on.
    """

    estimator_type: ClassVar[str | None] = None

    def fit(
        self: F,
        data: Any,
        target: str | Sequence[str] | None = None,
        *,
        time: str | None = None,
        series: str | None = None,
        **options: Any,
    ) -> F:
        """Fit to one or many series.

        * `data`: a frame (pandas, polars), a mapping of columns, a `data.Table`, an array `(time,)` or `(time,
          targets)`, or a `data.Series`. Rows at the end without a target are not trained on; their covariates serve
          `predict`.
        * `target`: one or several columns; `time`: the column of times, found where there is one only; `series`: the
          column that tells series apart, for the long layout.

        Raises `DataError` (columns, text, a constant target), `LeakError` (the target among the future covariates),
        `NonFiniteError` (a missing value that was not allowed), `LengthError` (too few rows).
        """
        roles = {"target": target, "time": time, "series": series}
        found = self._series(data, roles)
        stops = found.history
        self._check_values(found, stops)
        self._fit(found, stops, **options)
        self.roles_ = {"target": list(found.target_names), "time": found.time_name, "series": found.series_name}
        self.notes_ = found.notes
        self.frequency_ = found.frequency
        self.rows_ = dict(zip(found.ids, stops, strict=True))
        self.tail_ = self._tail(found)
        return self

    def predict(self, data: Any = None, horizon: int | None = None) -> Forecast:
        """The steps after the last target of each series: of the training data, or of `data`.

        `data` has the columns of the training data. Where covariates are known ahead, rows with these and an empty
        target follow the last target. Its rows are counted by the steps of the training data, and times come out in its
        own zone. Raises `DataError` (rows in other steps too), `LengthError` (too few rows, a horizon that was not
        trained).
        """
        self.check_fitted()
        horizon = self._horizon(horizon)
        given = self.tail_ if data is None else self._given(data)
        found = self._counted(given)
        self._check_values(given, given.history)
        # Rows that the file has not got at all matter only where the forecast looks.
        self._check_values(found, found.history, [max(n - self._reach, 0) for n in found.history])
        parts, times = [], []
        for i, stop in enumerate(found.history):
            self._check_rows(found.ids[i], stop)
            one = extended(found, i, horizon, self.frequency_)
            parts.append(self._at(one, [np.array([stop])], horizon)[0])
            ahead = None if one.times is None else one.times[0][stop : stop + horizon]
            times.append(None if ahead is None else moved(ahead, found.zone, given.zone))
        values = np.concatenate(parts)
        levels = self._levels
        return Forecast(
            point(values, levels),
            found.target_names,
            found.ids,
            None if any(t is None for t in times) else tuple(times),
            found.time_name or "time",
            levels,
            values if levels else None,
            given.series_name,
            given.zone,
            tuple(words for words in found.notes if words not in self.notes_),
        )

    def backtest(
        self,
        data: Any,
        last: int | float = 0.2,
        *,
        step: int = 1,
        horizon: int | None = None,
        refit: bool = False,
        baselines: dict[str, "ForecastEstimator"] | None = None,
    ) -> Backtest:
        """Forecasts at rolling origins in the held-out end of each series, beside honest baselines on the same rows.

        * `last`: the held-out end, in rows or as a fraction; origins are every `step` rows of it, as long as all
          `horizon` steps lie in the data.
        * `refit=True` fits a copy of this model to the rows before the held-out end, once; otherwise the model is taken
          as it is, and must not have seen the held-out end.
        * `baselines`: by name, fitted to the rows before the held-out end; by default persistence, seasonal-naive where
          the season is known, the mean, and a linear autoregression with the same calendar and future covariates.

        Raises `LeakError` where the model was fitted to rows of the held-out end, `LengthError`, `DataError`.
        """
        if not refit:
            self.check_fitted()
        roles = {"target": None, "time": None, "series": None}
        found = self._given(data) if self.is_fitted else self._series(data, roles)
        found = found if refit else self._counted(found)
        self._check_values(found, found.history)
        horizon = self._horizon(horizon)
        starts = [_start(n, last) for n in found.history]
        train = _before(found, starts)
        if baselines is None and max(starts) < 2:
            raise LengthError("last: it leaves no rows before the held-out end to fit the baselines to")
        model = self if not refit else type(self)(**self.get_params()).fit(train)
        if not refit:
            self._check_unseen(found, starts)
        if baselines is None:
            from ostinato.models.forecast.baselines import default_baselines

            baselines = default_baselines(model, found, horizon)
        fitted = {name: b if b.is_fitted else b.fit(train) for name, b in baselines.items()}
        return evaluate({model.label: model, **fitted}, found, starts, step, horizon)

    def score(self, data: Any, last: int | float = 1.0) -> float:
        """Skill against persistence, 1 - MSE / MSE of persistence, at every origin of the last rows of the data.

        1 is perfect, 0 no better than repeating the last value.
        """
        from ostinato.models.forecast.baselines import Persistence

        self.check_fitted()
        found = self._counted(self._given(data))
        self._check_values(found, found.history)
        starts = [max(_start(n, last), self._reach) for n in found.history]
        persistence = Persistence(horizon=self._horizon(None)).fit(found)
        models = {self.label: self, "persistence": persistence}
        return evaluate(models, found, starts, 1, self._horizon(None)).skill(self.label)

    @property
    def label(self) -> str:
        """The name of the model in tables."""
        return self.kind

    @abc.abstractmethod
    def _fit(self, series: Series, stops: Sequence[int], **options: Any) -> None:
        """Learn from the rows before `stops[i]` of each series."""

    @abc.abstractmethod
    def _at(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        """For each series the forecasts `(origins, horizon, targets[, levels])` of the rows from each origin on.

        Only rows before the origin, and what is known ahead, may be looked at. The rows from an origin on need not
        exist where nothing is known ahead.
        """

    @property
    @abc.abstractmethod
    def _reach(self) -> int:
        """How many rows before an origin a forecast needs."""

    @property
    def _kept(self) -> int:
        """How many rows `predict()` goes on from; two at least, so that the time step is known."""
        return max(self._reach, 2)

    @property
    def _levels(self) -> tuple[float, ...]:
        return tuple(getattr(self, "quantiles", None) or ())

    @property
    def _missing(self) -> bool:
        return True

    def _horizon(self, horizon: int | None) -> int:
        """The horizon asked for; raises `LengthError` where it was not trained."""
        trained = int(self.horizon)  # pyright: ignore[reportAttributeAccessIssue]
        if horizon is None:
            return trained
        if horizon < 1:
            raise LengthError(f"horizon: expected 1 or more, got {horizon}")
        return horizon

    def _series(self, data: Any, roles: dict[str, Any]) -> Series:
        if isinstance(data, Series):
            return data
        columns = {k: tuple(getattr(self, k, ())) for k in ("past", "future", "static")}
        return to_series(data, roles["target"], roles["time"], roles["series"], **columns)

    def _given(self, data: Any) -> Series:
        """Data with the columns of the training data; the times may be absent."""
        if isinstance(data, Series):
            return data
        table = Table.from_frame(data)
        return self._series(table, self.roles_ | ({} if self.roles_["time"] in table else {"time": None}))

    def _counted(self, series: Series) -> Series:
        """The series counted by the steps, and on the clocks, of the training data."""
        tail = self.tail_
        return counted_by(series, self.frequency_, tail.step, tail.zone, tail.dt is not None)

    def _check_values(self, series: Series, stops: Sequence[int], starts: Sequence[int] | None = None) -> None:
        if self._missing:
            return
        for i, stop in enumerate(stops):
            start = 0 if starts is None else starts[i]
            for names, part in ((series.target_names, series.target), (series.past_names, series.past)):
                gaps = np.argwhere(np.isnan(part[i][start:stop]))
                if gaps.size:
                    row, column = (int(k) for k in gaps[0])
                    left_out = "".join(f"; {words}" for words in series.notes if words.endswith("missing"))
                    raise NonFiniteError(
                        f"'{names[column]}' of series '{series.ids[i]}' is missing in row {start + row} ({len(gaps)} "
                        f"values in all); allow it with missing='observed'{left_out}"
                    )

    def _check_rows(self, name: str, rows: int) -> None:
        if rows < self._reach:
            raise LengthError(f"series '{name}': a forecast needs {self._reach} rows before it, got {rows}")

    def _tail(self, series: Series) -> Series:
        """The last rows that a forecast needs, and what follows them."""
        starts = [max(n - self._kept, 0) for n in series.history]
        cut = lambda parts: None if parts is None else tuple(p[s:] for p, s in zip(parts, starts, strict=True))
        return replace(series, **{name: cut(getattr(series, name)) for name in PARTS})

    def _check_unseen(self, series: Series, starts: Sequence[int]) -> None:
        for i, (name, start) in enumerate(zip(series.ids, starts, strict=True)):
            rows = self.rows_.get(name)
            if rows is None:
                continue
            k = self.tail_.ids.index(name)
            if series.times is not None and self.tail_.times is not None:
                end = self.tail_.times[k][self.tail_.history[k] - 1]
                seen = bool(start < len(series.times[i]) and series.times[i][start] <= end)
            else:
                tail = self.tail_.target[k][: self.tail_.history[k]]
                there = series.target[i][max(rows - len(tail), 0) : rows]
                seen = rows > start and there.shape == tail.shape and np.array_equal(there, tail, equal_nan=True)
            if seen:
                raise LeakError(
                    f"series '{name}': the held-out end begins with row {start}, but the model was fitted to rows in "
                    "it; fit it to the rows before, or ask for refit=True"
                )

    def _numbers(self) -> dict[str, Any]:
        """What the subclass fitted, as plain values."""
        return {}

    def _arrays(self) -> PyTree[Any]:
        """What the subclass fitted, as arrays."""
        return {}

    def _like(self, numbers: dict[str, Any]) -> PyTree[Any]:
        """The structure of `_arrays()`, from `_numbers()`; also sets what follows from the numbers."""
        del numbers
        return {}

    def _take(self, arrays: PyTree[Any]) -> None:
        """The inverse of `_arrays`."""

    def _fitted(self) -> tuple[PyTree[Any], dict[str, Any]]:
        names, history = pack(self.tail_)
        numbers = {"roles": self.roles_, "rows": self.rows_, "notes": list(self.notes_), "history": names}
        return {"history": history, "model": self._arrays()}, numbers | {"model": self._numbers()}

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        like = {"history": packed_like(numbers["history"]), "model": self._like(numbers["model"])}
        trees = weights(like)
        self.tail_ = unpack(numbers["history"], trees["history"])
        self.frequency_ = self.tail_.frequency
        self.roles_, self.notes_ = dict(numbers["roles"]), tuple(numbers["notes"])
        self.rows_ = {str(name): int(rows) for name, rows in numbers["rows"].items()}
        self._take(trees["model"])


def _start(rows: int, last: int | float) -> int:
    """The first row of the held-out end."""
    if isinstance(last, bool) or last <= 0 or (isinstance(last, float) and last > 1):
        raise SettingsError(f"last: expected a number of rows, or a fraction up to 1.0, got {last!r}")
    return max(rows - (round(last * rows) if isinstance(last, float) else last), 0)


def _before(series: Series, starts: Sequence[int]) -> Series:
    """Each series cut off at its own row."""
    cut = lambda parts: None if parts is None else tuple(p[:s] for p, s in zip(parts, starts, strict=True))
    return replace(series, **{name: cut(getattr(series, name)) for name in PARTS})
