"""A bar while a model trains: step, epoch, loss, validation, speed, time left; on standard error, for eyes only."""

import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from ostinato.training.progress import Event

Callback = Callable[[Event], Any]

ASKED: ContextVar[bool | None] = ContextVar("ostinato_progress", default=None)
"""Whether whoever called an estimator's `fit` asked for a bar; None: where somebody looks."""


class Bar:
    """A callback of `fit` that draws while it is entered; `tell` takes words that stay, such as warnings."""

    def __init__(self, what: str, *, show: bool = True, tell: Callable[[str], Any] | None = None):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        screen = Console(stderr=True, highlight=False)
        self._what, self._validation = what, ""
        self._tell = tell or (lambda words: screen.print(words, markup=False))
        self._progress: Any = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            console=screen,
            transient=True,
            disable=not show,
        )
        self._task: Any = None
        self._began: Event | None = None

    def __enter__(self) -> "Bar":
        # Seconds may pass before the first step is made: what is compiled is waited for in sight.
        self._task = self._progress.add_task(self._what, total=None, words="compiling")
        self._progress.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Take an event of training."""
        if event.kind == "resume":
            self._tell(f"Going on from step {event.step} of {event.total}.")
        if event.message:
            self._tell(f"{event.kind}: {event.message}")
        for name, value in list(event.metrics.items())[:1]:
            self._validation = f"  {name} {value:.4g}"
        began = self._began = self._began or event
        if event.step <= began.step and not event.metrics:
            return
        steps, seconds = event.step - began.step, event.seconds - began.seconds
        speed = f"  {steps / seconds:.0f} steps/s" if steps and seconds > 0 else ""
        loss = f"  loss {event.loss:.4g}" if math.isfinite(event.loss) else ""
        epoch = f"  epoch {event.epoch:.1f}" if math.isfinite(event.epoch) else ""
        words = f"{event.step}/{event.total}{epoch}{loss}{self._validation}{speed}"
        self._progress.update(self._task, total=event.total, completed=event.step, words=words)


@contextlib.contextmanager
def watched(progress: bool | None, callback: Callback | None) -> Iterator[Callback | None]:
    """The callback, and a bar beside it where one is asked for; None: where nobody else is told and somebody looks."""
    asked = ASKED.get() if progress is None else progress
    if not (callback is None and somebody_looks() if asked is None else asked):
        yield callback
        return
    with Bar("training") as bar:

        def told(event: Event) -> None:
            bar(event)
            if callback is not None:
                callback(event)

        yield told


def somebody_looks() -> bool:
    """Whether standard error is a terminal, or this runs in a notebook."""
    return bool(sys.stderr and sys.stderr.isatty()) or "ipykernel" in sys.modules
