"""The table of tasks, read by the command line, the docs and the tests."""

from collections.abc import Callable
from dataclasses import dataclass

from ostinato.tasks.adding import Adding
from ostinato.tasks.associative_recall import AssociativeRecall
from ostinato.tasks.base import Task
from ostinato.tasks.bits import BitCopy
from ostinato.tasks.blocks import Blocks
from ostinato.tasks.copying import Copy
from ostinato.tasks.dyck import Dyck
from ostinato.tasks.graph import GraphTraversal
from ostinato.tasks.ngram import DynamicNGram
from ostinato.tasks.parity import DelayedParity, Parity
from ostinato.tasks.priority_sort import PrioritySort
from ostinato.tasks.reber import EmbeddedReber, Reber
from ostinato.tasks.repeat_copy import RepeatCopy
from ostinato.tasks.reversal import Reversal
from ostinato.tasks.temporal_order import TemporalOrder


@dataclass(frozen=True)
class TaskEntry:
    """A row: `make(**settings)` with defaults for all of them, one line of description, where it was published."""

    make: Callable[..., Task]
    description: str
    reference: str


GRAVES = "Graves, Wayne and Danihelka 2014"

TASKS: dict[str, TaskEntry] = {
    "adding": TaskEntry(Adding, "the sum of the two marked numbers", "Hochreiter and Schmidhuber 1997; Li et al. 2018"),
    "associative-recall": TaskEntry(AssociativeRecall, "the item that came after this one", GRAVES),
    "bit-copy": TaskEntry(BitCopy, "vectors of bits again", GRAVES),
    "blocks": TaskEntry(Blocks, "how a long and predictable block began", "Schmidhuber 1992"),
    "copy": TaskEntry(Copy, "symbols again, after a delay", "Arjovsky, Shah and Bengio 2016"),
    "delayed-parity": TaskEntry(DelayedParity, "parity of bits some steps ago", "after Elman 1990"),
    "dyck": TaskEntry(Dyck, "which bracket is to be closed", "Chomsky and Schützenberger 1963"),
    "dynamic-ngram": TaskEntry(DynamicNGram, "the next bit, by a table that is drawn anew", GRAVES),
    "embedded-reber": TaskEntry(
        EmbeddedReber, "next symbols of a grammar with a memory of its frame", "Hochreiter and Schmidhuber 1997"
    ),
    "graph-traversal": TaskEntry(GraphTraversal, "where labels lead in a graph that was told", "Graves et al. 2016"),
    "parity": TaskEntry(Parity, "whether the number of ones so far is odd", "Minsky and Papert 1969"),
    "priority-sort": TaskEntry(PrioritySort, "vectors in the order of numbers that came with them", GRAVES),
    "reber": TaskEntry(Reber, "next symbols of a grammar", "Reber 1967"),
    "repeat-copy": TaskEntry(RepeatCopy, "vectors of bits again, so many times", GRAVES),
    "reversal": TaskEntry(Reversal, "symbols again, from the last to the first", "Grefenstette et al. 2015"),
    "temporal-order": TaskEntry(TemporalOrder, "which of two markers came when", "Hochreiter and Schmidhuber 1997"),
}
