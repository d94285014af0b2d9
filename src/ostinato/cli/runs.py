"""`ostinato predict`, `evaluate`, `report`, `explain`, `info`: what to do with a run folder."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ostinato.cli import options as o
from ostinato.cli.output import emit, pairs, show_scores, table
from ostinato.cli.progress import Terminal
from ostinato.cli.signature import annotation, any_of, with_signature
from ostinato.errors import SettingsError
from ostinato.jobs import JOBS

MOST_COLUMNS, SHOWN = 12, 15
DataFile = Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="Data like those of `fit`.")]


def predict_command() -> Callable[..., None]:
    """`predict`, with what any of the jobs may be asked with."""
    out = typer.Option("--out", "-o", help="CSV file to write.", show_default="print them")
    asked = {name: annotation(option) for name, option in any_of(JOBS.values(), "asked").items()}
    head = {"run": o.RunFolder, "file": DataFile, "out": Annotated[Path | None, out]}
    return with_signature(_predict, {**head, **asked, "json": o.Json}, PREDICT)


def explain_command() -> Callable[..., None]:
    """`explain`, with what any of the jobs may be asked with."""
    out = typer.Option("--out", "-o", help="HTML file to write.", show_default="RUN/explain.html")
    asked = {name: annotation(option) for name, option in any_of(JOBS.values(), "explained").items()}
    tail = {"out": Annotated[Path | None, out], "quiet": o.Quiet, "json": o.Json}
    return with_signature(_explain, {"run": o.RunFolder, **asked, **tail}, EXPLAIN)


PREDICT = """Predict with a trained model: the steps after each series, or a label or number for each sequence.

    For communities of microbes: species and metabolites over time, from what each is put together from.

    Example: `ostinato predict runs/temp new.csv --out forecast.csv`
    """

EXPLAIN = """Show what a model has learned.

    For communities of microbes: who influences whom, where the model knows little, and where the carbon goes. Computed
    on the training communities, which the run keeps; RUN/explain.json holds the numbers.

    Example: `ostinato explain runs/gut`
    """


def _check_out(out: Path | None, file: Path) -> None:
    """Raise `SettingsError` where what is written would stand in the place of what is read."""
    if out is not None and out.resolve() == file.resolve():
        raise SettingsError(f"--out: {out} is the file that is read; choose another name")


def _predict(ctx: typer.Context, run: Path, file: Path, out: Path | None, json: bool = False, **asked: Any) -> None:
    del json
    _check_out(out, file)

    from ostinato.jobs import predict
    from ostinato.jobs.columns import write_columns

    columns = predict(run, file, reporter=Terminal(ctx), **asked)
    rows = len(next(iter(columns.values())))
    result: dict[str, Any] = {"run": str(run), "file": str(file), "rows": rows}
    if out is not None:
        write_columns(out, columns)
        result["out"] = str(out)
        emit(ctx, result, lambda console: console.print(f"{rows} rows in {out}"))
        return
    result["columns"] = columns
    emit(ctx, result, lambda console: console.print(_listed(columns)))


def _listed(columns: Mapping[str, Any]) -> Any:
    """The columns as a table; where they are many, one below the other, those that are 0 left out."""
    from ostinato.data.columns import as_text

    texts = [as_text(column) for column in columns.values()]
    if len(columns) <= MOST_COLUMNS:
        return table(list(columns), ((row, None) for row in zip(*texts, strict=True)))
    head = list(columns)
    rows = [
        [row[0], row[1], name, value]
        for row in zip(*texts, strict=True)
        for name, value in zip(head[2:], row[2:], strict=True)
        if value != "0"
    ]
    return table([*head[:2], "what", "value"], ((row, None) for row in rows))


def _explain(
    ctx: typer.Context, run: Path, out: Path | None, quiet: bool = False, json: bool = False, **asked: Any
) -> None:
    del quiet, json

    from ostinato.jobs import explain
    from ostinato.jobs.verbs import explained_page

    found = explain(run, out, reporter=Terminal(ctx), **asked)
    page = explained_page(run, out)
    result = {"run": str(run), "report": str(page), **found.numbers}

    def show(console: Any) -> None:
        for part in found.page.sections:
            if part.kind == "table":
                console.print(table(part.data["head"], ((row, None) for row in part.data["rows"][:SHOWN])))
            if part.kind == "text":
                console.print(part.data["words"], markup=False)
        console.print(f"Page {page}", markup=False)

    emit(ctx, result, show)


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
    from ostinato.cli.fit import scored
    from ostinato.jobs import evaluate

    made = evaluate(run, file, keep=keep)
    result = {"run": str(run), "file": str(file), "task": made.task, **scored(made)}
    emit(ctx, result, lambda console: show_scores(console, result))


def anomalies(
    ctx: typer.Context,
    run: o.RunFolder,
    file: DataFile,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV file to write.", show_default="print them")
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", help="P-value at or below which a value is an anomaly.")
    ] = 0.01,
    json: o.Json = False,
) -> None:
    """Say how unlikely each value is that came after those of training, by the one-step forecast of a run.

    For each target of a forecast: the forecast, the error in units of the errors that it makes, its p-value.

    Example: `ostinato anomalies runs/temp new.csv --out anomalies.csv`
    """
    _check_out(out, file)
    from ostinato.jobs import anomalies
    from ostinato.jobs.columns import write_columns

    found = anomalies(run, file, threshold)
    rows = len(next(iter(found.columns.values())))
    result: dict[str, Any] = {"run": str(run), "file": str(file), "rows": rows, "anomalies": found.count}
    words = f"{found.count} of {rows} values have a p-value of {threshold:g} or less"
    if out is not None:
        write_columns(out, found.columns)
        result["out"] = str(out)
        emit(ctx, result, lambda console: console.print(f"{words}; all in {out}", markup=False))
        return
    result["columns"] = found.columns

    def show(console: Any) -> None:
        flags = [name for name in found.columns if name.endswith("_anomaly")]
        picked = [i for i in range(rows) if any(found.columns[name][i] for name in flags)]
        console.print(words)
        console.print(_listed({name: values[picked] for name, values in found.columns.items()}))

    emit(ctx, result, show)


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
    from ostinato.view import write_report

    path = write_report(run, out)
    emit(ctx, {"run": str(run), "report": str(path)}, lambda console: console.print(str(path), markup=False))


def info(ctx: typer.Context, run: o.RunFolder, json: o.Json = False) -> None:
    """What a run folder holds: its state, scores, data, settings; its files are checked on the way.

    Example: `ostinato info runs/temp`
    """
    from ostinato.jobs.folder import overview
    from ostinato.view.page import flat

    result = overview(run)

    def show(console: Any) -> None:
        long = [name for name, value in result.items() if isinstance(value, dict) and name != "best"]
        rest = ("best", "held_out", "verdict", "scores", "notes", *long)
        console.print(pairs((name, value) for name, value in result.items() if name not in rest))
        show_scores(console, result)
        for name in long:
            console.print(f"\n[bold]{name}[/bold]")
            console.print(pairs(flat(result[name])))

    emit(ctx, result, show)
