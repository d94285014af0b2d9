"""The table of networks with a memory: a name for each."""

from typing import TYPE_CHECKING

from ostinato.tables import Entry

if TYPE_CHECKING:
    from ostinato.cells.base import Cell

GREFENSTETTE = "Grefenstette, Hermann, Suleyman and Blunsom 2015"

MEMORIES: "dict[str, Entry[Cell]]" = {
    "deque": Entry("memory.stack:DequeCell", "reads and writes at both ends of a row", GREFENSTETTE),
    "dnc": Entry("memory.dnc:DNC", "knows which rows are free, and the order of writing", "Graves et al. 2016"),
    "ntm": Entry("memory.ntm:NTM", "heads that look for content or move by a row", "Graves, Wayne and Danihelka 2014"),
    "ntm-feed-forward": Entry(
        "memory.ntm:feed_forward_ntm", "the same, with no other memory", "Graves, Wayne and Danihelka 2014"
    ),
    "pushdown": Entry(
        "memory.pushdown:Pushdown", "second-order automaton with a stack of symbols", "Giles et al. 1989"
    ),
    "queue": Entry("memory.stack:QueueCell", "first in, first out", GREFENSTETTE),
    "stack": Entry("memory.stack:StackCell", "last in, first out", GREFENSTETTE),
}
"""`make(input_size, hidden_size, *, key, **settings)`."""
