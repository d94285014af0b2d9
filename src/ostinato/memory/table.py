"""The table of networks with a memory: a name for each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ostinato.cells import Cell

from .controller import feed_forward
from .dnc import DNC
from .ntm import NTM
from .pushdown import Pushdown
from .stack import DequeCell, QueueCell, StackCell


@dataclass(frozen=True)
class MemoryEntry:
    """A row: `make(input_size, hidden_size, *, key, **settings)`, one line of description, where it was published."""

    make: Callable[..., Cell]
    description: str
    reference: str


GREFENSTETTE = "Grefenstette, Hermann, Suleyman and Blunsom 2015"

MEMORIES: dict[str, MemoryEntry] = {
    "deque": MemoryEntry(DequeCell, "reads and writes at both ends of a row", GREFENSTETTE),
    "dnc": MemoryEntry(DNC, "knows which rows are free, and the order of writing", "Graves et al. 2016"),
    "ntm": MemoryEntry(NTM, "heads that look for content or move by a row", "Graves, Wayne and Danihelka 2014"),
    "ntm-feed-forward": MemoryEntry(
        partial(NTM, controller=feed_forward), "the same, with no other memory", "Graves, Wayne and Danihelka 2014"
    ),
    "pushdown": MemoryEntry(Pushdown, "second-order automaton with a stack of symbols", "Giles et al. 1989"),
    "queue": MemoryEntry(QueueCell, "first in, first out", GREFENSTETTE),
    "stack": MemoryEntry(StackCell, "last in, first out", GREFENSTETTE),
}
