"""`ostinato community`: what is done with models of communities of microbes alone."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ostinato.cli import options as o
from ostinato.cli.app import App
from ostinato.cli.output import emit, table
from ostinato.cli.progress import Terminal

app = App(help="Communities of microbes: which to build.")

SHOWN = 20


@app.command()
def design(
    ctx: typer.Context,
    run: o.RunFolder,
    maximize: Annotated[list[str] | None, typer.Option(help="Metabolite to have much of; may be repeated.")] = None,
    minimize: Annotated[list[str] | None, typer.Option(help="Metabolite to have little of; may be repeated.")] = None,
    corners: Annotated[
        str | None,
        typer.Option(help="Instead: two planes of metabolites, e.g. butyrate,lactate,acetate,succinate."),
    ] = None,
    size: Annotated[str | None, typer.Option(help="Species in a community, e.g. 11:25.", show_default="all")] = None,
    count: Annotated[int, typer.Option(min=1, help="Communities to choose.")] = 80,
    with_: Annotated[list[str] | None, typer.Option("--with", help="Species to have; may be repeated.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="Species not to have; may be repeated.")] = None,
    spread: Annotated[
        str, typer.Option(help="Within a corner: hamming, as the paper words it, or maxmin.")
    ] = "hamming",
    total: Annotated[float, typer.Option(help="Abundance of a community when it is put together.")] = 0.0066,
    volume: Annotated[float, typer.Option(help="Of a culture, in microlitres.")] = 1000.0,
    stock: Annotated[float, typer.Option(help="Abundance in the stocks of the species.")] = 0.1,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV file to write.", show_default="RUN/design.csv")
    ] = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Choose communities by what a model expects of all that can be built, and write what to pipette.

    Every community of the given sizes is predicted; a scan that was stopped goes on where it was. With `--maximize`
    and `--minimize` those are chosen that fulfil all wishes best at once, with `--corners` those at the 16 corners of
    two planes. Beside the table of communities, NAME-pipetting.csv says how many microlitres of each stock go in.

    Example: `ostinato community design runs/gut --maximize butyrate --minimize lactate --size 11:25 --count 80`
    """
    from ostinato.jobs.design import design as choose

    result = choose(
        run,
        wishes=dict.fromkeys(maximize or (), "max") | dict.fromkeys(minimize or (), "min"),
        corners=corners,
        size=size,
        count=count,
        required=with_ or [],
        excluded=without or [],
        spread=spread,
        amounts={"total": total, "volume": volume, "stock": stock},
        out=out,
        reporter=Terminal(ctx),
    )

    def show(console: Any) -> None:
        # The names of all species of a community are long: they stand last, where they may wrap.
        columns = {name: values for name, values in result["columns"].items() if name != "community"}
        columns["community"] = result["columns"]["community"]
        rows = list(zip(*(values.tolist() for values in columns.values()), strict=True))[:SHOWN]
        console.print(table(["", *columns], (([str(i + 1), *row], None) for i, row in enumerate(rows))))
        console.print(
            f"{result['chosen']} of {result['scanned']} communities in {result['out']}, what to pipette in "
            f"{result['pipetting']}",
            markup=False,
        )

    emit(ctx, result, show)
