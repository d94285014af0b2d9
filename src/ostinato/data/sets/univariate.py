"""Small univariate series, and the everyday series of vega-datasets: a table for each file."""

from collections.abc import Mapping
from pathlib import Path

from ostinato.data.read import read_table
from ostinato.data.table import Table

from .entry import Entry, File, github

_BROWNLEE = ("jbrownlee/Datasets", "d20fcb6402ae34e653d4513b00f39257bb37ed7f")
_SKTIME = ("sktime/sktime", "7bd7d1620c0656f3210eeb850bb1c0034159ee47")
_VEGA = ("vega/vega-datasets", "cad85578e232704bb0453544742440038038c6a2")


def _tables(paths: Mapping[str, Path]) -> dict[str, Table]:
    # Named by hand because a header of numbers, as that of the lynx, cannot be told from a row.
    return {name.removesuffix(".csv"): read_table(path, header=True) for name, path in paths.items()}


UNIVARIATE_SMALL = Entry(
    name="univariate_small",
    task="forecasting of one series: airline passengers, Melbourne temperatures, sunspots, births, sales, lynx",
    licence="the repository has none; public statistics of the Time Series Data Library. Lynx: BSD-3-Clause (sktime)",
    citation="Time Series Data Library (R. Hyndman); Box & Jenkins 1976; Campbell & Walker 1977 (lynx)",
    split="none; usual is the last 20 % or the last two seasons as test",
    gives="a dict of tables, such as 'daily-min-temperatures' with the columns Date and Temp",
    files=(
        *(
            File(f"{name}.csv", size, digest, github(*_BROWNLEE, f"{name}.csv"))
            for name, size, digest in (
                ("airline-passengers", 2180, "8cb51be753a718d9be5d76d7e238cc224792754676adc21faa59e954b0201621"),
                ("daily-max-temperatures", 69359, "4f4ab4d6134d9c0f8efb3d6af6edc30a0ad3c56573d0f20f45db010055d0371c"),
                ("daily-min-temperatures", 67921, "8b9de63ed6789492bf497625e7f9beb96a63d367b4b0a21754006f749fa5e5da"),
                ("daily-total-female-births", 6220, "7a0c1bdb32d68f7fa359e561a4f7e1fe8fb2fc26a1ea624a434a97a63735dd72"),
                ("monthly-car-sales", 1834, "a4194226eb1d0eba5fd503e829b1279f1a10683d8009f2871aca05e7fb648f70"),
                ("monthly-mean-temp", 3861, "4190d815eb6d66f7c6abf25de2ef69addcf4647659fb94102215bd2dab1916ef"),
                ("monthly-shampoo-sales", 519, "f709eaa344b2d07039a49e2193cbff5e56206354f3a8203c0e02471beb39a451"),
                ("monthly-sunspots", 45039, "c4ec8cc57d9f6fb6ecdb3e1f37f25b6f4badd5124c55931052b0cd2fc3bc71f3"),
                ("monthly_champagne_sales", 1596, "bf2179f9c4df80a355146ce80da5c29d5cd5f36918d98f8b07cb04cda59e59eb"),
            )
        ),
        File(
            "Lynx.csv",
            1073,
            "aa531751f1570541924e78c53fa9ef56422c9593a89faeb01513bba7b2015c77",
            github(*_SKTIME, "sktime/datasets/data/Lynx/Lynx.csv"),
        ),
    ),
    read=_tables,
)

VEGA_SERIES = Entry(
    name="vega_series",
    task="forecasting: S&P 500 daily, five stocks monthly, Seattle weather daily, Mauna Loa CO2 monthly",
    licence="seattle-weather: US government, public domain; co2-concentration: CC BY 4.0 (Scripps); "
    "sp500-2000 (Yahoo Finance) and stocks: none",
    citation="vega-datasets",
    split="none; split in time",
    gives="a dict of tables: 'sp500-2000', 'stocks' (long layout), 'seattle-weather', 'co2-concentration'",
    files=tuple(
        File(f"{name}.csv", size, digest, github(*_VEGA, f"data/{name}.csv"))
        for name, size, digest in (
            ("co2-concentration", 18547, "c1a4a970864145940a28225cae288618b156cb32f9a2a1b6606ba7124134febb"),
            ("seattle-weather", 48219, "0845078a290b48e3149ab8639966824110a251db4e06fc144c06ebb534af23be"),
            ("sp500-2000", 415968, "9409e9342d0657c747324e4cfabce8a8c7f663bc485b95a3378f36b0a160f8c8"),
            ("stocks", 12245, "f9953ac6693e587476b4ebf2f0b00d9bb95371ca8c39da4cc6155077b3e417cd"),
        )
    ),
    read=_tables,
)
