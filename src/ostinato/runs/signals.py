"""A request to stop, taken at the next step instead of in the middle of one."""

import os
import signal
import threading
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Any

STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class Stopper:
    """While entered, the first of these signals only sets `caught`; a second one ends the process at once.

    Signal handlers belong to the main thread: in any other one nothing is caught. What was installed before comes back
    on exit.

    ```python
    >>> import os, signal
    >>> with Stopper([signal.SIGUSR1]) as stopper:
    ...     os.kill(os.getpid(), signal.SIGUSR1)
    ...     stopper.caught
    'SIGUSR1'

    ```
    """

    def __init__(self, signals: Iterable[int] = STOP_SIGNALS):
        self.caught: str | None = None
        self._signals = tuple(signals)
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Stopper":
        if threading.current_thread() is threading.main_thread():
            for number in self._signals:
                self._before[number] = signal.signal(number, self._catch)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            # None stands for a handler that was not installed from Python and cannot be put back from it.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()

    def _catch(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.caught is not None:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.caught = signal.Signals(number).name
