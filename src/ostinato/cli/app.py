"""Commands whose errors are words: one message, the exit code of the error, a traceback only where asked for."""

import sys
import traceback
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from ostinato.cli.codes import FAULT, INTERRUPTED
from ostinato.cli.output import complain, emit, wants_debug, wants_json
from ostinato.errors import OstinatoError

ORDER = (
    "demo",
    "fit",
    "predict",
    "evaluate",
    "anomalies",
    "report",
    "explain",
    "community",
    "design",
    "info",
    "list",
    "data",
    "study",
    "bench",
    "doctor",
)


class _Flags:
    """Options without a value are shown without the kind of one."""

    def get_params(self, ctx: typer.Context) -> Any:
        parameters = super().get_params(ctx)  # pyright: ignore[reportAttributeAccessIssue]
        for parameter in parameters:
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""
        return parameters


class Command(_Flags, TyperCommand):
    """A command that is given the context that its annotation names."""

    context_class = typer.Context


class Group(_Flags, TyperGroup):
    """The same for a group of commands."""

    context_class = typer.Context


class Root(Group):
    """All commands, in the order in which they are used; what they raise ends here."""

    def list_commands(self, ctx: typer.Context) -> list[str]:
        return sorted(super().list_commands(ctx), key=ORDER.index)

    def invoke(self, ctx: typer.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.TyperException, typer.Exit, typer.Abort):
            raise
        except OstinatoError as error:
            _refuse(ctx, error, error.exit_code, str(error))
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            _refuse(ctx, error, OstinatoError.exit_code, f"{where}{error.strerror or error}")
        except KeyboardInterrupt as error:
            _refuse(ctx, error, INTERRUPTED, "stopped")
        except Exception as error:
            if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
                words = "more memory asked for than there is; take fewer units, smaller batches or shorter windows"
                _refuse(ctx, error, OstinatoError.exit_code, words)
            advice = "a fault of ostinato itself; `ostinato --debug ...` shows where"
            _refuse(ctx, error, FAULT, f"{type(error).__name__}: {error} ({advice})")


class App(typer.Typer):
    """A group of commands to add to."""

    def __init__(self, **settings: Any):
        super().__init__(
            **{
                "cls": Group,
                "no_args_is_help": True,
                "add_completion": False,
                "pretty_exceptions_enable": False,
                "rich_markup_mode": "markdown",
                "context_settings": {"help_option_names": ["-h", "--help"]},
                **settings,
            }
        )

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return super().command(name, cls=Command, **settings)


def _refuse(ctx: typer.Context, error: BaseException, code: int, message: str) -> None:
    if wants_debug(ctx):
        traceback.print_exception(error, file=sys.stderr)
    if wants_json(ctx):
        said = {"kind": type(error).__name__, "message": message, "exit_code": code}
        emit(ctx, {"error": said}, lambda _: None)
    complain(f"Error: {message}")
    raise typer.Exit(code)
