"""What `ostinato demo` does: the series as a file, then the command that anybody would give for it."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import typer

from ostinato.cli.fit import fit_job
from ostinato.cli.output import note
from ostinato.data import read_table
from ostinato.errors import DataError, SettingsError
from ostinato.jobs import job_of
from ostinato.jobs.columns import write_columns

# Nothing is set: the season of about 11 years, the simple forecasts and the networks are found in the training rows.
OPTIONS: dict[str, Any] = {"target": ["sunspots"], "time": "year"}


def run_demo(ctx: typer.Context, out: Path) -> None:
    """Write `sunspots.csv` beside the run folder and fit it; a folder of other settings is moved aside."""
    file = out.parent / "sunspots.csv"
    write_columns(file, sunspots())
    note(ctx, f"The number of sunspots in each year since 1700 is now in {file}. This does:\n")
    note(ctx, f"  ostinato fit forecast {file} {written(OPTIONS)} --out {out}\n")
    forecast = job_of("forecast")
    try:
        fit_job(ctx, forecast, file, **OPTIONS, out=out)
    except SettingsError:
        fit_job(ctx, forecast, file, **OPTIONS, out=out, fresh=True)
    note(ctx, "\nYour own data: ostinato fit forecast DATA.csv --target COLUMN --horizon 7")
    note(ctx, "Public data:   ostinato data list   (a name there stands where a file does)")


def written(options: dict[str, Any]) -> str:
    """Arguments of a command's function as they are typed."""
    listed = {name: value if isinstance(value, list) else [value] for name, value in options.items()}
    parts = [(name.replace("_", "-"), part) for name, values in listed.items() for part in values]
    return " ".join(f"--{name} {part:g}" if isinstance(part, float) else f"--{name} {part}" for name, part in parts)


def sunspots() -> dict[str, np.ndarray]:
    """The years and the mean number of spots in each. Raises `DataError` without statsmodels."""
    # The file alone: with its package come SciPy and pandas, which nothing here needs.
    found = find_spec("statsmodels")
    if found is None or not found.submodule_search_locations:
        raise DataError("the demo needs the extra `demo`: pip install 'ostinato[demo]'")
    table = read_table(Path(found.submodule_search_locations[0], "datasets", "sunspots", "sunspots.csv"))
    return {"year": table.number("YEAR").astype(np.int64), "sunspots": table.number("SUNACTIVITY")}
