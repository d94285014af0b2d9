"""Which machine a figure is from: processor, cores, memory, system and versions; no host name, no user, no path."""

import os
import platform
from typing import Any

from ostinato.runs.manifest import environment


def describe_machine() -> dict[str, Any]:
    """What a figure should be quoted with.

    ```python
    >>> machine = describe_machine()
    >>> machine["cores"] >= 1, "jaxlib" in machine
    (True, True)

    ```
    """
    # The release of the kernel, which `environment` has, often says whose machine it is.
    return {**environment(), "system": platform.system(), "cores": _cores(), "memory_gib": _memory_gib()}


def _cores() -> int:
    """Those this process may use, which in a container are fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError):
        return None
