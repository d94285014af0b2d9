"""The table of tasks, read by the command line, the docs and the tests."""

from typing import TYPE_CHECKING

from ostinato.tables import Entry

if TYPE_CHECKING:
    from ostinato.tasks.base import Task

GRAVES = "Graves, Wayne and Danihelka 2014"

TASKS: "dict[str, Entry[Task]]" = {
    "adding": Entry(
        "tasks.adding:Adding", "the sum of the two marked numbers", "Hochreiter and Schmidhuber 1997; Li et al. 2018"
    ),
    "associative-recall": Entry(
        "tasks.associative_recall:AssociativeRecall", "the item that came after this one", GRAVES
    ),
    "bit-copy": Entry("tasks.bits:BitCopy", "vectors of bits again", GRAVES),
    "blocks": Entry("tasks.blocks:Blocks", "how a long and predictable block began", "Schmidhuber 1992"),
    "copy": Entry("tasks.copying:Copy", "symbols again, after a delay", "Arjovsky, Shah and Bengio 2016"),
    "delayed-parity": Entry("tasks.parity:DelayedParity", "parity of bits some steps ago", "after Elman 1990"),
    "dyck": Entry("tasks.dyck:Dyck", "which bracket is to be closed", "Chomsky and Schützenberger 1963"),
    "dynamic-ngram": Entry("tasks.ngram:DynamicNGram", "the next bit, by a table that is drawn anew", GRAVES),
    "embedded-reber": Entry(
        "tasks.reber:EmbeddedReber",
        "next symbols of a grammar with a memory of its frame",
        "Hochreiter and Schmidhuber 1997",
    ),
    "graph-traversal": Entry(
        "tasks.graph:GraphTraversal", "where labels lead in a graph that was told", "Graves et al. 2016"
    ),
    "parity": Entry("tasks.parity:Parity", "whether the number of ones so far is odd", "Minsky and Papert 1969"),
    "priority-sort": Entry(
        "tasks.priority_sort:PrioritySort", "vectors in the order of numbers that came with them", GRAVES
    ),
    "reber": Entry("tasks.reber:Reber", "next symbols of a grammar", "Reber 1967"),
    "repeat-copy": Entry("tasks.repeat_copy:RepeatCopy", "vectors of bits again, so many times", GRAVES),
    "reversal": Entry(
        "tasks.reversal:Reversal", "symbols again, from the last to the first", "Grefenstette et al. 2015"
    ),
    "temporal-order": Entry(
        "tasks.temporal_order:TemporalOrder", "which of two markers came when", "Hochreiter and Schmidhuber 1997"
    ),
}
"""`make(**settings)`, with defaults for all of them."""
