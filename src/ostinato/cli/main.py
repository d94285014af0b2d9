"""Entry point of the command: it answers a stop from the first line on, so nothing is imported before it is ready."""

import os
import sys
from typing import NoReturn

INTERRUPTED, STOPPED = 130, 75
"""Exit codes of a command that was stopped: at once, and after a checkpoint."""


def main() -> None:
    """Run the command."""
    try:
        from ostinato.cli.application import application

        application()()
    except KeyboardInterrupt:
        sys.stderr.write("Error: stopped\n")
        leave(INTERRUPTED)
    except SystemExit as end:
        if end.code in (INTERRUPTED, STOPPED):
            leave(int(end.code))
        raise


def leave(code: int) -> NoReturn:
    """End the process without taking it apart: a compilation may still run in another thread, and would crash."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
