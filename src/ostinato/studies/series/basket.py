"""Everyday series of many kinds, each to be forecast one step and one season ahead: a basket to judge defaults by."""

from typing import NamedTuple

from ostinato.data import Series, Table, to_series
from ostinato.data.catalogue import load

LONGEST = 2000
"""Rows of a series; of a longer one the last that have a value."""


class Case(NamedTuple):
    """One series and the steps in its season, as one would say it of the data."""

    name: str
    series: Series
    season: int


DATA = ("univariate_small", "vega_series", "etth1", "beijing_pm25", "exchange_rate", "santafe_laser")

SMALL = (
    ("airline-passengers", "Passengers", 12),
    ("daily-max-temperatures", "Temperature", 7),
    ("daily-min-temperatures", "Temp", 7),
    ("daily-total-female-births", "Births", 7),
    ("monthly-car-sales", "Sales", 12),
    ("monthly-mean-temp", "Temperature", 12),
    ("monthly-shampoo-sales", "Sales", 12),
    ("monthly-sunspots", "Sunspots", 12),
    ("monthly_champagne_sales", "Sales", 12),
    ("Lynx", "0", 10),
)

VEGA = (
    ("co2-concentration", "CO2", 12),
    ("seattle-weather", "temp_max", 7),
    ("seattle-weather", "temp_min", 7),
    ("seattle-weather", "wind", 7),
    ("sp500-2000", "close", 5),
)


def basket() -> list[Case]:
    """The series, in a fixed order. Raises `DataError` where a data set is not there."""
    small, vega = load("univariate_small"), load("vega_series")
    found = [_case(name, small[name], column, season) for name, column, season in SMALL]
    found += [_case(f"{name} {column}", vega[name], column, season) for name, column, season in VEGA]
    power = load("etth1").table
    found += [_case(f"etth1 {column}", power, column, 24) for column in ("OT", "HUFL", "MULL")]
    found.append(_case("beijing_pm25", load("beijing_pm25").table, "pm2.5", 24))
    rates = load("exchange_rate").table
    found += [_case(f"exchange_rate {column}", rates, column, 5) for column in ("AUD", "CHF", "JPY")]
    return [*found, _case("santafe_laser", load("santafe_laser").table, "intensity", 7)]


def _case(name: str, table: Table, column: str, season: int) -> Case:
    series = to_series(table, column)
    stop = series.history[0]
    return Case(name, series.cut(max(stop - LONGEST, 0), stop), season)
