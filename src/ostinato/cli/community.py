"""`ostinato fit community`: what a community of microbes becomes, from what it is put together from."""

from typing import Annotated

import typer

from ostinato.cli import options as o

_DATA, _MODEL = "The data", "The network"


def community(
    ctx: typer.Context,
    file: o.DataFile,
    species: Annotated[
        list[str] | None,
        typer.Option(
            rich_help_panel=_DATA,
            help="Columns of abundances, with commas, or a pattern such as '*_OD'.",
            show_default="those with a common ending",
        ),
    ] = None,
    metabolites: Annotated[
        list[str] | None,
        typer.Option(rich_help_panel=_DATA, help="Columns of concentrations; '' for none.", show_default="the others"),
    ] = None,
    community: Annotated[
        str | None,
        typer.Option(rich_help_panel=_DATA, help="Column of names of communities.", show_default="the one of text"),
    ] = None,
    time: Annotated[
        str | None, typer.Option(rich_help_panel=_DATA, help="Column of hours.", show_default="by its name")
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_DATA, help="Held out: a share, so many last ones, a file, or 0.", show_default="0.2"
        ),
    ] = None,
    cell: Annotated[
        str | None, typer.Option(rich_help_panel=_MODEL, help="See `ostinato list cells`.", show_default="lstm")
    ] = None,
    hidden: Annotated[
        str | None, typer.Option(rich_help_panel=_MODEL, help="Units, e.g. 128, or 64,32.", show_default="128")
    ] = None,
    layers: o.Layers = None,
    members: Annotated[
        int | None,
        typer.Option(rich_help_panel=_MODEL, help="Networks whose mean is the prediction.", show_default="5"),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(rich_help_panel=_MODEL, help="Networks whose errors give the intervals.", show_default="10"),
    ] = None,
    epochs: o.Epochs = None,
    batch_size: o.BatchSize = None,
    lr: o.Rate = None,
    seed: o.Seed = None,
    settings: o.SettingsFile = None,
    set_: o.Overrides = None,
    out: o.Out = None,
    resume: o.Resume = True,
    fresh: o.Fresh = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Learn how communities of microbes and their products develop.

    One row for each sample: community, time in hours, a column for each species and each metabolite. Whole
    communities are held out, and what the network says of them is printed beside the mean of the others and a linear
    map of who is there.

    Example: `ostinato fit community data.csv --species '*_OD' --out runs/gut`
    """
    from ostinato.cli.fit import amount, network, training, words
    from ostinato.cli.work import fit_file

    given = {
        "data": {
            "species": words(",".join(species)) if species else None,
            "metabolites": [part.strip() for part in ",".join(metabolites).split(",")] if metabolites else None,
            "community": community,
            "time": time,
            "test": amount("--test", test, or_file=True),
        },
        "model": {
            "members": members,
            "folds": folds,
            **network(cell, hidden, layers, None),
            **training(epochs, batch_size, lr, None, None, seed),
        },
    }
    fit_file(ctx, "community", file, given, settings, set_, out, resume, fresh)
