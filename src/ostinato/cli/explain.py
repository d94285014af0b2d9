"""`ostinato explain`: what a community model has learned."""

from pathlib import Path
from typing import Annotated

import typer

from ostinato.cli import options as o


def explain(
    ctx: typer.Context,
    run: o.RunFolder,
    least: Annotated[float, typer.Option(help="Effect on a metabolite that is drawn, in its unit.")] = 5.0,
    share: Annotated[float, typer.Option(help="Effect on a species that is drawn, of its own.")] = 0.2,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="HTML file to write.", show_default="RUN/explain.html")
    ] = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Show who influences whom, where the model knows little, and where the carbon goes, for a model of communities.

    Computed on the training communities, which the run keeps; RUN/explain.json holds the numbers.

    Example: `ostinato explain runs/gut`
    """
    from ostinato.cli.explain_work import explain_run

    explain_run(ctx, run, least, share, out)
