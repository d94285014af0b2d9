"""Whom the jobs of a command tell how it goes: notes on standard error, and what moves while somebody looks."""

import contextlib
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import typer

from ostinato.cli.output import console, is_quiet, note

if TYPE_CHECKING:
    from ostinato.training.bar import Bar


class Terminal:
    """The reporter of a command: notes, a bar where somebody looks; with `--quiet` silent."""

    def __init__(self, ctx: typer.Context):
        self._ctx = ctx

    def note(self, words: str) -> None:
        note(self._ctx, words)

    def progress(self, what: str) -> "Bar":
        from ostinato.training.bar import Bar

        return Bar(what, show=self._watched, tell=self.note)

    def waiting(self, what: str) -> AbstractContextManager[Any]:
        return console(stderr=True).status(f"{what} …") if self._watched else contextlib.nullcontext()

    @property
    def _watched(self) -> bool:
        return not is_quiet(self._ctx) and console(stderr=True).is_terminal
