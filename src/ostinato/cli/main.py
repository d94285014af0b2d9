"""Entry point of the command: it answers a stop from the first line on, so little is imported before it is ready."""

import os
import signal
import sys
import threading
from typing import Any, NoReturn

from ostinato.cli.codes import INTERRUPTED, STOPPED


def main() -> None:
    """Run the command."""
    sys.unraisablehook = ask_again
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


def ask_again(lost: Any) -> None:
    """Stop a moment later where a stop came in a callback that swallows it, such as one of the garbage collection."""
    if lost.exc_type is KeyboardInterrupt:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    else:
        sys.__unraisablehook__(lost)


def leave(code: int) -> NoReturn:
    """End the process without taking it apart: a compilation may still run in another thread, and would crash."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
