"""The bar while a model trains: step, epoch, loss, validation, speed, time left; on standard error, for eyes only."""

import contextlib
import math
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import typer

from ostinato.cli.output import console, is_quiet, note


class Bar:
    """A callback of `training.fit` that draws where somebody looks, and keeps what else is worth knowing.

    Without a terminal, or with `--quiet`, nothing is drawn; warnings are printed all the same.
    """

    def __init__(self, ctx: typer.Context, what: str):
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._ctx, self._what, self._validation = ctx, what, ""
        screen = console(stderr=True)
        self._progress: Any = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            console=screen,
            transient=True,
            disable=is_quiet(ctx) or not screen.is_terminal,
        )
        self._task: Any = None
        self._began: Any = None

    def __enter__(self) -> "Bar":
        # Seconds may pass before the first step is made: what is compiled is waited for in sight.
        self._task = self._progress.add_task(self._what, total=None, words="compiling")
        self._progress.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def __call__(self, event: Any) -> None:
        """Take an event of `training.fit`."""
        if event.kind == "resume":
            note(self._ctx, f"Going on from step {event.step} of {event.total}.")
        if event.message:
            note(self._ctx, f"{event.kind}: {event.message}")
        for name, value in list(event.metrics.items())[:1]:
            self._validation = f"  {name} {value:.4g}"
        self._began = self._began or event
        steps, seconds = event.step - self._began.step, event.seconds - self._began.seconds
        speed = f"  {steps / seconds:.0f} steps/s" if steps and seconds > 0 else ""
        loss = f"  loss {event.loss:.4g}" if math.isfinite(event.loss) else ""
        epoch = f"epoch {event.epoch:.1f}" if math.isfinite(event.epoch) else ""
        words = f"{event.step}/{event.total}  {epoch}{loss}{self._validation}{speed}"
        if event.step > self._began.step or event.metrics:
            self._progress.update(self._task, total=event.total, completed=event.step, words=words)


class Terminal:
    """The reporter of a command: notes on standard error, a bar where somebody looks; silent with `--quiet`."""

    def __init__(self, ctx: typer.Context):
        self._ctx = ctx

    def note(self, words: str) -> None:
        note(self._ctx, words)

    def progress(self, what: str) -> Bar:
        return Bar(self._ctx, what)

    def waiting(self, what: str) -> "AbstractContextManager[Any]":
        screen = console(stderr=True)
        if is_quiet(self._ctx) or not screen.is_terminal:
            return contextlib.nullcontext()
        return screen.status(f"{what} …")
