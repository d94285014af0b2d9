"""What every forecaster does alike, baselines included: data in, predictions out, a backtest at rolling origins."""

import abc
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from jaxtyping import PyTree

from ostinato.data import Series, Table, counted_by, moved, to_series
from ostinato.data.holdout import count_of, cut_series, split_series
from ostinato.data.points import rows_of
from ostinato.errors import LengthError, NonFiniteError, SettingsError
from ostinato.models.base import Estimator, Weights
from ostinato.models.forecast.adaptive import RATE, follow
from ostinato.models.forecast.backtest import Backtest, Scale
from ostinato.models.forecast.calibration import LEVEL, Calibration, change_scale, checked_levels
from ostinato.models.forecast.features import extended
from ostinato.models.forecast.forecast import Forecast, point
from ostinato.models.forecast.history import pack, packed_like, unpack
from ostinato.models.forecast.out_of_sample import by_copy, newest, repeated
from ostinato.models.forecast.regular import regular, too_short
from ostinato.models.forecast.rolling import batches_of, evaluate, joined, origins_of, reach_of, refits
from ostinato.models.forecast.unseen import check_unseen, unseen_rows

F = TypeVar("F", bound="ForecastEstimator")


class ForecastEstimator(Estimator):
    """Base of forecasters; a subclass gives `_learn(series, stops)`, `_reach`, `_at(series, origins, horizon)`.

    Settings that name columns (`past`, `future`, `static`) and `calendar` are read where the subclass has them. After
    `fit`:

    * `roles_`: which columns the data were read from, for the data given later; `frequency_`: the step of the times, in
      which later data are read too; `notes_`: what was done on the way.
    * `tail_`: the last rows of each training series, from which `predict()` goes on.
    * `rows_`: how many rows of each series were trained on.
    * `calibration_`: its errors on rows that it was not fitted to, from which intervals follow (see `Calibration`).
    """

    estimator_type: ClassVar[str | None] = None

    def fit(
        self: F,
        data: Any,
        target: str | Sequence[str] | None = None,
        *,
        time: str | None = None,
        series: str | None = None,
        calibrate: bool = True,
        **options: Any,
    ) -> F:
        """Fit to one or many series.

        * `data`: a frame (pandas, polars), a mapping of columns, a `data.Table`, an array `(time,)` or `(time,
          targets)`, or a `data.Series`. Rows at the end without a target are not trained on; their covariates serve
          `predict`.
        * `target`: one or several columns; `time`: the column of times, found where there is one only; `series`: the
          column that tells series apart, for the long layout.
        * `calibrate`: whether to find the errors that intervals need, where that costs a second fit to fewer rows.

        Raises `DataError` (columns, text, a constant target), `LeakError` (the target among the future covariates),
        `NonFiniteError` (a missing value that was not allowed, a number too large), `LengthError` (too few rows). The
        estimator is then what it was.
        """
        return self._refit(data, {"target": target, "time": time, "series": series}, calibrate, **options)

    def check(
        self,
        data: Any,
        target: str | Sequence[str] | None = None,
        *,
        time: str | None = None,
        series: str | None = None,
        last: int | float | str = 0,
        season: int | None = None,
    ) -> None:
        """Raise what `fit` would before training and, with `last`, what a backtest of the held-out end would after it.

        `season`: the steps of a seasonal baseline that is to stand beside it.
        """
        fresh = self._blank()
        fresh._check_settings()
        found = fresh._series(data, {"target": target, "time": time, "series": series})
        train, starts = split_series(found, last)
        check_season(season, train)
        taken = fresh._taken(train)
        fresh._judge(taken, taken.history)
        fresh._check_values(found)
        if last:
            origins_of(found.history, starts, 1, fresh._reach, fresh._horizon(None))

    def predict(
        self,
        data: Any = None,
        horizon: int | None = None,
        *,
        level: Sequence[float] = LEVEL,
        adapt: float | None = RATE,
    ) -> Forecast:
        """The steps after the last target of each series, of the training data or of `data`, with intervals.

        `level`: percent of the conformal intervals (see `Calibration`); `()` for none. Where `data` goes on after the
        rows of training, they follow the errors made there at the rate `adapt` (`adaptive.follow`); None: split
        conformal intervals as they were calibrated.

        `data` has the columns of the training data. Where covariates are known ahead, rows with these and an empty
        target follow the last target. Its rows are counted by the steps of the training data, and times come out in its
        own zone. A series that is too short is left out, which the `notes` of the forecast say. Raises `DataError`
        (columns, rows in other steps), `LengthError` (too few rows in all series, a horizon that was not trained).
        """
        self.check_fitted()
        checked_levels(level)
        horizon = self._horizon(horizon)
        given = self.tail_ if data is None else self._given(data)
        found = self._counted(given, self.tail_.dt is not None)
        self._check_values(found, [max(n - self._reach, 0) for n in found.history])
        kept = [i for i, rows in enumerate(found.history) if rows >= self._reach]
        if not kept:
            name, rows = found.ids[0], found.history[0]
            raise LengthError(f"series '{name}': a forecast needs {self._reach} rows before it, got {rows}")
        parts, ends, times = [], [], []
        follows = adapt is not None and data is not None and len(level) > 0 and self.calibration_ is not None
        unseen = unseen_rows(self, found) if follows else [0] * len(found)
        for i in kept:
            stop = found.history[i]
            one = extended(found, i, horizon, self.frequency_)
            origins = newest(self, found, i, stop, unseen[i])
            made = self._at(one, [origins], horizon)[0]
            parts.append(made[-1:])
            ends.append(self._ends(one, origins, point(made, self._levels), level, adapt))
            ahead = None if one.times is None else one.times[0][stop : stop + horizon]
            times.append(None if ahead is None else moved(ahead, found.zone, given.zone))
        values = np.concatenate(parts)
        levels = self._levels
        known = all(e is not None for e in ends) and len(level) > 0
        short = too_short(found.ids, found.history, self._reach, "not forecast")
        return Forecast(
            point(values, levels),
            found.target_names,
            tuple(found.ids[i] for i in kept),
            None if any(t is None for t in times) else tuple(times),
            found.time_name or "time",
            levels,
            values if levels else None,
            given.series_name,
            given.zone,
            (*(words for words in found.notes if words not in self.notes_), *([short] if short else [])),
            tuple(level) if known else (),
            *(np.stack([e[..., side] for e in ends]) if known else None for side in (0, 1)),
        )

    def backtest(
        self,
        data: Any,
        last: int | float | str | None = 0.2,
        *,
        step: int = 1,
        windows: int | None = None,
        horizon: int | None = None,
        refit: bool | int | str = False,
        level: Sequence[float] = LEVEL,
        adapt: float | None = RATE,
        baselines: dict[str, "ForecastEstimator"] | None = None,
    ) -> Backtest:
        """Forecasts at rolling origins in the held-out end of each series, beside honest baselines on the same rows.

        * `last`: the held-out end, in rows, as a fraction, as a text such as "from 2015-03" or "after 299" (a date or a
          row, see `data.points.rows_of`), or None: all that the model was not fitted to. Origins are every `step` rows
          of it, as long as all `horizon` steps lie in the data. `windows`: so many origins, the last of them with the
          last `horizon` rows after it; then `last` is not asked.
        * `refit`: False takes the model as it is, which must not have seen the held-out end. `"once"` fits a copy of it
          to the rows before the held-out end; True one before each origin, a number one before each so many-th, on all
          rows before it, and the baselines with it.
        * `level`: percent of the intervals. `adapt`: the rate at which they follow those errors of the backtest that
          are known at each origin (`adaptive.follow`); None: they stay those of the calibration.
        * `baselines`: by name, fitted to the rows before the held-out end; by default those of `default_baselines`.

        Of a series that the model was fitted to and that is not longer than the held-out end, nothing is judged.

        Raises `LeakError` where the model, or a baseline, was fitted to rows of the held-out end, `LengthError`,
        `DataError`, `SettingsError`.
        """
        checked_levels(level)
        every = refits(refit)
        if every is None:
            self.check_fitted()
        found = self._met(data) if self.is_fitted else self._series(data, dict.fromkeys(("target", "time", "series")))
        self._check_values(found)
        horizon = self._horizon(horizon)
        if windows is not None:
            if isinstance(windows, bool) or windows < 1:
                raise SettingsError(f"windows: expected 1 or more, got {windows!r}")
            last = horizon + (windows - 1) * step
        starts = self._starts(found, last, every is not None)
        if baselines is None and max(starts) < 2:
            raise LengthError("last: it leaves no rows before the held-out end to fit the baselines to")
        scale = Scale.of([t[:n] for t, n in zip(found.target, starts, strict=True)], season_of(found))
        options: dict[str, Any] = {"level": level, "scale": scale, "adapt": adapt}
        if not every:
            models = self._models(found, starts, every is not None, baselines, horizon, bool(level))
            origins = origins_of(found.history, starts, step, reach_of(models), horizon)
            return evaluate(models, found, origins, horizon, **options)
        parts = []
        for stops, rows in batches_of(origins_of(found.history, starts, step, 1, horizon), every, found.history):
            models = self._models(found, stops, True, baselines, horizon, bool(level))
            kept = [o[o >= reach_of(models)] for o in rows]
            parts += [evaluate(models, found, kept, horizon, **options)] if any(map(len, kept)) else []
        if not parts:
            raise LengthError("backtest: no origin has as many rows before it as the model needs")
        return joined(parts)

    def _models(
        self,
        series: Series,
        stops: Sequence[int],
        refit: bool,
        baselines: "dict[str, ForecastEstimator] | None",
        horizon: int,
        calibrate: bool,
    ) -> "dict[str, ForecastEstimator]":
        """The model, or a copy fitted to the rows before `stops[i]`, and its baselines; none has seen others."""
        train = cut_series(series, stops=stops)
        model = self._blank().fit(train, calibrate=calibrate) if refit else self
        beside = model._baselines(train, horizon, calibrate) if baselines is None else baselines
        fresh = lambda b: b if b.is_fitted else b._blank().fit(train, calibrate=calibrate)
        fitted = {name: fresh(b) for name, b in beside.items()}
        for each in (model, *fitted.values()):
            check_unseen(each, series, stops)
        return {model.label: model, **fitted}

    def score(self, data: Any, last: int | float = 1.0) -> float:
        """Skill against persistence, 1 - MSE / MSE of persistence, at every origin of the last rows of the data.

        1 is perfect, 0 no better than repeating the last value. Raises `LeakError` where the model was fitted to some
        of these rows.
        """
        self.check_fitted()
        found = self._met(data)
        self._check_values(found)
        starts = [max(start, self._reach) for start in self._starts(found, last, False)]
        check_unseen(self, found, starts)
        horizon = self._horizon(None)
        test = evaluate({self.label: self}, found, origins_of(found.history, starts, 1, 0, horizon), horizon)
        rows = [test.origins[test.series == i] for i in range(len(found))]
        persistence = np.concatenate([repeated(t, o, test.horizon) for t, o in zip(found.target, rows, strict=True)])
        return replace(test, forecasts={**test.forecasts, "persistence": persistence}).skill(self.label)

    @property
    def label(self) -> str:
        """The name of the model in tables."""
        return self.kind

    def _fit(self, data: Any, roles: dict[str, Any], calibrate: bool = True, **options: Any) -> None:
        self._check_settings()
        found = self._taken(self._series(data, roles))
        notes = self._learn(found, found.history, **options)
        self.roles_ = {"target": list(found.target_names), "time": found.time_name, "series": found.series_name}
        self.notes_ = (*found.notes, *notes)
        self.frequency_ = found.frequency
        self.rows_ = dict(zip(found.ids, found.history, strict=True))
        self.tail_ = cut_series(found, [max(n - self._kept, 0) for n in found.history])
        self.calibration_ = self._calibrated(found, found.history) if calibrate else None

    @abc.abstractmethod
    def _learn(self, series: Series, stops: Sequence[int]) -> Sequence[str]:
        """Learn from the rows before `stops[i]` of each series; gives notes on what was done."""

    def _calibrated(self, series: Series, stops: Sequence[int]) -> Calibration:
        """Errors of the model, or of a copy fitted to fewer rows, on rows before `stops[i]` that it has not seen."""
        return by_copy(self, series, stops, self._horizon(None))

    def _ends(
        self, one: Series, origins: np.ndarray, values: np.ndarray, level: Sequence[float], adapt: float | None
    ) -> Any:
        """The ends `(horizon, targets, level, 2)` of the intervals at the last origin of one series, or None."""
        if self.calibration_ is None:
            return None
        stop, horizon = int(origins[-1]), values.shape[1]
        size = change_scale(one.target[0][:stop], self.calibration_.log)[None]
        if len(origins) < 2 or adapt is None:
            return np.stack(self.calibration_.intervals(values[-1:], level, one.ids, size), -1)[0]
        rows = origins[:, None] + np.arange(horizon)
        truth = np.where((rows < stop)[..., None], one.target[0][np.minimum(rows, stop - 1)], np.nan)
        same = np.zeros(len(origins), int)
        names, sizes = one.ids * len(origins), np.repeat(size, len(origins), 0)
        return follow(self.calibration_, truth, values, same, origins, names, sizes, level, rate=adapt)[-1]

    def _judge(self, series: Series, stops: Sequence[int]) -> None:
        """Raise what `_learn` would before it begins to train."""
        self._learn(series, stops)

    @abc.abstractmethod
    def _at(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        """For each series the forecasts `(origins, horizon, targets[, levels])` of the rows from each origin on.

        Only rows before the origin, and what is known ahead, may be looked at. The rows from an origin on need not
        exist where nothing is known ahead. Where fewer steps were trained than are asked for, there are fewer.
        """

    @property
    @abc.abstractmethod
    def _reach(self) -> int:
        """How many rows before an origin a forecast needs."""

    def _baselines(self, train: Series, horizon: int, calibrate: bool = True) -> dict[str, "ForecastEstimator"]:
        """What a backtest prints beside the model, fitted to these rows, with intervals where `calibrate` is set."""
        del train, horizon, calibrate
        return {}

    @property
    def _regular(self) -> bool:
        """Whether the model sees a date that is left out as a row of missing values."""
        return True

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

    def _counted(self, series: Series, uneven: bool) -> Series:
        """The series counted by the steps, and on the clocks, of the training data; gaps are `uneven` or missing."""
        return counted_by(series, self.frequency_, self.tail_.step, self.tail_.zone, uneven)

    def _met(self, data: Any) -> Series:
        """Data to be judged on, row by row as they came: a model on the grid finds its own places (`_forecasts`)."""
        return self._counted(self._given(data), self.tail_.dt is not None or self._regular)

    def _taken(self, series: Series) -> Series:
        """The series as the model sees it, judged."""
        series = regular(series)[0] if self._regular else series
        self._check_values(series)
        return series

    def _forecasts(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        """`_at` for origins that are rows of the series as it came: the k-th row after one may be a later step."""
        grid, places = regular(series) if self._regular else (series, ())
        if grid is series:
            return self._at(series, origins, horizon)
        steps = [at[o[:, None] + np.arange(horizon)] - at[o][:, None] for at, o in zip(places, origins, strict=True)]
        span = max(int(s.max(initial=0)) for s in steps) + 1
        made = self._at(grid, [at[o] for at, o in zip(places, origins, strict=True)], span)
        return [y[np.arange(len(y))[:, None], np.minimum(s, y.shape[1] - 1)] for y, s in zip(made, steps, strict=True)]

    def _check_values(self, series: Series, starts: Sequence[int] | None = None) -> None:
        """Raise `NonFiniteError` for a missing value, from `starts[i]` on, where the model takes none."""
        if self._missing:
            return
        for i, stop in enumerate(series.history):
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

    def _starts(self, series: Series, last: int | float | str | None, refit: bool) -> list[int]:
        """For each series the first row of its held-out end."""
        if isinstance(last, str):
            return rows_of(series, last, name="last")
        if last is None:
            return [n - unseen for n, unseen in zip(series.history, unseen_rows(self, series), strict=True)]
        if isinstance(last, bool) or last <= 0 or (isinstance(last, float) and last > 1):
            raise SettingsError(f"last: expected a number of rows, or a fraction up to 1.0, got {last!r}")
        starts = []
        for name, n in zip(series.ids, series.history, strict=True):
            start = max(n - count_of(last, n), 0)
            # One series among many that is all held-out end was trained on whole; nothing of it is left to judge.
            whole = start < 1 and len(series) > 1 and (refit or name in self.rows_)
            starts.append(n if whole else start)
        return starts

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
        errors = self.calibration_
        numbers["calibration"] = None if errors is None else errors.numbers()
        arrays = {"history": history, "model": self._arrays(), "calibration": {} if errors is None else errors.arrays()}
        return arrays, numbers | {"model": self._numbers()}

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        errors = numbers["calibration"]
        like = {"history": packed_like(numbers["history"]), "model": self._like(numbers["model"])}
        trees = weights(like | {"calibration": {} if errors is None else Calibration.like(errors)})
        self.calibration_ = None if errors is None else Calibration.from_file(errors, trees["calibration"])
        self.tail_ = unpack(numbers["history"], trees["history"])
        self.frequency_ = self.tail_.frequency
        self.roles_, self.notes_ = dict(numbers["roles"]), tuple(numbers["notes"])
        self.rows_ = {str(name): int(rows) for name, rows in numbers["rows"].items()}
        self._take(trees["model"])


def season_of(series: Series) -> int:
    """The season that the times tell, or 1."""
    return (None if series.frequency is None else series.frequency.season) or 1


def check_season(season: int | None, series: Series) -> None:
    """Raise `SettingsError` for a season that no series is longer than."""
    longest = max(series.history)
    if season is not None and not 0 < season < longest:
        raise SettingsError(f"season: expected 1 to below {longest} steps, got {season}")
