"""`ostinato demo`: the main job on a real series that comes with an installed package."""

from pathlib import Path
from typing import Annotated

import typer

from ostinato.cli import options as o


def demo(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="Run folder.")] = Path("runs/demo"),
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Forecast the number of sunspots in the next year, and compare with the baselines.

    Yearly means, 1700 to 2008, as they come with statsmodels (extra `demo`). The last fifth is held out. Nothing is
    set: what the forecaster chooses, it chooses on the rows before.

    Example: `ostinato demo`
    """
    from ostinato.cli.demonstration import run_demo

    run_demo(ctx, out)
