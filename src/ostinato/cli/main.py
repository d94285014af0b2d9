"""The command `ostinato`. JAX is imported by what a command does, never by its help."""

import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ostinato.cli import data, demo, doctor, fit, lists, numbers, runs
from ostinato.cli.output import complain, emit, remember_debug, wants_debug, wants_json
from ostinato.errors import OstinatoError

FAULT, INTERRUPTED = 1, 130


class Commands(TyperGroup):
    """The commands, with errors in words: one message, the exit code of the error, a traceback only where asked for."""

    def list_commands(self, ctx: typer.Context) -> list[str]:
        """In the order in which they are used."""
        first = ["demo", "fit", "predict", "evaluate", "report", "info", "list", "data"]
        return [*first, *(name for name in super().list_commands(ctx) if name not in first)]

    def invoke(self, ctx: typer.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OstinatoError as error:
            _refuse(ctx, error, error.exit_code, str(error))
        except OSError as error:
            _refuse(ctx, error, OstinatoError.exit_code, _system(error))
        except KeyboardInterrupt as error:
            _refuse(ctx, error, INTERRUPTED, "stopped")
        except (typer.TyperException, typer.Exit, typer.Abort):
            raise
        except Exception as error:
            advice = "a fault of ostinato itself; `ostinato --debug ...` shows where"
            _refuse(ctx, error, FAULT, f"{type(error).__name__}: {error} ({advice})")


def _refuse(ctx: typer.Context, error: BaseException, code: int, message: str) -> None:
    if wants_debug(ctx):
        traceback.print_exception(error, file=sys.stderr)
    if wants_json(ctx):
        emit(ctx, {"error": {"kind": type(error).__name__, "message": message, "exit_code": code}}, lambda _: None)
    complain(f"Error: {message}")
    raise typer.Exit(code)


def _system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


app = typer.Typer(
    name="ostinato",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        from ostinato import __version__

        typer.echo(f"ostinato {__version__}")
        raise typer.Exit


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


app.add_typer(fit.app, name="fit")
app.command("predict")(runs.predict)
app.command("evaluate")(runs.evaluate)
app.command("report")(runs.report)
app.command("info")(runs.info)
app.command("list")(lists.list_)
app.add_typer(data.app, name="data")
app.add_typer(numbers.studies, name="study")
app.command("bench")(numbers.bench)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)


def main() -> None:
    """Entry point of the command."""
    app()
