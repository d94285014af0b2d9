"""Measured series of every kind to judge the defaults by, with their seasons, and on which anything was chosen.

The half that was not chosen on is weaker evidence than that: the closed-form part ran on nearly all series before
the halves were named, shampoo and Microsoft joined the first half after they had failed, and figures of the second half
were seen between revisions, champagne's before the start of the smoothing was mended.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ostinato.data import Series, to_series
from ostinato.data.catalogue import load


class Case(NamedTuple):
    """A series and its seasons: `season` steps for the season before, `longest` steps ahead beside one step.

    `chosen`: whether the rules of the defaults were made with an eye on it; `long`: it is forecast with one seed.
    """

    read: Callable[[], dict[str, Any]]
    season: int | None
    longest: int
    chosen: bool = False
    long: bool = False

    def series(self) -> Series:
        """The series itself."""
        return to_series(self.read(), "y")


def _of(name: str, table: str | None, column: str, time: str | None) -> Callable[[], dict[str, Any]]:
    def read() -> dict[str, Any]:
        found = load(name)
        rows = found.table if table is None else found[table]
        times = {} if time is None else {"time": rows[time]}
        return {**times, "y": np.asarray(rows.number(column), float)}

    return read


def _stock(symbol: str) -> Callable[[], dict[str, Any]]:
    def read() -> dict[str, Any]:
        table = load("vega_series")["stocks"]
        return {"y": np.asarray(table.number("price"), float)[np.asarray(table["symbol"]) == symbol]}

    return read


def _lynx() -> dict[str, Any]:
    table = load("univariate_small")["Lynx"]
    return {"y": np.asarray(table.number(table.names[-1]), float)}


def _statsmodels(name: str) -> dict[str, Any]:
    from statsmodels import datasets

    frame = getattr(datasets, name).load_pandas().data
    if name == "elnino":
        months = np.arange("1950-01", "2011-01", dtype="M8[M]").astype("M8[D]")
        return {"time": months, "y": frame.iloc[:, 1:].to_numpy(float).ravel()}
    return {"y": frame.iloc[:, -1].to_numpy(float)}


def _small(table: str, column: str, time: str | None) -> Callable[[], dict[str, Any]]:
    return _of("univariate_small", table, column, time)


def _vega(table: str, column: str) -> Callable[[], dict[str, Any]]:
    return _of("vega_series", table, column, "date")


CASES: dict[str, Case] = {
    "nile": Case(lambda: _statsmodels("nile"), None, 12, chosen=True),
    "sunspots": Case(lambda: _statsmodels("sunspots"), 11, 12, chosen=True),
    "el-nino": Case(lambda: _statsmodels("elnino"), 12, 12, chosen=True),
    "airline": Case(_small("airline-passengers", "Passengers", "Month"), 12, 12, chosen=True),
    "births": Case(_small("daily-total-female-births", "Births", "Date"), 7, 7, chosen=True),
    "co2": Case(_of("vega_series", "co2-concentration", "CO2", "Date"), 12, 12, chosen=True),
    "laser": Case(_of("santafe_laser", None, "intensity", None), None, 8, chosen=True, long=True),
    "car-sales": Case(_small("monthly-car-sales", "Sales", "Month"), 12, 12),
    "champagne": Case(_small("monthly_champagne_sales", "Sales", "Month"), 12, 12),
    "nottingham": Case(_small("monthly-mean-temp", "Temperature", "Month"), 12, 12),
    "shampoo": Case(_small("monthly-shampoo-sales", "Sales", None), None, 6, chosen=True),
    "lynx": Case(_lynx, 10, 10),
    "minimum-temperature": Case(_small("daily-min-temperatures", "Temp", "Date"), 7, 7, long=True),
    "maximum-temperature": Case(_small("daily-max-temperatures", "Temperature", "Date"), 7, 7, long=True),
    "monthly-sunspots": Case(_small("monthly-sunspots", "Sunspots", "Month"), None, 12, long=True),
    "seattle-temperature": Case(_vega("seattle-weather", "temp_max"), 7, 7),
    "seattle-wind": Case(_vega("seattle-weather", "wind"), 7, 7),
    "seattle-rain": Case(_vega("seattle-weather", "precipitation"), 7, 7),
    "sp500": Case(_vega("sp500-2000", "close"), 5, 5, long=True),
    "microsoft": Case(_stock("MSFT"), 12, 12, chosen=True),
    "ibm": Case(_stock("IBM"), 12, 12),
    "dollar-aud": Case(_of("exchange_rate", None, "AUD", None), 5, 5, long=True),
    "dollar-jpy": Case(_of("exchange_rate", None, "JPY", None), 5, 5, long=True),
    "etth1": Case(_of("etth1", None, "OT", "date"), 24, 24, long=True),
    "beijing": Case(_of("beijing_pm25", None, "pm2.5", "time"), 24, 24, long=True),
}
