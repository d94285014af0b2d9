"""Tables with an official split in time: ETTh1, exchange rates, Beijing air, the Santa Fe laser."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.data.files import read_text
from ostinato.data.read import read_table
from ostinato.data.table import Table

from .entry import Entry, File, SeriesSet, github

_CURRENCIES = ("AUD", "GBP", "CAD", "CHF", "CNY", "JPY", "NZD", "SGD")


def _etth1(paths: Mapping[str, Path]) -> SeriesSet:
    month = 30 * 24
    table = read_table(paths["ETTh1.csv"])
    return SeriesSet(table, slice(0, 12 * month), slice(12 * month, 16 * month), slice(16 * month, 20 * month))


def _exchange_rate(paths: Mapping[str, Path]) -> SeriesSet:
    rates = read_table(paths["exchange_rate.txt.gz"], header=False)
    table = Table({name: rates[old] for name, old in zip(_CURRENCIES, rates.names, strict=True)}, source=rates.source)
    first, second = int(0.6 * len(table)), int(0.8 * len(table))
    return SeriesSet(table, slice(0, first), slice(first, second), slice(second, len(table)))


def _beijing(paths: Mapping[str, Path]) -> SeriesSet:
    table = read_table(paths["pollution.csv"])
    years, months, days, hours = (table.number(n).astype(int) for n in ("year", "month", "day", "hour"))
    start = ((years - 1970) * 12 + months - 1).astype("datetime64[M]").astype("datetime64[D]")
    table = table.with_columns({"time": (start + days - 1).astype("datetime64[h]") + hours})
    first, second = int(np.searchsorted(years, 2013)), int(np.searchsorted(years, 2014))
    return SeriesSet(table, slice(0, first), slice(first, second), slice(second, len(table)))


def _laser(paths: Mapping[str, Path]) -> SeriesSet:
    values = np.array(read_text(paths["santafe_laser.txt"]).split(), float)
    table = Table({"intensity": values}, source=str(paths["santafe_laser.txt"]))
    return SeriesSet(table, slice(0, 1000), slice(1000, 1000), slice(1000, 1100))


ETTH1 = Entry(
    name="etth1",
    task="long-horizon forecasting: hourly oil temperature (OT) of a transformer, and six load series",
    licence="CC BY-ND 4.0: redistribute unchanged, with attribution",
    citation="Zhou et al., Informer, AAAI 2021",
    split="the first 12, the next 4 and the next 4 months of 30 days; standardised by the first",
    gives="SeriesSet: a table of 17,420 hours with the columns date, HUFL, HULL, MUFL, MULL, LUFL, LULL, OT",
    files=(
        File(
            "ETTh1.csv",
            2589657,
            "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
            github("zhouhaoyi/ETDataset", "1d16c8f4f943005d613b5bc962e9eeb06058cf07", "ETT-small/ETTh1.csv"),
        ),
    ),
    read=_etth1,
)

EXCHANGE_RATE = Entry(
    name="exchange_rate",
    task="forecasting of eight daily exchange rates, 1990 to 2016, near to random walks",
    licence="the repository has none",
    citation="Lai et al., LSTNet, SIGIR 2018",
    split="60, 20 and 20 % in time",
    gives=f"SeriesSet: a table of 7,588 days with the columns {', '.join(_CURRENCIES)}, and no dates",
    files=(
        File(
            "exchange_rate.txt.gz",
            177142,
            "6a4fbb561dcdee43f071a83badbeec9223a335552278348656738b556f1c2e9d",
            github(
                "laiguokun/multivariate-time-series-data",
                "7f402f185cc2435b5e66aed13a3b560ed142e023",
                "exchange_rate/exchange_rate.txt.gz",
            ),
        ),
    ),
    read=_exchange_rate,
)

BEIJING_PM25 = Entry(
    name="beijing_pm25",
    task="forecasting with covariates and missing values: hourly fine dust in Beijing, 2010 to 2014",
    licence="the repository has none; cite the donors",
    citation="Liang et al., Proc. R. Soc. A 2015",
    split="2010 to 2012, 2013, 2014",
    gives="SeriesSet: a table of 43,824 hours; pm2.5 has 2,067 missing values; a column time is added",
    files=(
        File(
            "pollution.csv",
            2010492,
            "892e9559205d16d32623135c127a3951c12e46ea1e0b3093e107ce89a9fd60e2",
            github("jbrownlee/Datasets", "d20fcb6402ae34e653d4513b00f39257bb37ed7f", "pollution.csv"),
        ),
    ),
    read=_beijing,
)

SANTAFE_LASER = Entry(
    name="santafe_laser",
    task="free-running prediction of a chaotic series: intensity of a far-infrared laser (Santa Fe A, continued)",
    licence="the data of the competition carry none; the repository is GPL-3.0",
    citation="Weigend & Gershenfeld 1994; Huebner et al. 1989",
    split="of the competition: the first 1,000 values, the next 100",
    gives="SeriesSet: a table of 10,093 values with the column intensity, 0 to 255",
    files=(
        File(
            "santafe_laser.txt",
            60556,
            "784eef84a001d3e4c5c1f042a09b1c811223a5699f2a807549b03debbc79fbb7",
            github(
                "MartinuzziFrancesco/reservoir-computing-examples",
                "b29dd659dd58eadd93641b76ebe4672e619c15c7",
                "change_drivers/gru/santafe_laser.txt",
            ),
        ),
    ),
    read=_laser,
)
