"""Tables with an official split in time: ETTh1, exchange rates, Beijing air, the Santa Fe laser."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.files import read_text
from ostinato.data.read import read_table
from ostinato.data.table import Table

from .entry import SeriesSet

_CURRENCIES = ("AUD", "GBP", "CAD", "CHF", "CNY", "JPY", "NZD", "SGD")


def etth1(paths: Mapping[str, Path]) -> SeriesSet:
    """12, 4 and 4 months of 30 days."""
    month = 30 * 24
    table = read_table(paths["ETTh1.csv"])
    return SeriesSet(table, slice(0, 12 * month), slice(12 * month, 16 * month), slice(16 * month, 20 * month))


def exchange_rate(paths: Mapping[str, Path]) -> SeriesSet:
    """60, 20 and 20 % of the days."""
    rates = read_table(paths["exchange_rate.txt.gz"], header=False)
    table = Table({name: rates[old] for name, old in zip(_CURRENCIES, rates.names, strict=True)}, source=rates.source)
    first, second = int(0.6 * len(table)), int(0.8 * len(table))
    return SeriesSet(table, slice(0, first), slice(first, second), slice(second, len(table)))


def beijing(paths: Mapping[str, Path]) -> SeriesSet:
    """2010 to 2012, 2013 and 2014, with a column `time`."""
    table = read_table(paths["pollution.csv"])
    years, months, days, hours = (table.number(n).astype(int) for n in ("year", "month", "day", "hour"))
    start = ((years - 1970) * 12 + months - 1).astype("datetime64[M]").astype("datetime64[D]")
    table = table.with_columns({"time": (start + days - 1).astype("datetime64[h]") + hours})
    first, second = int(np.searchsorted(years, 2013)), int(np.searchsorted(years, 2014))
    return SeriesSet(table, slice(0, first), slice(first, second), slice(second, len(table)))


def laser(paths: Mapping[str, Path]) -> SeriesSet:
    """The first 1,000 values and the next 100."""
    values = np.array(read_text(paths["santafe_laser.txt"]).split(), float)
    table = Table({"intensity": values}, source=str(paths["santafe_laser.txt"]))
    return SeriesSet(table, slice(0, 1000), slice(1000, 1000), slice(1000, 1100))
