"""The table of kernels: what runs the loop of a cell, and for which cells it does not hold."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ostinato.kernels.deer import deer
from ostinato.kernels.hoist import hoisted
from ostinato.kernels.loop import LoopInputs, LoopOutputs, reference
from ostinato.kernels.native import native, refusal
from ostinato.kernels.parallel import not_affine, parallel
from ostinato.kernels.scan import hoisted_input
from ostinato.types import State


class Kernel(NamedTuple):
    """A row: `run(cell, loop, state)`, and `refuses(cell, timed, keyed_reset)`, the reason against it or None.

    `timed`: steps have lengths (`dt`). `keyed_reset`: states are drawn anew inside the sequence (noise that lasts a
    sequence), which only the reference does.
    """

    run: Callable[[Any, LoopInputs, State], LoopOutputs]
    refuses: Callable[[Any, bool, bool], str | None]


def _resets(cell: Any, timed: bool, keyed_reset: bool) -> str | None:
    del cell, timed
    return "resets with a key draw a new state at each reset" if keyed_reset else None


def _gated(cell: Any, timed: bool, keyed_reset: bool) -> str | None:
    if not hasattr(cell, "update"):
        return f"{type(cell).__name__} is not a GatedCell: its step is not one product and an element-wise update"
    return _resets(cell, timed, keyed_reset)


def _with_matrix(cell: Any, timed: bool, keyed_reset: bool) -> str | None:
    why = _gated(cell, timed, keyed_reset)
    return why or (f"{type(cell).__name__} has no recurrent matrix" if cell.recurrent() is None else None)


def _compiled(cell: Any, timed: bool, keyed_reset: bool) -> str | None:
    return _gated(cell, timed, keyed_reset) or refusal(cell, timed)


def _affine(cell: Any, timed: bool, keyed_reset: bool) -> str | None:
    why = _gated(cell, timed, keyed_reset)
    if why is None and (found := not_affine(cell, timed)) is not None:
        why = f"{found}; kernel='deer' takes any cell that forgets"
    return why


KERNELS: dict[str, Kernel] = {
    "reference": Kernel(reference, lambda cell, timed, keyed_reset: None),
    "scan": Kernel(hoisted_input, _gated),
    "hoist": Kernel(hoisted, _with_matrix),
    "native": Kernel(native, _compiled),
    "parallel": Kernel(parallel, _affine),
    "deer": Kernel(deer, _resets),
}
