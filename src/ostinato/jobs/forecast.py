"""The job `forecast`: a table, series with a held-out end, a forecaster with its baselines, its figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ostinato.errors import DataError, LengthError, SettingsError
from ostinato.jobs import options as o
from ostinato.jobs.base import Job, Predictions
from ostinato.jobs.options import NETWORK, Option

if TYPE_CHECKING:
    from ostinato.data import Series
    from ostinato.models import Estimator, Forecaster
    from ostinato.models.forecast.anomalies import Anomalies
    from ostinato.runs import Evaluation


@dataclass(frozen=True)
class SeriesData:
    """Which columns of a table are what, and what of each series is held out.

    `test`: rows, a share, or a point such as "from 2015-03" or "after 299" (`data.points.rows_of`). `train_until`: the
    last date or row that is trained on; `validate_until`: the last one of the validation part, which then begins after
    `train_until`; `test_from`: the first one of the held-out end. `sha256`: of the file.
    """

    target: tuple[str, ...] = ()
    time: str | None = None
    series: str | None = None
    test: int | float | str = 0.2
    train_until: str | None = None
    validate_until: str | None = None
    test_from: str | None = None
    header: bool | None = None
    sha256: str = ""


class Forecast(Job):
    """Series, and the steps that follow them."""

    name, title, plural = "forecast", "Forecast", "forecasts"
    help = """Forecast one or many series.

    What is not set is chosen from the training rows: simple forecasts are mixed, and networks correct what these miss
    as far as they show that they can; with --hidden one network of that size stands alone. The end of each series is
    held out, and what the forecaster says of it is printed beside persistence, the season before, the mean and a linear
    autoregression.

    Example: `ostinato fit forecast data.csv --target Temp --horizon 7 --cell lstm --hidden 64 --out runs/temp`
    """
    data_settings = SeriesData
    holds_out_end = True
    options = (
        Option("target", "Column to forecast; may be repeated.", default="all numbers", many=True),
        Option("horizon", "Steps to forecast.", int, default="1", part="model"),
        Option("time", "Column of times.", default="found by its content"),
        Option("series", "Column that tells series apart (long layout).", default="none: one series"),
        Option("past", "Covariate known up to now; may be repeated.", default="none", part="model", many=True),
        Option("future", "Covariate known ahead; may be repeated.", default="none", part="model", many=True),
        Option("static", "Column constant in a series; may be repeated.", default="none", part="model", many=True),
        Option(
            "calendar",
            "Waves of the date: hour, weekday, month, yearday:2, ...",
            default="found by the data",
            part="model",
            read=o.words,
        ),
        Option("season", "Steps in a season.", int, default="by the times and the data", part="model"),
        Option(
            "missing",
            "Have the network see which values are missing; by default it does where some are.",
            bool,
            part="model",
            read=lambda given, _: "observed" if given else None,
        ),
        Option("test", "Held-out end: rows, or a share.", default="0.2", read=o.amount("--test")),
        Option("train_until", "Last date, or row counted from 0, to train on."),
        Option("validate_until", "Last date or row of the validation part, which follows --train-until."),
        Option("test_from", "First date or row of the held-out end.", default="after the parts before"),
        o.HEADER,
        Option("context", "Past steps that it reads.", int, NETWORK, "found by the data", "model"),
        *o.network(hidden="found by the data"),
        Option("mode", "direct, or recursive: any horizon.", group=NETWORK, default="direct", part="model"),
        Option(
            "quantiles", "E.g. 0.1,0.5,0.9.", group=NETWORK, default="none", part="model", read=o.numbers("--quantiles")
        ),
        Option(
            "subtract_last",
            "Forecast changes from the last value; by default where that is better.",
            bool,
            NETWORK,
            part="model",
        ),
        Option("linear_skip", "Add a trained linear map of the context.", bool, NETWORK, part="model"),
        o.dropout(),
        *o.training("found by the data", "64", "found by the data"),
        o.PATIENCE,
        o.validation(
            "The end of the training rows, to choose the best weights: rows, or a share.", "found by the data"
        ),
        *o.RULE,
        o.SEED,
    )
    asked = (
        Option("horizon", "Steps to forecast; any number where the mode is recursive.", int, None),
        Option("level", "Percent of the intervals, e.g. 80,95.", group=None, default="80,95"),
    )

    def estimator(self) -> "type[Forecaster]":
        from ostinato.models import Forecaster

        return Forecaster

    def read(self, source: Any, settings: Any) -> "Series":
        """The series in a file, in a table or frame, or as they are. Raises `DataError` and `LeakError`."""
        from ostinato.data import Series, read_table, to_series

        if isinstance(source, Series):
            return source
        data, model = settings.data, settings.model
        table = read_table(source, header=data.header) if isinstance(source, str | Path) else source
        target = list(data.target) or None
        return to_series(table, target, data.time, data.series, model.past, model.future, model.static)

    def split(self, data: "Series", settings: Any) -> "tuple[Series, Series | None]":
        """The rows to train on, those of validation among them, and all of them where an end is held out."""
        from ostinato.data.holdout import check_amount, cut_series, split_series
        from ostinato.data.points import is_point, rows_of

        test = tested(settings.data)
        if not is_point(test):
            test = check_amount("data.test", test)
            return (split_series(data, test, name="data.test")[0], data) if test else (data, None)
        train, starts = split_series(data, test, name="data.test")
        until = settings.data.validate_until or settings.data.train_until
        if until is None:
            return train, data
        stops = rows_of(data, f"after {until}", name="data.validate_until")
        if any(stop > start for stop, start in zip(stops, starts, strict=True)):
            words = f"{settings.data.test_from} lies before the end of what is trained on, {until}"
            raise DataError(f"data.test_from: {words}")
        return cut_series(data, stops=stops), data

    def build(self, settings: Any) -> "Forecaster":
        """The forecaster, whose validation part begins after `train_until` where `validate_until` says its end."""
        model, data = super().build(settings), settings.data
        if data.validate_until is not None:
            if data.train_until is None:
                raise SettingsError("data.validate_until: needs data.train_until, after which it begins")
            model.validation = f"after {data.train_until}"
        return model

    def describe(self, data: "Series") -> dict[str, Any]:
        """How many series and rows, which columns, from when to when."""
        import numpy as np

        from ostinato.data.columns import as_text

        about = {
            "series": len(data),
            "rows": sum(data.lengths),
            "target": data.target_names,
            "past": data.past_names,
            "future": data.future_names,
            "static": data.static_names,
            "time": data.time_name,
            "step": None if data.frequency is None else data.frequency.name,
            "missing": int(sum(np.isnan(t[:n]).sum() for t, n in zip(data.target, data.history, strict=True))),
        }
        if data.times is not None:
            ends = min(t[0] for t in data.times), max(t[-1] for t in data.times)
            about["from"], about["to"] = as_text(np.array(ends)) if data.zone is None else data.zone.written(ends)
        return {name: value for name, value in about.items() if value not in (None, ())}

    def notes(self, data: "Series") -> tuple[str, ...]:
        return data.notes

    def check(self, model: Any, train: "Series", held: "Series | None", settings: Any) -> None:
        """Settings, the season, rows to train on, and whether forecasts can be compared in the held-out end."""
        season = settings.model.season if isinstance(settings.model.season, int) else None
        last = 0 if held is None else tested(settings.data)
        model.check(train if held is None else held, last=last, season=season)

    def baselines(self, model: Any, train: "Series", settings: Any) -> "dict[str, Estimator]":
        """Fitted to the same rows as the model."""
        from ostinato.models.forecast.baselines import default_baselines

        return {**default_baselines(model, train, model.horizon)}

    def evaluate(self, model: Any, baselines: Mapping[str, Any], held: "Series", settings: Any) -> "Evaluation":
        from ostinato.jobs.figures.backtest import of_backtest

        test = model.backtest(held, tested(settings.data), baselines=dict(baselines))
        return of_backtest(test, held.time_name, _ahead(model, held), held)

    def unseen(self, model: Any, baselines: Mapping[str, Any], data: "Series", settings: Any) -> "Evaluation":
        """The model on all rows that came after those it was trained on. Raises `DataError` where there are none."""
        from ostinato.jobs.figures.backtest import of_backtest
        from ostinato.models.forecast.unseen import unseen_rows

        del settings
        rows = max(unseen_rows(model, data))
        if rows < model.horizon:
            raise DataError(f"{rows} rows after those that the model was trained on, its horizon is {model.horizon}")
        test = model.backtest(data, None, baselines=dict(baselines))
        return of_backtest(test, data.time_name, _ahead(model, data), data)

    def anomalies(self, model: Any, source: Any, settings: Any, threshold: float) -> "Anomalies":
        """The scores of the rows that came after those of training."""
        from ostinato.data import read_table
        from ostinato.models.forecast.anomalies import anomalies

        given = read_table(source, header=settings.data.header) if isinstance(source, str | Path) else source
        return anomalies(model, given, threshold)

    def predict(
        self, model: Any, source: Any, settings: Any, horizon: int | None = None, level: Any = None
    ) -> Predictions:
        """The steps that follow each series, with intervals of `level` percent (numbers, or text with commas)."""
        from ostinato.data import read_table
        from ostinato.models.forecast.calibration import LEVEL

        # By the columns of the model: a file given later may have others beside them.
        given = read_table(source, header=settings.data.header) if isinstance(source, str | Path) else source
        levels = o.numbers("--level")(level, {}) if isinstance(level, str) else level
        made = model.predict(given, horizon, level=LEVEL if levels is None else levels)
        return Predictions(made.columns(), made.notes)


def tested(data: SeriesData) -> int | float | str:
    """What is held out: from `test_from`, after the parts that have an end, or `test`."""
    if data.test_from is not None:
        return f"from {data.test_from}"
    until = data.validate_until or data.train_until
    return data.test if until is None else f"after {until}"


def _ahead(model: Any, data: "Series") -> Any:
    """The steps after the last row; None where what has to be known of them is not in the data."""
    try:
        return model.predict(data)
    except (DataError, LengthError):
        return None
