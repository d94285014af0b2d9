"""`ostinato predict`, `evaluate`, `report`, `info`: what to do with a run folder."""

from pathlib import Path
from typing import Annotated

import typer

from ostinato.cli import options as o


def predict(
    ctx: typer.Context,
    run: o.RunFolder,
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="Data like those of `fit`.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV file to write.", show_default="print them")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(help="Steps to forecast; any number where the mode is recursive.")
    ] = None,
    hours: Annotated[
        str | None, typer.Option(help="Communities: 0:72:4 (from, to, step) or 0,16,48.", show_default="as measured")
    ] = None,
    intervals: Annotated[
        bool, typer.Option("--intervals", help="Communities: bounds for 90 % of measured values.")
    ] = False,
    json: o.Json = False,
) -> None:
    """Predict with a trained model: the steps after the end of each series, or a label or number for each sequence.

    For communities of microbes: species and metabolites over time, from what each is put together from.

    Example: `ostinato predict runs/temp new.csv --out forecast.csv`
    """
    from ostinato.cli.work import predict_file

    predict_file(ctx, run, file, out, {"horizon": horizon, "hours": hours, "intervals": intervals})


def evaluate(
    ctx: typer.Context,
    run: o.RunFolder,
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="Data with the truth in it.")],
    keep: Annotated[bool, typer.Option("--keep", help="Make it the evaluation of the run and of its report.")] = False,
    json: o.Json = False,
) -> None:
    """Judge a trained model on data that it has not seen, beside the baselines of its run.

    For series, these are the rows after those that it was trained on; the file of `fit` itself is judged on the
    held-out end.

    Example: `ostinato evaluate runs/vowels test.npz`
    """
    from ostinato.cli.work import evaluate_file

    evaluate_file(ctx, run, file, keep)


def report(
    ctx: typer.Context,
    run: o.RunFolder,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="HTML file to write.", show_default="RUN/report.html")
    ] = None,
    json: o.Json = False,
) -> None:
    """Write the report of a run: one HTML file that needs no network.

    Example: `ostinato report runs/temp`
    """
    from ostinato.cli.output import emit
    from ostinato.view import write_report

    path = write_report(run, out)
    emit(ctx, {"run": str(run), "report": str(path)}, lambda console: console.print(str(path), markup=False))


def info(ctx: typer.Context, run: o.RunFolder, json: o.Json = False) -> None:
    """What a run folder holds: its state, scores, data, settings; its files are checked on the way.

    Example: `ostinato info runs/temp`
    """
    from ostinato.cli.info import show_info

    show_info(ctx, run)
