"""What `ostinato demo` does: the series as a file, then the command that anybody would give for it."""

from pathlib import Path
from typing import Any

import numpy as np
import typer

from ostinato.cli.columns import write_columns
from ostinato.cli.output import note
from ostinato.cli.work import fit_file
from ostinato.errors import DataError

HORIZON = 13
"""Weeks in a quarter of a year."""

GIVEN: dict[str, dict[str, Any]] = {
    "data": {"target": ["co2"], "time": "week", "test": 0.2},
    "model": {
        "horizon": HORIZON,
        "context": 52,
        "calendar": ["yearday:2"],
        "missing": "observed",
        "subtract_last": True,
        "linear_skip": True,
        "hidden_size": 32,
        "epochs": 20,
    },
}
COMMAND = (
    "ostinato fit forecast {file} --target co2 --time week --horizon 13 --context 52 --calendar yearday:2 --missing "
    "--subtract-last --linear-skip --hidden 32 --epochs 20 --out {out}"
)


def run_demo(ctx: typer.Context, out: Path) -> None:
    """Write `co2.csv` beside the run folder and fit it; a folder of other settings is moved aside."""
    file = out.parent / "co2.csv"
    write_columns(file, carbon_dioxide())
    note(ctx, f"Weekly CO2 at Mauna Loa is now in {file}. This does:\n")
    note(ctx, f"  {COMMAND.format(file=file, out=out)}\n")
    fit_file(ctx, "forecast", file, GIVEN, None, None, out, True, False)


def carbon_dioxide() -> dict[str, np.ndarray]:
    """The weeks and their means in parts per million, NaN where missing. Raises `DataError` without statsmodels."""
    try:
        from statsmodels.datasets import co2
    except ImportError as error:
        raise DataError("the demo needs the extra `demo`: pip install 'ostinato[demo]'") from error
    frame = co2.load_pandas().data
    return {"week": frame.index.to_numpy().astype("datetime64[s]"), "co2": frame["co2"].to_numpy(np.float64)}
