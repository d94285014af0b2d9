"""Typer signatures from the option rows of jobs: the one place where a row becomes an argument of a command."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ostinato.cli import options as o
from ostinato.jobs import BadOption, Job, Option
from ostinato.jobs.options import settings_of

COMMON: dict[str, Any] = {
    "settings": o.SettingsFile,
    "set_": o.Overrides,
    "out": o.Out,
    "resume": o.Resume,
    "fresh": o.Fresh,
    "quiet": o.Quiet,
    "json": o.Json,
}
"""Options that every `fit` has, below those of the job."""

DEFAULTS = {"resume": True, "fresh": False, "quiet": False, "json": False}


def fit_signature(job: Job) -> dict[str, Any]:
    """What `fit NAME` takes."""
    annotations: dict[str, Any] = {}
    if job.source is not None:
        argument = typer.Argument(metavar="FILE", show_default=False, help=job.source)
        annotations["file"] = Annotated[Path, argument]
    return annotations | {option.name: annotation(option) for option in job.options} | COMMON


def annotation(option: Option) -> Any:
    """The annotation that Typer makes an option from."""
    shown: dict[str, Any] = {} if option.default is None else {"show_default": option.default}
    made = typer.Option(option.spelling, rich_help_panel=option.group, help=option.help, **shown)
    if option.kind is bool:
        return Annotated[bool, made]
    if option.many:
        return Annotated[list[option.kind] | None, made]
    return Annotated[option.kind | None, made]


def with_signature(function: Callable[..., None], annotations: Mapping[str, Any], words: str) -> Callable[..., None]:
    """A command of its own that hands its arguments to `function(ctx, **given)`; `words` are its help."""

    def command(ctx: typer.Context, **given: Any) -> None:
        function(ctx, **given)

    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
    for name, hint in annotations.items():
        empty = _is_argument(hint)
        default = inspect.Parameter.empty if empty else DEFAULTS.get(name, False if hint.__args__[0] is bool else None)
        parameters.append(inspect.Parameter(name, kind, default=default, annotation=hint))
    command.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {"ctx": typer.Context, **annotations, "return": None}
    command.__doc__ = words
    return command


def settings_given(options: Iterable[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that options give; text that is no value of its option is an error of usage."""
    try:
        return settings_of(tuple(options), given)
    except BadOption as error:
        raise typer.BadParameter(error.words, param_hint=error.flag) from error


def any_of(jobs: Iterable[Job], rows: str) -> dict[str, Option]:
    """The options that some of the jobs have in that row, by name, each once."""
    found: dict[str, Option] = {}
    for job in jobs:
        for option in getattr(job, rows):
            found.setdefault(option.name, option)
    return found


def _is_argument(hint: Any) -> bool:
    return any(isinstance(part, typer.models.ArgumentInfo) for part in hint.__metadata__)
