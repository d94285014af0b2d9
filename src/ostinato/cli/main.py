"""The command `ostinato`. JAX is imported by what a command does, never by its help."""

from typing import Annotated

import typer

from ostinato.cli import data, demo, design, doctor, explain, fit, lists, numbers, runs
from ostinato.cli.app import App, Root
from ostinato.cli.compile_cache import keep_compiled
from ostinato.cli.output import remember_debug

app = App(name="ostinato", cls=Root)


def _version(value: bool) -> bool:
    if value:
        from ostinato import __version__

        typer.echo(f"ostinato {__version__}")
        raise typer.Exit
    return value


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", callback=remember_debug, help="Show the traceback of an error.")
    ] = False,
) -> None:
    """Recurrent networks from a file to a report: trained, compared with honest baselines, understood.

    Exit codes: 0 done, 1 a check failed, 2 usage, 3 bad input, 4 damaged file, 75 stopped by a signal after a
    checkpoint (run it again to go on).

    Example: `ostinato fit forecast data.csv --target Temp --horizon 7`
    """
    keep_compiled()


app.command("demo")(demo.demo)
app.add_typer(fit.app, name="fit")
app.command("predict")(runs.predict)
app.command("evaluate")(runs.evaluate)
app.command("report")(runs.report)
app.command("explain")(explain.explain)
app.command("design")(design.design)
app.command("info")(runs.info)
app.command("list")(lists.list_)
app.add_typer(data.app, name="data")
app.add_typer(numbers.studies, name="study")
app.command("bench")(numbers.bench)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Entry point of the command."""
    app()
