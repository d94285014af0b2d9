"""Whom a job tells how it goes: a terminal, a page, or nobody."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ostinato.training import Event


@runtime_checkable
class Reporter(Protocol):
    """What a job needs of whoever looks on."""

    def note(self, words: str) -> None:
        """Take a word on the way: what was done to the data, that a run was moved aside."""
        ...

    def progress(self, what: str) -> "AbstractContextManager[Callable[[Event], None]]":
        """A callback for the events of training, valid while the context is entered."""
        ...

    def waiting(self, what: str) -> "AbstractContextManager[Any]":
        """What is done while the context is entered, in a word: something of which nobody knows how long it takes."""
        ...


class Silent:
    """A reporter that tells nobody."""

    def note(self, words: str) -> None:
        del words

    def progress(self, what: str) -> "AbstractContextManager[Callable[[Event], None]]":
        del what
        return contextlib.nullcontext(lambda event: None)

    def waiting(self, what: str) -> "AbstractContextManager[Any]":
        del what
        return contextlib.nullcontext()


SILENT = Silent()
