"""The command `ostinato`, built from the table of jobs. JAX is imported by what a command does, never by its help."""

from typing import Annotated

import typer

from ostinato.cli import community, data, demo, doctor, lists, numbers, runs
from ostinato.cli.app import App, Root
from ostinato.cli.codes import USAGE
from ostinato.cli.compile_cache import keep_compiled
from ostinato.cli.fit import fit_commands
from ostinato.cli.output import complain, remember_debug


def application() -> App:
    """The command as the tables are now: a job that has a row by then has its commands."""
    app = App(name="ostinato", cls=Root, add_completion=True)
    app.callback()(_options)
    app.command("demo")(demo.demo)
    app.add_typer(fit_commands(), name="fit")
    app.command("predict")(runs.predict_command())
    app.command("evaluate")(runs.evaluate)
    app.command("anomalies")(runs.anomalies)
    app.command("report")(runs.report)
    app.command("explain")(runs.explain_command())
    app.add_typer(community.app, name="community")
    app.command("info")(runs.info)
    app.command("list")(lists.list_)
    app.add_typer(data.app, name="data")
    app.add_typer(numbers.studies, name="study")
    app.command("bench")(numbers.bench)
    app.command("doctor")(doctor.doctor)
    anything = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    app.command("design", hidden=True, context_settings=anything)(_design)
    return app


def _version(value: bool) -> bool:
    if value:
        from ostinato import __version__

        typer.echo(f"ostinato {__version__}")
        raise typer.Exit
    return value


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


def _design(ctx: typer.Context) -> None:
    """Say where `ostinato design` is now."""
    typed = " ".join(["ostinato community design", *ctx.args])
    complain(f"Error: `ostinato design` is now `{typed}`")
    raise typer.Exit(USAGE)
