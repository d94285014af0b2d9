"""Which kernel runs, and why: said by `unroll`'s choice, by `ostinato doctor`, and in the log of a run."""

from typing import Any, NamedTuple

from ostinato.errors import SettingsError

KERNELS = ("reference", "scan", "hoist", "auto")

# Up to this many rows the hoisted gradient of R was faster than the scan's own; see benchmarks/results/hoist.json.
HOIST_BATCH = 16


class Choice(NamedTuple):
    """A kernel's name and the reason for it."""

    kernel: str
    why: str


def choose(cell: Any, *, batch: int, kernel: str = "auto", keyed_reset: bool = False) -> Choice:
    """The kernel for a cell and a batch of so many rows.

    `keyed_reset`: states are drawn anew inside the sequence (noise that lasts a sequence), which only the reference
    does. Raises `SettingsError` for an unknown name, or a named kernel that does not hold for the cell.
    """
    if kernel not in KERNELS:
        raise SettingsError(f"kernel: expected one of {', '.join(KERNELS)}, got {kernel!r}")
    name = type(cell).__name__
    if kernel == "reference":
        return Choice("reference", "asked for")
    blocked = None
    if not hasattr(cell, "update"):
        blocked = f"{name} is not a GatedCell: its step is not one product and an element-wise update"
    elif keyed_reset:
        blocked = "resets with a key draw a new state at each reset"
    if blocked is not None:
        if kernel != "auto":
            raise SettingsError(f"kernel={kernel!r}: {blocked}")
        return Choice("reference", blocked)
    if kernel == "scan":
        return Choice("scan", "asked for")
    if cell.recurrent() is None:
        if kernel == "hoist":
            raise SettingsError(f"kernel='hoist': {name} has no recurrent matrix")
        return Choice("scan", f"{name} has no recurrent matrix")
    if kernel == "hoist":
        return Choice("hoist", "asked for")
    if batch <= HOIST_BATCH:
        return Choice("hoist", f"batch {batch} is at most {HOIST_BATCH}: one product for the gradient of R is faster")
    return Choice("scan", f"batch {batch} is above {HOIST_BATCH}: hoisting the gradient of R was not faster")
