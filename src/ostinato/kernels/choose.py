"""Which kernel runs, and why: said by `unroll`'s choice, by `ostinato doctor`, and in the log of a run."""

from typing import Any, NamedTuple

from ostinato.errors import SettingsError
from ostinato.kernels.table import KERNELS

# Up to this many rows the hoisted gradient of R was faster than the scan's: benchmarks/results/bench-hoist.json.
HOIST_BATCH = 16


class Choice(NamedTuple):
    """A kernel's name and the reason for it."""

    kernel: str
    why: str


def choose(cell: Any, *, batch: int, kernel: str = "auto", keyed_reset: bool = False, timed: bool = False) -> Choice:
    """The kernel for a cell and a batch of so many rows.

    `keyed_reset`: states are drawn anew inside the sequence (noise that lasts a sequence), which only the reference
    does. `timed`: steps have lengths (`dt`). Where the compiled loop cannot run, the reason stands in `why`.

    Raises `SettingsError` for an unknown name, or a named kernel that does not hold for the cell.
    """
    check_kernel(kernel)
    if kernel != "auto":
        blocked = KERNELS[kernel].refuses(cell, timed, keyed_reset)
        if blocked is not None:
            raise SettingsError(f"kernel={kernel!r}: {blocked}")
        return Choice(kernel, "asked for")
    blocked = KERNELS["native"].refuses(cell, timed, keyed_reset)
    if blocked is None:
        return Choice("native", "its update is a vector program, which the compiled loop runs")
    if KERNELS["scan"].refuses(cell, timed, keyed_reset) is not None:
        return Choice("reference", blocked)
    no_matrix = KERNELS["hoist"].refuses(cell, timed, keyed_reset)
    if no_matrix is not None:
        return Choice("scan", f"{blocked}; {no_matrix}")
    if batch <= HOIST_BATCH:
        why = f"batch {batch} is at most {HOIST_BATCH}: one product for the gradient of R is faster"
        return Choice("hoist", f"{blocked}; {why}")
    return Choice("reference", f"{blocked}; batch {batch} is above {HOIST_BATCH}: hoisting was not faster")


def check_kernel(kernel: str) -> None:
    """Raise `SettingsError` for a name that is neither in `KERNELS` nor `"auto"`."""
    if kernel != "auto" and kernel not in KERNELS:
        raise SettingsError(f"kernel: expected one of {', '.join(KERNELS)}, auto, got {kernel!r}")
