"""Which kernel runs, and why: said by `unroll`'s choice, by `ostinato doctor`, and in the log of a run."""

from typing import Any, NamedTuple

from ostinato.errors import SettingsError
from ostinato.kernels.native import refusal
from ostinato.kernels.parallel import not_affine

KERNELS = ("reference", "scan", "hoist", "native", "parallel", "deer", "auto")

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
    if kernel == "deer" and not keyed_reset:
        return Choice("deer", "asked for")
    if blocked is not None:
        if kernel != "auto":
            raise SettingsError(f"kernel={kernel!r}: {blocked}")
        return Choice("reference", blocked)
    if kernel == "scan":
        return Choice("scan", "asked for")
    if kernel == "hoist":
        if cell.recurrent() is None:
            raise SettingsError(f"kernel='hoist': {name} has no recurrent matrix")
        return Choice("hoist", "asked for")
    if kernel == "parallel":
        blocked = not_affine(cell, timed)
        if blocked is not None:
            raise SettingsError(f"kernel='parallel': {blocked}; kernel='deer' takes any cell that forgets")
        return Choice("parallel", "asked for")
    blocked = refusal(cell, timed)
    if kernel == "native":
        if blocked is not None:
            raise SettingsError(f"kernel='native': {blocked}")
        return Choice("native", "asked for")
    if blocked is None:
        return Choice("native", "its update is a vector program, which the compiled loop runs")
    recurrent = cell.recurrent()
    if recurrent is None:
        return Choice("scan", f"{blocked}; {name} has no recurrent matrix")
    if batch <= HOIST_BATCH:
        why = f"batch {batch} is at most {HOIST_BATCH}: one product for the gradient of R is faster"
        return Choice("hoist", f"{blocked}; {why}")
    return Choice("reference", f"{blocked}; batch {batch} is above {HOIST_BATCH}: hoisting was not faster")
